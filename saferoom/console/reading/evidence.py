"""The evidence: all opened logs, their index, and the verdict on each, kept up to date behind the pages.

Verifying a whole log takes seconds, so it is done in a thread of its own: at the start, on request, and
when a log has grown. A page says of which size its verdict is. Every checkpoint seen while the console is
up is kept, and the next check is held against it: a log that changes its history meanwhile becomes
DIVERGED."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

from saferoom.audit.evidence.verify import verify_log
from saferoom.audit.formats.inclusion import EntryProver
from saferoom.audit.formats.note import NoteVerifier
from saferoom.audit.reconcile.findings import Reconciliation
from saferoom.console.reading.comparing import compare_all
from saferoom.console.reading.index import Index
from saferoom.console.reading.opened import OpenedLog, Reliance
from saferoom.console.reading.sources import Snapshot, log_file
from saferoom.errors import SafeRoomError

RECHECK_S = 30.0
"""A log that grows is verified again this long after its last check, at the earliest."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Evidence:
    """Everything the pages show. `refresh` before reading; safe to use from several threads."""

    trust: Reliance
    logs: list[OpenedLog] = field(default_factory=list)
    index: Index = field(default_factory=Index)
    compared: Reconciliation | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _queue: SimpleQueue[OpenedLog | None] = field(default_factory=SimpleQueue)
    _thread: threading.Thread | None = None

    @classmethod
    def open(cls, paths: Sequence[Path], trust: Reliance) -> Evidence:
        """Open logs and index them.

        A log that cannot be read is kept with its problem. Raises: StorageError if a path leads to nothing.
        """
        evidence = cls(trust)
        for number, path in enumerate(paths):
            evidence.logs.append(OpenedLog(number, log_file(path)))
        evidence.refresh()
        for log in evidence.logs:
            evidence.ask(log)
        return evidence

    def log(self, name: str) -> OpenedLog | None:
        """The log of that name."""
        return next((log for log in self.logs if log.name == name), None)

    # --- index ------------------------------------------------------------

    def refresh(self) -> None:
        """Index what was appended since; ask for a new verdict where something was."""
        with self._lock:
            for log in self.logs:
                before = log.note
                try:
                    with log.file.opened() as snapshot:
                        self._identify(log, snapshot)
                        self._catch_up(log, snapshot)
                    log.problem = ""
                except SafeRoomError as exc:
                    log.problem = exc.message
                    log.name = log.name or self._free_name(log.path.stem)
                if before != log.note and log.checked and time.monotonic() - log.checked > RECHECK_S:
                    self.ask(log)

    def _identify(self, log: OpenedLog, snapshot: Snapshot) -> None:
        if log.origin:
            return
        identity = snapshot.identity()
        keys = self.trust.keys_of(identity.origin)
        log.origin, log.pinned = identity.origin, bool(keys)
        log.keys = keys or (NoteVerifier.parse(identity.verifier_key),)
        log.seen = self.trust.seen_of(identity.origin)
        log.quorum = self.trust.quorum_of(identity.origin)
        log.name = self._free_name(log.party)

    def _free_name(self, wanted: str) -> str:
        """A name for addresses: letters, digits, hyphens, not taken by another log."""
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in wanted).strip("-") or "log"
        taken = {log.name for log in self.logs}
        return next(
            name for n in range(len(taken) + 1) if (name := f"{plain}-{n + 1}" if n else plain) not in taken
        )

    def _catch_up(self, log: OpenedLog, snapshot: Snapshot) -> None:
        size, note = snapshot.size(), snapshot.note()
        if size < log.indexed or (size == log.indexed and note != log.note):
            self.index.drop(log.number)
            log.indexed = 0
        log.indexed += self.index.add(log.number, snapshot.entries(log.indexed, size))
        log.note = note

    @contextmanager
    def proving(self, log: OpenedLog) -> Iterator[tuple[Snapshot, EntryProver]]:
        """A snapshot of a log and a prover against its newest checkpoint.

        Raises: StorageError; VerificationError if the checkpoint is not signed by the log's key.
        """
        with log.file.opened() as snapshot:
            yield snapshot, EntryProver(snapshot, snapshot.note(), log.keys)

    # --- verdicts ------------------------------------------------------------

    def ask(self, log: OpenedLog) -> None:
        """Have the log verified; returns at once."""
        if not log.checking:
            log.checking = True
            self._queue.put(log)

    def start(self) -> None:
        """Begin verifying in the background."""
        self._thread = threading.Thread(target=self._run, name="console-verify", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the check that is running."""
        self._queue.put(None)
        # An interrupt may have come between making the thread and its start.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def verify_all(self) -> None:
        """Verify everything that waits, in this thread."""
        self._queue.put(None)
        self._run()

    def _run(self) -> None:
        while (log := self._queue.get()) is not None:
            try:
                self._verify(log)
            except SafeRoomError as exc:
                log.problem = exc.message
            finally:
                log.checking = False
            if not any(one.checking for one in self.logs):
                self._compare()

    def _compare(self) -> None:
        try:
            self.compared = compare_all(self.logs, self.trust.signing)
        except SafeRoomError as exc:
            self.compared = None
            _log.warning("the logs cannot be compared: %s", exc.message)

    def _verify(self, log: OpenedLog) -> None:
        log.checked = time.monotonic()
        note = log.note
        keys = [str(key) for key in log.keys] if log.pinned else []
        verdict = verify_log(log.path, keys, seen=log.seen, max_age_s=self.trust.max_age_s, quorum=log.quorum)
        log.verdict, log.checked_at = verdict, datetime.now(UTC)
        _log.info("log %s: %s at size %d", log.name, verdict.kind.name, verdict.size)
        if verdict.ok and note:
            log.seen = (*self.trust.seen_of(log.origin), note)
