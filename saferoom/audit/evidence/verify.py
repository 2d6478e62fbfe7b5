"""The auditor's check of one log: offline, read only, from stored bytes alone.

    1  entries      every index is there once, in order
    2  bytes        each entry is canonical JSON that the schema allows, without identifiers
    3  sessions     each session's entries count up and name the hash of the one before
    4  tree         leaf hashes and roots recomputed; every checkpoint ever signed has the root of that size,
                    so each is consistent with the next
    5  signatures   every checkpoint is signed by the auditor's key; the newest covers the last entry
    6  witnesses    cosignatures belong to checkpoints of the log; those by the auditor's witnesses are right
    7  database     head, right edge, tiles and session heads are what they should be (not in an export)
    8  seen         checkpoints that the auditor kept from earlier have the same roots

Trust keys come from the auditor, never from the log. Without one the log's own key is used, and the verdict
says so.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from saferoom.audit.entries.entry_check import Checked, Row, check_entries
from saferoom.audit.evidence.verdict import Verdict, VerdictKind
from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.merkle import HASH_BYTES, leaf_hash
from saferoom.audit.formats.note import NoteVerifier
from saferoom.audit.formats.tiles import TILE_WIDTH, TileBuilder
from saferoom.audit.log.export import FolderReader
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.audit.log.store import Cosignature, Head, Identity, SessionHead
from saferoom.audit.witness.quorum import Quorum, Witnessed, cosignature
from saferoom.errors import StorageError, UsageError, VerificationError

MAX_FAULTS = 100
_EVERYTHING = 2**62
_FULL_TILE_BYTES = TILE_WIDTH * HASH_BYTES
_CHUNK = 1000


class CheckedLog(Protocol):
    """What a database and an export have in common."""

    def identity(self) -> Identity: ...

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]: ...

    def checkpoints(self) -> Iterator[tuple[int, str]]: ...

    def cosignatures(self) -> Iterator[Cosignature]: ...

    def close(self) -> None: ...


def verify_log(
    path: Path | str,
    verifier_keys: Sequence[str] = (),
    *,
    seen: Iterable[str] = (),
    max_age_s: float | None = None,
    now: datetime | None = None,
    quorum: Quorum | None = None,
) -> Verdict:
    """Check the log in a file or an exported folder.

    `seen` are signed checkpoints that the auditor got earlier or elsewhere. `quorum` names the witnesses the
    auditor relies on. `max_age_s` is the greatest accepted age, at `now` (default: the system's time), of the
    newest quorum (default: the quorum's own limit) or, without a quorum, of the newest entry.

    Raises: UsageError if there is no such path or a key is malformed; StorageError if it may not be read.
    A log that is damaged raises nothing: it gets the verdict INVALID.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError("there is no log at the given path", step="verify the audit log")
    if not os.access(path, os.R_OK):
        raise StorageError("this user may not read the log", step="verify the audit log")
    now = now or datetime.now(UTC)
    check = _Check(_parse_keys(verifier_keys), bool(verifier_keys), quorum, now.timestamp())
    try:
        check.run(path, list(seen))
    except (StorageError, VerificationError) as exc:
        check.blame(exc.message)
    return check.verdict(max_age_s, now)


def origin_of_log(path: Path) -> str:
    """Which log a file or an exported folder says it is. Raises: StorageError, VerificationError."""
    with closing(FolderReader(path) if path.is_dir() else SqliteReader(path)) as source:
        return source.identity().origin


def _parse_keys(keys: Iterable[str]) -> list[NoteVerifier]:
    try:
        return [NoteVerifier.parse(key) for key in keys]
    except VerificationError as exc:
        raise UsageError(f"a given verifier key cannot be used: {exc.message}") from exc


@dataclass(slots=True)
class _Check:
    """One run: what was recomputed so far and what was found wrong."""

    keys: list[NoteVerifier]
    key_verified: bool
    quorum: Quorum | None
    now_s: float
    origin: str = ""
    builder: TileBuilder = field(default_factory=TileBuilder)
    leaves: list[bytes] = field(default_factory=list)
    sessions: dict[str, SessionHead] = field(default_factory=dict)
    first_time: str = ""
    last_time: str = ""
    checkpoints: int = 0
    newest: tuple[int, str] = (-1, "")
    cosigned: dict[str, int] = field(default_factory=dict)
    witnessed: Witnessed | None = None
    faults: list[str] = field(default_factory=list)
    diverged: list[str] = field(default_factory=list)
    database: SqliteReader | None = None

    def blame(self, what: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(what)

    def run(self, path: Path, seen: Sequence[str]) -> None:
        with closing(FolderReader(path) if path.is_dir() else SqliteReader(path)) as source:
            if isinstance(source, SqliteReader):
                source.hold()
                self.database = source
            identity = source.identity()
            self.origin = identity.origin
            self.keys = self.keys or [NoteVerifier.parse(identity.verifier_key)]
            self.read(source, self.open_seen(seen))
            if self.database is not None:
                self.check_database(self.database, identity)

    # --- entries and tree ------------------------------------------------------------

    def read(self, source: CheckedLog, seen: list[tuple[int, Checkpoint]]) -> None:
        """Go through the entries once, stopping at each size for which somebody signed a root."""
        entries = check_entries(source.entries(-_EVERYTHING, _EVERYTHING))
        stops: Iterator[tuple[int, int, str | Cosignature | Checkpoint]] = heapq.merge(
            ((size, 0, note) for size, note in source.checkpoints()),
            ((cosignature.size, 1, cosignature) for cosignature in source.cosignatures()),
            ((at, 2, checkpoint) for at, checkpoint in sorted(seen, key=lambda pair: pair[0])),
            key=lambda stop: stop[:2],
        )
        for size, _, signed in stops:
            self.read_up_to(size, entries)
            if isinstance(signed, str):
                self.check_own(size, signed)
            elif isinstance(signed, Cosignature):
                self.check_cosignature(signed)
            else:
                self.check_seen(signed)
        self.read_up_to(_EVERYTHING, entries)
        if self.newest[0] != self.builder.size:
            self.blame("the newest checkpoint does not cover the last entry")

    def read_up_to(self, size: int, entries: Iterator[tuple[Row, Checked]]) -> None:
        while (at := self.builder.size + len(self.leaves)) < size:
            if len(self.leaves) >= _CHUNK:
                self.grow()
            following = next(entries, None)
            if following is None:
                break
            (index, data), checked = following
            if index != at:
                raise VerificationError(f"entry {at} is missing or out of place")
            self.take_entry(index, leaf_hash(data), checked)
        self.grow()

    def grow(self) -> None:
        """Append the leaves read; compare the tiles that became full with the stored ones."""
        changed = self.builder.extend(self.leaves)
        self.leaves.clear()
        for (level, number), hashes in changed.items():
            if (
                self.database
                and len(hashes) == _FULL_TILE_BYTES
                and self.database.tile(level, number) != hashes
            ):
                self.blame(f"tile {number} of level {level} is not what the entries give")

    def take_entry(self, index: int, leaf: bytes, checked: Checked) -> None:
        self.leaves.append(leaf)
        if checked.fault:
            self.blame(f"entry {index}: {checked.fault}")
            return
        self.last_time = checked.time
        self.first_time = self.first_time or self.last_time
        if checked.session is not None:
            self.check_link(index, checked.session, leaf)

    def check_link(self, index: int, link: dict[str, object], leaf: bytes) -> None:
        name = str(link["id"])
        before = self.sessions.get(name, SessionHead(-1, bytes(HASH_BYTES)))
        if (link["seq"], link["prev_hash"]) != (before.seq + 1, before.leaf.hex()):
            self.blame(f"entry {index}: its session's chain is broken before it")
        self.sessions[name] = SessionHead(before.seq + 1, leaf)

    # --- checkpoints ------------------------------------------------------------

    def check_own(self, size: int, note: str) -> None:
        self.checkpoints += 1
        self.newest = (size, note)
        self.cosigned.clear()
        try:
            signed = open_checkpoint(note, self.keys)
        except VerificationError as exc:
            self.blame(f"checkpoint of size {size}: {exc.message}")
            return
        if signed != Checkpoint(self.origin, size, self.builder.root()):
            self.blame(f"checkpoint of size {size}: its origin, size or root is not that of the entries")

    def check_cosignature(self, given: Cosignature) -> None:
        """A witness's word on the checkpoint that was checked last."""
        size, note = self.newest
        try:
            if given.size != size or given != cosignature(size, given.line):
                raise VerificationError(
                    "it belongs to no checkpoint, or not to the witness it is filed under"
                )
            if self.quorum is not None:
                text = note.partition("\n\n")[0] + "\n"
                self.cosigned |= self.quorum.cosigned(text, [given.line], now_s=self.now_s)
                self.witnessed = self.quorum.reached(size, self.cosigned) or self.witnessed
        except VerificationError as exc:
            self.blame(f"a cosignature of size {given.size}: {exc.message}")

    def open_seen(self, notes: Sequence[str]) -> list[tuple[int, Checkpoint]]:
        opened = []
        for note in notes:
            try:
                checkpoint = open_checkpoint(note, self.keys)
            except VerificationError as exc:
                self.blame(f"a checkpoint you gave: {exc.message}")
                continue
            if checkpoint.origin != self.origin:
                self.blame("a checkpoint you gave is of another log")
            opened.append((checkpoint.size, checkpoint))
        return opened

    def check_seen(self, seen: Checkpoint) -> None:
        if seen.size > self.builder.size:
            self.diverged.append(
                f"you hold a checkpoint of size {seen.size}, and the log has {self.builder.size} entries: "
                "it was cut, or an old copy was put back"
            )
        elif seen.root != self.builder.root():
            self.diverged.append(
                f"your checkpoint of size {seen.size} has another root: entries were changed"
            )

    # --- the database's own columns ------------------------------------------------------------

    def check_database(self, database: SqliteReader, identity: Identity) -> None:
        if identity.verifier_key not in map(str, self.keys):
            self.blame("the verifier key stored in the log is not the one it is checked with")
        expected = Head(
            self.builder.size, self.builder.root(), b"".join(self.builder.peaks()), self.newest[1]
        )
        if database.head() != expected:
            self.blame("the stored head is not that of the entries and the newest checkpoint")
        if dict(database.sessions()) != self.sessions:
            self.blame("the stored session heads are not those of the entries")
        again = TileBuilder.load(self.builder.size, database.tile)
        if again.root() != self.builder.root():
            self.blame("the stored partial tiles are not those of the entries")
        if sum(1 for _ in database.tiles()) != _tile_count(self.builder.size):
            self.blame("there are tiles that belong to no entries, or some are missing")

    # --- the end ------------------------------------------------------------

    def verdict(self, max_age_s: float | None, now: datetime) -> Verdict:
        return Verdict(
            kind=self.kind(max_age_s, now),
            origin=self.origin,
            size=self.builder.size,
            root=self.builder.root().hex(),
            checkpoints=self.checkpoints,
            sessions=len(self.sessions),
            first_time=self.first_time,
            last_time=self.last_time,
            key_verified=self.key_verified,
            faults=(*self.faults, *self.diverged),
            witnessed=self.witnessed,
        )

    def kind(self, max_age_s: float | None, now: datetime) -> VerdictKind:
        if self.faults:
            return VerdictKind.INVALID
        if self.diverged:
            return VerdictKind.DIVERGED
        if self.quorum is not None and max_age_s is None:
            max_age_s = self.quorum.max_age_s
        if max_age_s is not None and self.is_old(max_age_s, now):
            return VerdictKind.STALE
        return VerdictKind.WITNESSED if self.witnessed else VerdictKind.CONSISTENT

    def is_old(self, max_age_s: float, now: datetime) -> bool:
        """Whether the newest quorum, or without one the newest entry, is too old.

        An empty log, or a day like 30 February, has no age: old.
        """
        if self.witnessed is not None:
            return now.timestamp() - self.witnessed.time_s > max_age_s
        try:
            newest = datetime.fromisoformat(self.last_time)
        except ValueError:
            return True
        return (now - newest).total_seconds() > max_age_s


def _tile_count(size: int) -> int:
    """How many tiles, full and partial, a tree of `size` leaves has."""
    count = 0
    while size:
        count += -(-size // TILE_WIDTH)
        size //= TILE_WIDTH
    return count
