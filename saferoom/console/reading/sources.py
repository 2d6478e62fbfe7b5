"""Log files as the console reads them: opened anew for each request, read only, one unchanging state.

    a database      the node's own log, live or not, or a copy; SQLite's `mode=ro`
    a folder        what `saferoom audit export` wrote; its tree is rebuilt in memory, its bytes read anew

Nothing is ever written beside or into a log, and nothing read here is trusted: proofs are checked where
they are shown, and `verify_log` gives the verdict.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from saferoom.audit.formats.merkle import leaf_hash
from saferoom.audit.formats.tiles import TILE_WIDTH, TileBuilder
from saferoom.audit.log.export import FolderReader
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.audit.log.store import Cosignature, Identity
from saferoom.errors import StorageError

_ENTRIES = "entries.jsonl"
_COSIGNATURES = "cosignatures.jsonl"
_FILES = ("log.json", _ENTRIES, "checkpoints.jsonl")


class Snapshot(Protocol):
    """One unchanging state of a log. Every method raises StorageError or VerificationError."""

    def identity(self) -> Identity: ...

    def size(self) -> int: ...

    def note(self) -> str:
        """The newest checkpoint, as stored."""

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]: ...

    def tile(self, level: int, number: int) -> bytes: ...

    def checkpoints(self) -> Iterator[tuple[int, str]]: ...

    def checkpoint(self, size: int) -> str: ...

    def last_cosigned_sizes(self, limit: int) -> list[int]: ...

    def cosignatures_of(self, size: int) -> list[Cosignature]: ...


class LogFile(Protocol):
    """A log at a path."""

    path: Path

    def opened(self) -> AbstractContextManager[Snapshot]:
        """A snapshot for the length of a `with`."""


def log_file(path: Path) -> LogFile:
    """The log at a path. Raises: StorageError if nothing is there, or this user may not read it."""
    if not path.exists():
        raise StorageError(f"there is no log at {path}", step="audit serve", remedy="check the path")
    if not os.access(path, os.R_OK):
        raise StorageError(f"this user may not read {path}", step="audit serve")
    return FolderFile(path) if path.is_dir() else DatabaseFile(path)


class DatabaseFile:
    """A log's database."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def opened(self) -> Iterator[Snapshot]:
        with closing(SqliteReader(self.path)) as reader:
            reader.hold()
            yield _DatabaseSnapshot(reader)


class _DatabaseSnapshot:
    def __init__(self, reader: SqliteReader) -> None:
        self.identity, self.tile = reader.identity, reader.tile
        self.entries, self.checkpoints = reader.entries, reader.checkpoints
        self.checkpoint = reader.checkpoint
        self.last_cosigned_sizes, self.cosignatures_of = reader.last_cosigned_sizes, reader.cosignatures_of
        self._reader = reader

    def size(self) -> int:
        return self._reader.head().size

    def note(self) -> str:
        return self._reader.head().checkpoint


@dataclass(frozen=True, slots=True)
class _Tree:
    """What is remembered of a folder: where each line begins, the tiles over all lines, what was signed."""

    state: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    tiles: dict[tuple[int, int], bytes]
    notes: dict[int, str]
    cosignatures: dict[int, list[Cosignature]]


class FolderFile:
    """An exported folder. Its tree is kept in memory until one of its files changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tree: _Tree | None = None

    @contextmanager
    def opened(self) -> Iterator[Snapshot]:
        state = self._state()
        if self._tree is None or self._tree.state != state:
            self._tree = _grow(self.path, state)
        yield _FolderSnapshot(self.path, self._tree)

    def _state(self) -> tuple[tuple[int, int], ...]:
        names = [*_FILES, _COSIGNATURES] if (self.path / _COSIGNATURES).exists() else _FILES
        try:
            found = [(self.path / name).stat() for name in names]
        except OSError as exc:
            raise StorageError(
                f"{self.path} is not an exported log ({type(exc).__name__})",
                step="audit serve",
                remedy="name a log.db, or a folder that `saferoom audit export` wrote",
            ) from exc
        return tuple((one.st_size, one.st_mtime_ns) for one in found)


def _grow(path: Path, state: tuple[tuple[int, int], ...]) -> _Tree:
    reader, builder = FolderReader(path), TileBuilder()
    tiles: dict[tuple[int, int], bytes] = {}
    offsets, leaves = [0], []
    for _, data in reader.entries(0, 2**62):
        offsets.append(offsets[-1] + len(data) + 1)
        leaves.append(leaf_hash(data))
        if len(leaves) == TILE_WIDTH:
            tiles |= builder.extend(leaves)
            leaves.clear()
    tiles |= builder.extend(leaves)
    cosignatures: dict[int, list[Cosignature]] = {}
    for item in reader.cosignatures():
        cosignatures.setdefault(item.size, []).append(item)
    return _Tree(state, tuple(offsets), tiles, dict(reader.checkpoints()), cosignatures)


class _FolderSnapshot:
    def __init__(self, path: Path, tree: _Tree) -> None:
        self.identity = FolderReader(path).identity
        self._path, self._tree = path, tree

    def size(self) -> int:
        return len(self._tree.offsets) - 1

    def note(self) -> str:
        return next(reversed(self._tree.notes.values()), "")

    def checkpoint(self, size: int) -> str:
        return self._tree.notes.get(size, "")

    def last_cosigned_sizes(self, limit: int) -> list[int]:
        return sorted(self._tree.cosignatures, reverse=True)[:limit]

    def cosignatures_of(self, size: int) -> list[Cosignature]:
        return self._tree.cosignatures.get(size, [])

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        return iter(self._tree.notes.items())

    def tile(self, level: int, number: int) -> bytes:
        return self._tree.tiles.get((level, number), b"")

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        bounds = self._tree.offsets[start : min(end, self.size()) + 1]
        if len(bounds) < 2:
            return
        try:
            with (self._path / _ENTRIES).open("rb") as file:
                file.seek(bounds[0])
                for index, (low, high) in enumerate(pairwise(bounds), start):
                    yield index, file.read(high - low)[:-1]
        except OSError as exc:
            raise StorageError(
                f"{_ENTRIES} cannot be read ({type(exc).__name__})", step="audit serve"
            ) from exc
