"""The two flows between a job and one peer, and what is due on them. No threads, no I/O, no clock.

A received frame is acknowledged on the next frame of ours, alone after 20 ms, or at once after a quarter
of a window. What is not acknowledged is sent again when a link comes up and when the peer asks (`RESEND`).
That covers whatever breaks. For frames lost in silence the oldest one is sent again when nothing was
acknowledged for twice as long as usual: one only, because on a slow line frames are late, not lost.

A notice every `alive_every_s` says that the process is alive: who computes for long is not dead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from saferoom.channel.transport import Buffer
from saferoom.errors import CancelledError, PeerError, PeerFailedError
from saferoom.link.cipher import FlowKeys, FlowOpener, FlowSealer
from saferoom.link.frames import Flag, FrameHeader, Kind, Reason
from saferoom.link.job.inflow import InFlow
from saferoom.link.job.outflow import OutFlow
from saferoom.link.settings import FlowLimits
from saferoom.link.transcript import Mark, Said

_MAX_RESEND_WAIT_S = 30.0
FrameParts = tuple[bytes, bytes]


class Conversation:
    """One peer, seen from a job. Not thread-safe. Times are seconds of any steady clock."""

    def __init__(
        self, me: str, peer: str, job: tuple[bytes, int], keys: FlowKeys, limits: FlowLimits
    ) -> None:
        job_id, session = job
        self.peer = peer
        self.inbox: deque[Buffer] = deque()
        self.marks: deque[Mark] = deque()
        self.heard_at = 0.0
        """When the last frame of the peer came, of whatever kind."""
        self.out = OutFlow(FlowSealer(keys.send, job_id, session, me, peer), limits)
        self._me = me
        self._job = job
        self._into = InFlow(FlowOpener(keys.receive, session, peer), peer, limits)
        self._limits = limits
        self._unread_bytes = 0
        self._published = 0
        self._unacknowledged_bytes = 0
        self._acknowledge_at: float | None = None
        self._resend_at: float | None = None
        self._resend_wait_s = limits.resend_after_s
        self._progress_at = 0.0
        self._has_resent = False
        self._peer_closed_at: int | None = None
        self._alive_at: float | None = None

    # -- the protocol's side ---------------------------------------------------------------------

    def put(self, parts: Sequence[Buffer]) -> None:
        """Queue one message."""
        self.out.put(parts)

    def put_mark(self, body: bytes) -> None:
        """Cut the flow's transcript here, with something to say to the peer's node."""
        self.out.put_mark(body)

    @property
    def said(self) -> Said | None:
        """What was said to the peer; None while some of it is not sealed yet."""
        return self.out.transcript.said() if self.out.is_sealed else None

    @property
    def heard(self) -> Said:
        """What came from the peer, read or not."""
        return self._into.transcript.said()

    def read(self, now: float) -> Buffer:
        """Take the next message out of the inbox, which must not be empty."""
        message = self.inbox.popleft()
        was_paused = self._is_paused
        self._unread_bytes -= len(message)
        if was_paused and not self._is_paused:
            self._acknowledge_at = now
        return message

    def check_not_ended(self) -> None:
        """Raise PeerError if the peer has ended and nothing more can come, or go."""
        if self._peer_closed_at is None:
            return
        if not self.out.is_taken:
            raise PeerError("the peer ended its part without taking everything", party=self.peer)
        if not (self.inbox or self.marks) and self._into.expected >= self._peer_closed_at:
            raise PeerError("the peer ended its part and sends nothing more", party=self.peer)

    @property
    def unread_bytes(self) -> int:
        return self._unread_bytes

    # -- the wire's side -------------------------------------------------------------------------

    def next_frame(self, now: float) -> FrameParts | None:
        """The next data frame to hand over, with the acknowledgement on it; None if nothing may go."""
        frame = self.out.take()
        if frame is None:
            return None
        if self._resend_at is None:
            self._progress_at = now
            self._resend_at = now + self._resend_wait_s
        self._acknowledged()
        return frame.parts(self._published)

    def notice(self, flags: Flag = Flag.NONE) -> bytes:
        """A frame without a body that says what has arrived and how far we have sent."""
        self._acknowledged()
        return self._bare(Kind.ACKNOWLEDGE, flags=flags)

    def goodbye(self) -> bytes:
        """The last notice: all that arrived is acknowledged, read or not, and nothing more will be sent."""
        self._published = self._into.expected
        return self._bare(Kind.ACKNOWLEDGE, flags=Flag.CLOSED)

    def abort(self, reason: Reason) -> bytes:
        """A frame that ends the conversation without a result."""
        return self._bare(Kind.ABORT, reason=reason)

    def link_is_up(self, now: float) -> bytes:
        """Begin again after a broken link: send everything unacknowledged, and ask the peer for the same."""
        self.out.go_back()
        self._wait_anew(now, self._limits.resend_after_s)
        self._alive_at = now + self._limits.alive_every_s
        return self.notice(Flag.RESEND)

    def on_frame(self, header: FrameHeader, frame: bytes, now: float) -> None:
        """Take in a frame of this peer. Raises what it says or shows has gone wrong."""
        self.heard_at = now
        if header.kind == Kind.ABORT:
            raise _abort_error(header)
        try:
            has_progress = self.out.acknowledge(header.acknowledged)
        except PeerError as error:
            error.party = self.peer
            raise
        if has_progress:
            # After sending again nobody can tell which of the two was acknowledged: keep the longer wait.
            self._wait_anew(now, self._resend_wait_s if self._has_resent else 2 * (now - self._progress_at))
        if header.kind == Kind.DATA:
            self._on_data(header, frame, now)
            return
        if header.flags & Flag.RESEND:
            self.out.go_back()
        if header.flags & Flag.CLOSED:
            self._peer_closed_at = header.sequence

    def must_acknowledge_now(self, now: float) -> bool:
        """Whether an acknowledgement must go out alone."""
        return self._acknowledge_at is not None and (
            self._acknowledge_at <= now or self._unacknowledged_bytes >= self._limits.window_bytes // 4
        )

    def sign_of_life(self, now: float) -> bytes | None:
        """A notice that we are alive, if it is time for one, and the peer has not ended."""
        if self._alive_at is None or now < self._alive_at:
            return None
        self._alive_at = None if self._peer_closed_at is not None else now + self._limits.alive_every_s
        return self.notice() if self._alive_at else None

    def overdue_frame(self, now: float) -> FrameParts | None:
        """The oldest unacknowledged frame, if it is time to send it again. The wait doubles each time."""
        if self._resend_at is None or now < self._resend_at:
            return None
        oldest = self.out.oldest()
        if oldest is None:
            self._resend_at = None
            return None
        self._resend_wait_s = min(2 * self._resend_wait_s, _MAX_RESEND_WAIT_S)
        self._resend_at = now + self._resend_wait_s
        self._has_resent = True
        return oldest.parts(self._published)

    def next_deadline(self) -> float | None:
        """When `must_acknowledge_now`, `overdue_frame` or `sign_of_life` will next have something."""
        times = [at for at in (self._acknowledge_at, self._resend_at, self._alive_at) if at is not None]
        return min(times, default=None)

    # -- inside ----------------------------------------------------------------------------------

    @property
    def _is_paused(self) -> bool:
        return self._unread_bytes > self._limits.inbox_pause_bytes

    def _on_data(self, header: FrameHeader, frame: bytes, now: float) -> None:
        messages = self._into.accept(header, frame)
        if messages is None:
            self._acknowledge_at = now
            return
        self.inbox.extend(messages)
        self.marks.extend(self._into.take_marks())
        self._unread_bytes += sum(len(message) for message in messages)
        self._unacknowledged_bytes += len(frame)
        if self._acknowledge_at is None and not self._is_paused:
            self._acknowledge_at = now + self._limits.acknowledge_after_s

    def _acknowledged(self) -> None:
        if not self._is_paused:
            self._published = self._into.expected
        self._unacknowledged_bytes = 0
        self._acknowledge_at = None

    def _wait_anew(self, now: float, wait_s: float) -> None:
        self._progress_at = now
        self._has_resent = False
        self._resend_wait_s = min(max(wait_s, self._limits.resend_after_s), _MAX_RESEND_WAIT_S)
        self._resend_at = now + self._resend_wait_s if self.out.oldest() else None

    def _bare(self, kind: Kind, flags: Flag = Flag.NONE, reason: Reason = Reason.NONE) -> bytes:
        return FrameHeader(
            kind,
            *self._job,
            self._me,
            self.peer,
            sequence=self.out.next_sequence,
            acknowledged=self._published,
            flags=flags,
            reason=reason,
        ).pack()


def _abort_error(header: FrameHeader) -> PeerError:
    if header.reason == Reason.CANCELLED:
        return CancelledError("the job was cancelled there", party=header.sender)
    if header.reason == Reason.UNKNOWN_JOB:
        return PeerError(
            "that node does not know this job",
            party=header.sender,
            remedy="look there whether the job was refused or the node was set up anew",
        )
    return PeerFailedError(
        "the job failed there", party=header.sender, remedy="look at that node's own message"
    )
