"""The audit log: append, and get a receipt when the disk has it.

    with AuditLog.open(path, origin="saferoom/bank", signer=signer) as log:
        receipt = log.append(event)        # returns after COMMIT, raises StorageError otherwise

Many threads may append. One writer thread takes whatever waits (up to 1,000 entries), and makes it durable
in one transaction: entries, tiles, right edge, head and signed checkpoint. It does not wait for more to
come: while one commit is with the disk the next batch gathers by itself.

If a commit fails, its fate is unknown: the log object is broken for good and every later append raises.
**If the log cannot be written, the node refuses to act.** Close it, mend the disk, open it again.

Witnesses' cosignatures are stored by the same thread. A witness that holds a checkpoint which is not of this
log's past shows that a backup was put back: `stop_signing`, and begin a successor log.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from saferoom.audit.entries.events import Event, event_dict
from saferoom.audit.entries.schema import check_event
from saferoom.audit.formats import merkle
from saferoom.audit.formats.canonical import encode
from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.note import NoteSigner
from saferoom.audit.formats.tiles import subtree_from_tiles
from saferoom.audit.log.opening import (
    StoredTree,
    ahead_path,
    check_not_behind,
    check_stored,
    create,
    restored,
)
from saferoom.audit.log.sqlite import SqliteReader, SqliteWriter
from saferoom.audit.log.store import Batch, Cosignature, Head, LogReader, LogWriter, SessionHead
from saferoom.errors import StorageError, UsageError
from saferoom.files.private import write_private

Clock = Callable[[], datetime]

MAX_BATCH = 1000
MAX_WAITING = 4 * MAX_BATCH
NO_ENTRY = bytes(merkle.HASH_BYTES)
"""The `prev_hash` of a session's first entry."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry is durable: its index, its leaf hash, and the size of a signed checkpoint that covers it."""

    index: int
    leaf: bytes
    checkpoint_size: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes
    leaf: bytes
    session: str
    session_head: SessionHead | None


class StoppedError(Exception):
    """Why the log signs nothing more although it could be written."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AuditLog:
    """One node's log. Made by `AuditLog.open`."""

    def __init__(
        self,
        path: Path,
        writer: LogWriter,
        reader: LogReader,
        tree: StoredTree,
        *,
        signer: NoteSigner,
        clock: Clock,
    ) -> None:
        self.path = path
        self.origin = signer.name
        self.verifier_key = signer.verifier_key
        self.clock = clock
        self._writer, self._reader, self._signer = writer, reader, signer
        self._head, self._builder = tree.head, tree.builder
        self._next_index = tree.head.size
        self._sessions: dict[str, SessionHead] = {}
        self._waiting: deque[_Waiting] = deque()
        self._cosigned: list[Cosignature] = []
        self._keeping = self._kept = 0
        self._changed = threading.Condition()
        self._broken: BaseException | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, path: Path | str, *, origin: str, signer: NoteSigner, clock: Clock = utc_now) -> AuditLog:
        """Open the log in the file `path`, making it if there is none, and become its only writer.

        `origin` names the log (`saferoom/<party>`) and is the signer's name. Checks the head's signature,
        the right edge, and that the last entries are the ones the tree was built from.

        Raises: UsageError if the signer bears another name; StorageError if the file cannot be used or has
        a writer; VerificationError if what is stored does not fit together, is another log, or is an old
        copy of this one.
        """
        if signer.name != origin:
            raise UsageError(f"the log {origin} is signed by a key of that name, not of {signer.name}")
        writer = SqliteWriter(path)
        try:
            if writer.is_empty():
                create(writer, signer)
            reader = SqliteReader(path, live=True)
            tree = check_stored(reader, signer.verifier)
            check_not_behind(Path(path), tree.head.size, reader, signer.verifier)
            writer.bring_up_to_date()
        except BaseException:
            writer.close()
            raise
        return cls(Path(path), writer, reader, tree, signer=signer, clock=clock)

    # --- appending ------------------------------------------------------------

    def append(self, event: Event) -> Receipt:
        """Write one event; returns when it is durable.

        Raises: UsageError if the schema refuses the event (the log stays usable); StorageError if it is not
        durable.
        """
        return self.append_many([event])[0]

    def append_many(self, events: Iterable[Event]) -> list[Receipt]:
        """Write events in order; returns when the last is durable. Raises as `append`, for the first bad one.

        Not all-or-nothing: events before a refused one are written.
        """
        placed: list[tuple[int, bytes]] = []
        try:
            for event in events:
                placed.append(self._place(event))
        finally:
            size = self._wait_for(placed[-1][0] + 1) if placed else 0
        return [Receipt(index, leaf, size) for index, leaf in placed]

    def _place(self, event: Event) -> tuple[int, bytes]:
        """Check, chain and queue one event; gives its index and leaf hash. Not durable yet."""
        values = event_dict(event)
        with self._changed:
            while len(self._waiting) >= MAX_WAITING and not self._broken:
                self._changed.wait()
            self._refuse_if_broken()
            if self._closing:
                raise StorageError("the audit log is closed", step="append to the audit log")
            chained = self._chain(values, event.session)
            check_event(values)
            data = encode(values)
            leaf = merkle.leaf_hash(data)
            head = SessionHead(chained, leaf) if event.session else None
            if head is not None:
                self._sessions[event.session] = head
            index = self._next_index
            self._next_index += 1
            self._waiting.append(_Waiting(data, leaf, event.session, head))
            if len(self._waiting) == 1:
                self._changed.notify_all()
        return index, leaf

    def _chain(self, values: dict[str, object], session: str) -> int:
        """Put the session's next link into `values`; gives its sequence number."""
        if not session:
            return 0
        last = self._sessions.get(session) or self._reader.session(session)
        seq = last.seq + 1 if last else 0
        previous = last.leaf if last else NO_ENTRY
        values["session"] = {"id": session, "seq": seq, "prev_hash": previous.hex()}
        return seq

    def _wait_for(self, size: int) -> int:
        """Wait until `size` entries are durable; gives how many then are."""
        with self._changed:
            while self._head.size < size:
                self._refuse_if_broken()
                self._changed.wait()
            return self._head.size

    def _refuse_if_broken(self) -> None:
        if isinstance(self._broken, StoppedError):
            raise restored(self._broken.reason)
        if self._broken is not None:
            raise StorageError(
                "the audit log cannot be written, so nothing may be done",
                step="append to the audit log",
                remedy="free space on the disk or repair it, then close and open the log again",
            ) from self._broken

    # --- the writer thread ------------------------------------------------------------

    def _run(self) -> None:
        try:
            while any(taken := self._take()):
                self._commit(*taken)
        # Whatever stops the writer must stop every act of the node: nobody may go on waiting for it.
        except BaseException as exc:
            _log.error("the audit log cannot be written (%s); nothing more is accepted", type(exc).__name__)
            with self._changed:
                self._broken = exc
                self._changed.notify_all()

    def _take(self) -> tuple[list[_Waiting], list[Cosignature]]:
        """The next batch of entries and cosignatures; nothing when the log ends and nothing waits."""
        with self._changed:
            while not (self._waiting or self._cosigned or self._closing or self._broken):
                self._changed.wait()
            if self._broken:
                return [], []
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
            cosigned, self._cosigned = self._cosigned, []
            self._keeping = len(cosigned)
            self._changed.notify_all()
            return batch, cosigned

    def _commit(self, waiting: Sequence[_Waiting], cosigned: Sequence[Cosignature]) -> None:
        tiles = self._builder.extend([item.leaf for item in waiting])
        after = self._sign() if waiting else self._head
        sessions = {item.session: item.session_head for item in waiting if item.session_head is not None}
        entries = [item.data for item in waiting]
        self._writer.commit(Batch(self._head, after, entries, tiles, sessions, cosigned))
        with self._changed:
            self._head = after
            self._kept, self._keeping = self._kept + self._keeping, 0
            self._changed.notify_all()

    def _sign(self) -> Head:
        root = self._builder.root()
        note = Checkpoint(self.origin, self._builder.size, root).signed(self._signer)
        return Head(self._builder.size, root, b"".join(self._builder.peaks()), note)

    # --- witnesses ------------------------------------------------------------

    def add_cosignatures(self, cosignatures: Iterable[Cosignature]) -> None:
        """Keep what witnesses said of checkpoints of this log, checked by the caller. As durable as entries.

        Raises: StorageError.
        """
        with self._changed:
            self._refuse_if_broken()
            self._cosigned.extend(cosignatures)
            last = self._kept + len(self._cosigned) + self._keeping
            self._changed.notify_all()
            while self._kept < last:
                self._refuse_if_broken()
                self._changed.wait()

    def stop_signing(self, held: str) -> bool:
        """Compare with a checkpoint of this log that a witness holds; gives whether the log had to stop.

        If `held`, signed by our key, is not of this log's past, an old copy was put back, or somebody else
        signs with our key. The checkpoint is kept beside the log as evidence, and nothing is signed any
        more, in this process and after every restart. Raises: VerificationError if our key did not sign
        `held`; StorageError if it cannot be kept.
        """
        checkpoint = open_checkpoint(held, [self._signer.verifier])
        if checkpoint.size <= self.size and self.root_at(checkpoint.size) == checkpoint.root:
            return False
        try:
            write_private(ahead_path(self.path), held, replace=True)
        finally:  # a disk that keeps no evidence is no reason to sign another history
            self.halt(f"a witness holds a checkpoint of {checkpoint.size} entries that is not of this log")
        return True

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is signed any more, for whatever reason."""
        return self._broken is not None

    def halt(self, reason: str) -> None:
        """Sign nothing more in this process: every append raises from now on."""
        _log.error("the audit log is stopped: %s", reason)
        with self._changed:
            self._broken = self._broken or StoppedError(reason)
            self._changed.notify_all()

    # --- reading ------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries are durable."""
        return self._head.size

    def checkpoint(self) -> str:
        """The newest signed checkpoint, as a note."""
        return self._head.checkpoint

    def signed_checkpoint(self, size: int) -> str:
        """The signed checkpoint of that size, empty if none was signed. Raises: StorageError."""
        return self._reader.checkpoint(size)

    def root_at(self, size: int) -> bytes:
        """The root of the first `size` entries. Raises: UsageError, StorageError."""
        return subtree_from_tiles(self._reader.tile)(0, self._known_size(size))

    def cosignatures(self, start: int = 0) -> Iterator[Cosignature]:
        """Cosignatures of checkpoints of `start` entries and more. Raises: StorageError."""
        return self._reader.cosignatures(start)

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(index, exact bytes) of the durable entries start..end-1. Raises: StorageError."""
        return self._reader.entries(start, self.size if end is None else end)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that entry `index` is in the tree of the first `size` entries.

        Raises: UsageError, StorageError.
        """
        size = self._known_size(size)
        return merkle.inclusion_proof(index, size, subtree_from_tiles(self._reader.tile))

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """The proof that the first `new` entries begin with the first `old`.

        Raises: UsageError, StorageError.
        """
        new = self._known_size(new)
        return merkle.consistency_proof(old, new, subtree_from_tiles(self._reader.tile))

    def _known_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if size > self.size:
            raise UsageError(f"the log has {self.size} entries, not {size}")
        return size

    # --- the end ------------------------------------------------------------

    def close(self) -> None:
        """Write what waits, stop the writer, let go of the file. Never raises; may be called again."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
