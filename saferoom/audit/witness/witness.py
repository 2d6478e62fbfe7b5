"""A witness: cosigns a log's checkpoint if it continues what it cosigned before, and remembers first.

    add-checkpoint      old <size>              the size the asker believes the witness holds
                        <base64 hash>           consistency proof, at most 63 lines
                        <empty line>
                        <signed checkpoint>

    200   the witness's cosignature lines            403   no trusted key of this log signed it
    400   malformed, or old is above the size        404   a log that this witness does not know
    409   old is not what the witness holds (the body says what), or same size with another root
    422   the proof does not show that history was kept

A checkpoint validly signed by the log with another root than one cosigned before at that size is an alarm:
both signed notes are kept, and together prove the fork to anybody who has the log's key. So is a 422.

Source: c2sp.org/tlog-witness, c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from saferoom.audit.formats.note import (
    MAX_NOTE_BYTES,
    NoteSigner,
    NoteVerifier,
    parse_signature_line,
    split_note,
)
from saferoom.audit.witness.memory import Alarm, Held, WitnessStore
from saferoom.errors import VerificationError

MAX_PROOF = 63
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + MAX_PROOF * 50 + 100
OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROVED = 200, 400, 403, 404, 409, 422

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_STEP = "witness"

KnownLogs = Callable[[str], Sequence[NoteVerifier]]
"""The keys a witness accepts for an origin; none: it does not know the log."""


@dataclass(frozen=True, slots=True)
class Request:
    """What `add-checkpoint` carries."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def body(self) -> bytes:
        """As it is sent."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof), "", self.note]
        return "\n".join(lines).encode()

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """Read what was sent. Raises: VerificationError."""
        try:
            head, blank, note = body.decode().partition("\n\n")
            first, *proof = head.split("\n")
            nodes = tuple(base64.b64decode(line, validate=True) for line in proof)
        except ValueError as exc:
            raise VerificationError(
                "the request is not text of old, proof and checkpoint", step=_STEP
            ) from exc
        old = _OLD.fullmatch(first)
        if not blank or old is None or len(nodes) > MAX_PROOF:
            raise VerificationError("the request is not old, proof, blank line and checkpoint", step=_STEP)
        if any(len(node) != HASH_BYTES for node in nodes):
            raise VerificationError("a hash of the proof has not 32 bytes", step=_STEP)
        return cls(int(old[1]), nodes, note)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status of the list above and its body.

    `held`: the note that a 409 speaks of, for askers over the link; the public protocol has no place for it.
    """

    status: int
    body: str = ""
    held: str = ""


def trust(keys: Iterable[NoteVerifier]) -> KnownLogs:
    """Known logs from a fixed list of keys, each named like its log's origin."""
    by_origin: dict[str, list[NoteVerifier]] = {}
    for key in keys:
        by_origin.setdefault(key.name, []).append(key)
    return lambda origin: by_origin.get(origin, [])


class Witness:
    """One witness. Thread-safe."""

    def __init__(
        self,
        store: WitnessStore,
        signer: NoteSigner,
        known_logs: KnownLogs,
        *,
        on_alarm: Callable[[Alarm], None] = lambda alarm: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`signer` is of type 04. `on_alarm` is called once for each new alarm, after it is kept."""
        self.store = store
        self.verifier = signer.verifier
        self._signer = signer
        self._known_logs = known_logs
        self._on_alarm = on_alarm
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request.

        Raises: StorageError if the memory cannot be written: then nothing is signed.
        """
        try:
            request = Request.parse(body)
            checkpoint = Checkpoint.parse(split_note(request.note)[0])
        except VerificationError as exc:
            return Answer(BAD_REQUEST, exc.message + "\n")
        keys = self._known_logs(checkpoint.origin)
        if not keys:
            return Answer(NOT_FOUND, "this witness does not know that log\n")
        try:
            open_checkpoint(request.note, keys)
        except VerificationError as exc:
            return Answer(FORBIDDEN, exc.message + "\n")
        if request.old > checkpoint.size:
            return Answer(BAD_REQUEST, "the old size is above the checkpoint's\n")
        return self._decide(request, checkpoint)

    def _decide(self, request: Request, checkpoint: Checkpoint) -> Answer:
        """Compare and persist in one transaction; sign only what is on the disk."""
        with self.store.deciding():
            held = self.store.held(checkpoint.origin)
            refusal = self._objection(request, checkpoint, held)
            alarm = self._alarm(request, checkpoint, refusal)
            is_new = alarm is not None and self.store.put_alarm(alarm)
            if refusal is None:
                self.store.put(checkpoint, request.note)
        if alarm is not None and is_new:
            self._on_alarm(alarm)
        if refusal is not None:
            return refusal
        return Answer(OK, self._signer.signature_line(checkpoint.text(), time_s=int(self._clock())))

    def _alarm(self, request: Request, checkpoint: Checkpoint, refusal: Answer | None) -> Alarm | None:
        """What is to be kept of a refused checkpoint: a fork, or history that could not be shown to be kept.

        Only the first is a proof by itself: whoever passes a request on can spoil its proof.
        """
        known = self.store.known(checkpoint.origin, checkpoint.size)
        if known is not None and known.checkpoint.root != checkpoint.root:
            what = f"two signed trees of {checkpoint.size} entries"
        elif refusal is not None and refusal.status == UNPROVED:
            known = self.store.held(checkpoint.origin)
            what = f"a signed tree of {checkpoint.size} entries that was not shown to continue the one before"
        else:
            return None
        return Alarm(self._clock(), checkpoint.origin, what, known.note if known else "", request.note)

    @staticmethod
    def _objection(request: Request, checkpoint: Checkpoint, held: Held | None) -> Answer | None:
        size = held.checkpoint.size if held else 0
        conflict = Answer(CONFLICT, f"{size}\n", held.note if held else "")
        if request.old != size:
            return conflict
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            return Answer(UNPROVED, "the root of nothing is another\n")
        if held is None or size == 0:
            return Answer(UNPROVED, "a proof from nothing is empty\n") if request.proof else None
        if checkpoint.size == size and checkpoint.root != held.checkpoint.root:
            return conflict
        try:
            verify_consistency(size, checkpoint.size, request.proof, held.checkpoint.root, checkpoint.root)
        except VerificationError as exc:
            return Answer(UNPROVED, exc.message + "\n")
        return None


@dataclass(frozen=True, slots=True)
class Fork:
    """A proven fork: the log `origin` signed two trees of `size` entries."""

    origin: str
    size: int
    roots: tuple[str, str]


def check_fork(held: str, offered: str, keys: Sequence[NoteVerifier]) -> Fork:
    """Check a portable proof of misbehaviour with nothing but the log's key.

    Raises: VerificationError unless both notes are signed by the log and contradict each other.
    """
    first, second = open_checkpoint(held, keys), open_checkpoint(offered, keys)
    if (first.origin, first.size) != (second.origin, second.size) or first.root == second.root:
        raise VerificationError(
            "the two checkpoints do not contradict each other",
            step="check a fork",
            remedy="two trees of one log and one size, with different roots, prove a fork",
        )
    return Fork(first.origin, first.size, (first.root.hex(), second.root.hex()))


def read_answer(text: str, body: str, witness: NoteVerifier) -> tuple[str, int]:
    """The cosignature line of `witness` in the body of a 200, and its time in seconds.

    Raises: VerificationError if there is none or it is wrong.
    """
    for line in body.splitlines():
        name, key_id, signature = parse_signature_line(line)
        if (name, key_id) == (witness.name, witness.key_id):
            time_s = witness.check(text, signature)
            if time_s is not None:
                return line, time_s
    raise VerificationError(f"the answer holds no cosignature of {witness.name}", step=_STEP)
