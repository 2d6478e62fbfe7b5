"""Feeding one witness: when to ask it to cosign a log's newest checkpoint, with what, and what it answered.

Carries nothing itself: whoever owns the wire calls `request` when `due`, and hands in the `Answer`.

    200   the cosignature is checked and kept in the log
    409   the witness holds another size: asked again at once from there, if that is of the log's past;
          if it is not, the log stops: an old copy was put back, or somebody else signs with its key
    else  noted, and asked again later
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import NoteVerifier, split_note
from saferoom.audit.log.audit_log import AuditLog
from saferoom.audit.witness.quorum import cosignature
from saferoom.audit.witness.witness import CONFLICT, OK, Answer, Request, read_answer
from saferoom.errors import VerificationError

AWAY = 503
"""A status of our own: the witness cannot be reached now."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between questions: after a change, without one, after a refusal; and until one is lost."""

    changed_s: float = 5.0
    idle_s: float = 60.0
    answer_s: float = 15.0
    refused_s: float = 15.0


@dataclass(frozen=True, slots=True)
class _Asked:
    number: int
    checkpoint: Checkpoint
    at: float


@dataclass(frozen=True, slots=True)
class Fed:
    """How one witness stands: the newest size it cosigned (-1: none), when (Unix time), its last refusal."""

    witness: str
    size: int
    time_s: int
    refusal: str


class Feeder:
    """One log, one witness. Thread-safe."""

    def __init__(
        self,
        log: AuditLog,
        name: str,
        keys: Callable[[], Sequence[NoteVerifier]],
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys` are the cosignature keys (type 04) accepted from the witness called `name`."""
        self._log, self._name, self._keys = log, name, keys
        self._pace, self._clock = pace, clock
        self._lock = threading.Lock()
        self._asked: _Asked | None = None
        self._count = 0
        self._held = 0
        self._last = -math.inf
        self._fed = Fed(name, -1, 0, "")

    @property
    def state(self) -> Fed:
        return self._fed

    def due(self) -> bool:
        """Whether it is time to ask."""
        now, fed = self._clock(), self._fed
        if self.is_waiting():
            return False
        if fed.refusal:
            return now - self._last >= self._pace.refused_s
        is_changed = self._log.size != fed.size
        return now - self._last >= (self._pace.changed_s if is_changed else self._pace.idle_s)

    def is_waiting(self) -> bool:
        """Whether a question is on its way and not lost yet."""
        asked = self._asked
        return asked is not None and self._clock() - asked.at < self._pace.answer_s

    def hurry(self) -> None:
        """Ask at the next opportunity: the line is new."""
        with self._lock:
            self._asked, self._last = None, -math.inf

    def request(self, note: str = "") -> tuple[int, bytes]:
        """The number and body of a question about a checkpoint of the log, the newest unless given.

        Raises: StorageError.
        """
        note = note or self._log.checkpoint()
        checkpoint = Checkpoint.parse(split_note(note)[0])
        with self._lock:
            self._count += 1
            self._asked = _Asked(self._count, checkpoint, self._clock())
            old = min(self._held, checkpoint.size)
        proof = self._log.consistency_proof(old, checkpoint.size) if 0 < old < checkpoint.size else []
        return self._count, Request(old, tuple(proof), note).body()

    def answered(self, number: int, answer: Answer) -> bool:
        """Take an answer in; gives whether to ask again at once. Answers to older questions are ignored.

        Raises: VerificationError if a cosignature or a held checkpoint is not what it claims to be;
        StorageError.
        """
        with self._lock:
            asked, self._asked = self._asked, None
            if asked is None or asked.number != number:
                self._asked = asked
                return False
            self._last = self._clock()
        if answer.status == OK:
            self._take(asked, answer.body)
        elif answer.status == CONFLICT:
            return self._resume(asked, answer)
        else:
            self._refused(f"{answer.status} {answer.body.strip()[:100]}")
        return False

    def _take(self, asked: _Asked, body: str) -> None:
        line, time_s = self._read(asked.checkpoint.text(), body)
        self._log.add_cosignatures([cosignature(asked.checkpoint.size, line)])
        with self._lock:
            self._held = asked.checkpoint.size
            self._fed = Fed(self._name, asked.checkpoint.size, time_s, "")

    def _read(self, text: str, body: str) -> tuple[str, int]:
        for key in self._keys():
            try:
                return read_answer(text, body, key)
            except VerificationError:
                continue
        raise VerificationError(f"the answer holds no valid cosignature of {self._name}", step="witness")

    def _resume(self, asked: _Asked, answer: Answer) -> bool:
        """Go on from where the witness is, if that is in our past; else stop the log."""
        if answer.held:
            if self._log.stop_signing(answer.held):
                return False
            size = Checkpoint.parse(split_note(answer.held)[0]).size
        elif not answer.body.strip().isdigit():
            self._refused("409 without a size")
            return False
        else:
            size = int(answer.body)
        if size > self._log.size:
            self._log.halt(f"the witness {self._name} says that it holds {size} entries")
            return False
        if not answer.held and size == self._held and size == asked.checkpoint.size:
            self._log.halt(f"the witness {self._name} holds another tree of {size} entries")
            return False
        with self._lock:
            is_new, self._held = size != self._held, size
        if not is_new:
            self._refused(f"409 {size}")
        return is_new

    def _refused(self, why: str) -> None:
        with self._lock:
            self._fed = Fed(self._name, self._fed.size, self._fed.time_s, why)
