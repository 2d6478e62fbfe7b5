"""What the log needs from a database, so that another one can take SQLite's place.

    LogReader     entries, tiles, checkpoints, head, session heads: read only, any number of them
    LogWriter     one at a time, in one process: commits a whole batch or nothing

A batch carries everything that belongs to it: entries, changed tiles, right edge, new head, signed
checkpoint, session heads. `commit` compares the stored head with the one the batch was built on, and swaps
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from saferoom.audit.formats.merkle import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Identity:
    """What a log says it is. A verifier trusts none of it."""

    version: int
    origin: str
    verifier_key: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest state: size, 32-byte root, right edge (hashes, largest subtree first), signed checkpoint."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    edge: bytes = b""
    checkpoint: str = ""


@dataclass(frozen=True, slots=True)
class SessionHead:
    """The last entry of a session: its sequence number and leaf hash."""

    seq: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's word on the checkpoint of `size` entries.

    `witness` is its key's name, a plus sign and the hexadecimal key id; `line` the signature line without its
    newline. One witness has one word on a size: the newest.
    """

    size: int
    witness: str
    line: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction. `before` is the head it was built on; `after` is the same if nothing was appended."""

    before: Head
    after: Head
    entries: Sequence[bytes]
    tiles: Mapping[tuple[int, int], bytes]
    sessions: Mapping[str, SessionHead]
    cosignatures: Sequence[Cosignature] = ()


class LogReader(Protocol):
    """Read-only access. Every method raises StorageError if the database cannot be read."""

    def identity(self) -> Identity: ...

    def head(self) -> Head: ...

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, bytes) in order, of the stored indices in start..end-1; gaps are the verifier's to find."""

    def tile(self, level: int, number: int) -> bytes:
        """The tile's bytes, empty if there is none."""

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        """(level, number, bytes) of every tile, by level and number."""

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """(size, signed note) of every kept checkpoint, by size."""

    def checkpoint(self, size: int) -> str:
        """The signed note of that size, empty if none was signed."""

    def cosignatures(self, start: int = 0) -> Iterator[Cosignature]:
        """Those of checkpoints of `start` entries and more, by size."""

    def session(self, session: str) -> SessionHead | None: ...

    def sessions(self) -> Iterator[tuple[str, SessionHead]]: ...

    def close(self) -> None: ...


class LogWriter(Protocol):
    """The one writer."""

    def commit(self, batch: Batch) -> None:
        """Make the batch durable.

        Raises: StorageError; then its fate is unknown and the writer is done for.
        """

    def close(self) -> None: ...
