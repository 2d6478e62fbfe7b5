"""What the relay saw pass: one chain a flow of every job under way, cut where the senders set their marks.

    open(job)    the coordinator has offered it: its frames may pass between its endpoints
    add(frame)   whether it may; if so it is booked, once, in the order of its number
    knows(frame) whether a frame that carries no data may pass: an acknowledgement, an end
    take()       cuts that are due to be logged
    close(job)   over: the rest as a last cut, and no more frames

Frames of a job that is not under way are not passed on, and refused aloud: somebody replays what was
recorded, or means another room. Only in the first moments after a job's end they are dropped in silence.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import permutations

from saferoom.link.frames import Flag, FrameHeader
from saferoom.link.settings import WINDOW_BYTES
from saferoom.link.transcript import Said, Transcript

STRAGGLERS_S = 30.0
CLOSED_KEPT = 1024
EARLY_KEPT = 65_536
"""Frames of one flow that may be held for one before them: a window of the smallest ones, and more."""
RECENT_BYTES = 2 * WINDOW_BYTES
"""Frames that may be sent again: those of the last windows, whose digests are kept."""
_PREFIX = 16

NO_PART = "it sent frames of a job that it has no part in now"
TWO_UNDER_ONE = "it sent two different frames under one number"
TOO_FAR = "it sent frames further ahead or back than a window"

Job = tuple[bytes, int]
Ends = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FlowCut:
    """What passed from `sender` to `receiver` in a job up to mark `number`, or to the job's end."""

    job_id: str
    sender: str
    receiver: str
    number: int
    said: Said
    is_rest: bool = False


@dataclass(slots=True)
class _Flow:
    transcript: Transcript = field(default_factory=Transcript)
    expected: int = 0
    cuts: int = 0
    last: Said = field(default_factory=Said)
    early: dict[int, tuple[Flag, int, bytes]] = field(default_factory=dict)
    recent: OrderedDict[int, tuple[int, bytes]] = field(default_factory=OrderedDict)
    recent_bytes: int = 0


class FlowBook:
    """Thread-safe. `on_refused(sender, reason)`, set by the relay, is called once a sender, job and reason.

    A sender that puts two different frames under one number is refused the second: what was booked stays.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[Job, dict[Ends, _Flow]] = {}
        self._closed: OrderedDict[Job, float] = OrderedDict()
        self._refused: OrderedDict[tuple[str, Job, str], None] = OrderedDict()
        self._due: list[FlowCut] = []
        self.on_refused: Callable[[str, str], None] = lambda sender, reason: None

    def open(self, job_id: str, session: int, endpoints: Iterable[str]) -> None:
        """Frames of this job may pass from now on. `job_id` in hexadecimal."""
        with self._lock:
            flows = {ends: _Flow() for ends in permutations(endpoints, 2)}
            self._jobs[bytes.fromhex(job_id), session] = flows

    def close(self, job_id: str, session: int) -> list[FlowCut]:
        """The job is over: its cuts that are still due, and what passed after the last marks."""
        job = (bytes.fromhex(job_id), session)
        with self._lock:
            for ends, flow in self._jobs.pop(job, {}).items():
                self._cut(job, ends, flow, is_rest=True)
            self._closed[job] = self._clock()
            while len(self._closed) > CLOSED_KEPT:
                self._closed.popitem(last=False)
            mine = [cut for cut in self._due if cut.job_id == job_id]
            self._due = [cut for cut in self._due if cut.job_id != job_id]
        return mine

    def take(self) -> list[FlowCut]:
        """The cuts made since the last call."""
        with self._lock:
            due, self._due = self._due, []
        return due

    def add(self, header: FrameHeader, size_bytes: int, digest: bytes) -> bool:
        """Book a data frame that is about to pass; False if it may not."""
        job = (header.job_id, header.session)
        with self._lock:
            flow = self._jobs.get(job, {}).get((header.sender, header.receiver))
            reason = NO_PART if flow is None else self._book(job, flow, header, size_bytes, digest)
            must_say = reason and self._must_say(header.sender, job, reason)
        if must_say:
            self.on_refused(header.sender, reason)
        return not reason

    def knows(self, header: FrameHeader) -> bool:
        """Whether a frame without data may pass: its job is under way between its two ends."""
        with self._lock:
            ends = (header.sender, header.receiver)
            return ends in self._jobs.get((header.job_id, header.session), {})

    def _book(self, job: Job, flow: _Flow, header: FrameHeader, size_bytes: int, digest: bytes) -> str:
        """Why it may not pass, if so: what was booked under a number stays, and nothing passes unbooked."""
        number = header.sequence
        if number < flow.expected:
            booked = flow.recent.get(number)
            if booked is None:
                return TOO_FAR
            return "" if booked[1] == digest[:_PREFIX] else TWO_UNDER_ONE
        if number in flow.early:
            return "" if flow.early[number][2] == digest else TWO_UNDER_ONE
        if number > flow.expected and len(flow.early) >= EARLY_KEPT:
            return TOO_FAR
        flow.early[number] = (header.flags, size_bytes, digest)
        while (frame := flow.early.pop(flow.expected, None)) is not None:
            if frame[0] & Flag.MARK:
                self._cut(job, (header.sender, header.receiver), flow)
            flow.transcript.add(*frame)
            self._remember(flow, frame[1], frame[2])
            flow.expected += 1
        return ""

    def _remember(self, flow: _Flow, size_bytes: int, digest: bytes) -> None:
        flow.recent[flow.expected] = (size_bytes, digest[:_PREFIX])
        flow.recent_bytes += size_bytes
        while flow.recent_bytes > RECENT_BYTES:
            flow.recent_bytes -= flow.recent.popitem(last=False)[1][0]

    def _cut(self, job: Job, ends: Ends, flow: _Flow, *, is_rest: bool = False) -> None:
        said = flow.transcript.said()
        if said.messages > flow.last.messages:
            self._due.append(FlowCut(job[0].hex(), *ends, flow.cuts, said, is_rest))
            flow.cuts, flow.last = flow.cuts + 1, said

    def _must_say(self, sender: str, job: Job, reason: str) -> bool:
        closed_at = self._closed.get(job)
        is_straggler = closed_at is not None and self._clock() - closed_at < STRAGGLERS_S
        if is_straggler or (sender, job, reason) in self._refused:
            return False
        self._refused[sender, job, reason] = None
        while len(self._refused) > CLOSED_KEPT:
            self._refused.popitem(last=False)
        return True
