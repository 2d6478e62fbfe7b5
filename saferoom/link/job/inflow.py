"""The receiving half of a flow: frames in any order become whole messages in the order they were sent.

A small frame may overtake a bulk one, because they travel on different streams; it waits here until the
gap is filled. What waits never exceeds one window. Frames that came before are dropped.
"""

from __future__ import annotations

import numpy as np

from saferoom.channel.transport import Buffer
from saferoom.errors import PeerError
from saferoom.link.cipher import FlowOpener
from saferoom.link.frames import Flag, FrameHeader
from saferoom.link.job.outflow import LENGTH
from saferoom.link.settings import FlowLimits
from saferoom.link.transcript import Mark, Transcript, frame_digest


class InFlow:
    """Frames from one peer. Used by one thread."""

    def __init__(self, opener: FlowOpener, peer: str, limits: FlowLimits) -> None:
        self._opener = opener
        self._peer = peer
        self._limits = limits
        self._early: dict[int, tuple[Flag, bytes]] = {}
        self._early_bytes = 0
        self._partial: memoryview | None = None
        self._filled = 0
        self.expected = 0
        self.transcript = Transcript()
        self._marks: list[Mark] = []

    def accept(self, header: FrameHeader, frame: bytes) -> list[Buffer] | None:
        """The messages this frame completes, in order; None if the frame is an old one.

        Raises VerificationError if a frame does not open, PeerError if it breaks the window or the format.
        """
        if header.sequence < self.expected or header.sequence in self._early:
            return None
        if header.sequence > self.expected:
            self._hold(header, frame)
            return []
        messages: list[Buffer] = []
        self._open(header.sequence, header.flags, frame, messages)
        while self.expected in self._early:
            flags, held = self._early.pop(self.expected)
            self._early_bytes -= len(held)
            self._open(self.expected, flags, held, messages)
        return messages

    def take_marks(self) -> list[Mark]:
        """The marks that came since the last call."""
        taken, self._marks = self._marks, []
        return taken

    def _hold(self, header: FrameHeader, frame: bytes) -> None:
        if self._early_bytes + len(frame) > self._limits.window_bytes:
            raise PeerError(
                f"more than {self._limits.window_bytes} bytes were sent ahead of frame {self.expected}",
                party=self._peer,
            )
        self._early[header.sequence] = (header.flags, frame)
        self._early_bytes += len(frame)

    def _open(self, sequence: int, flags: Flag, frame: bytes, messages: list[Buffer]) -> None:
        fragment = self._opener.open(frame, sequence)
        self.expected += 1
        said = self.transcript.said()
        self.transcript.add(flags, len(frame), frame_digest(frame))
        if bool(flags & Flag.FIRST) != (self._partial is None):
            raise PeerError("fragments of two messages are mixed", party=self._peer)
        if flags & Flag.FIRST and flags & Flag.LAST:
            if flags & Flag.MARK:
                self._marks.append(Mark(said, fragment))
            else:
                messages.append(fragment)
            return
        if flags & Flag.MARK:
            raise PeerError("a mark is one frame", party=self._peer)
        data: Buffer = fragment
        if self._partial is None:
            data = self._begin(fragment)
        self._fill(data, is_last=bool(flags & Flag.LAST), messages=messages)

    def _begin(self, fragment: bytes) -> memoryview:
        if len(fragment) < LENGTH.size:
            raise PeerError("a first fragment without a length", party=self._peer)
        (size,) = LENGTH.unpack_from(fragment)
        if size > self._limits.inbox_cap_bytes:
            raise PeerError(
                f"a message of {size} bytes; the inbox holds {self._limits.inbox_cap_bytes}", party=self._peer
            )
        # numpy asks for huge pages and does not clear them: a bytearray takes several times as long.
        self._partial = np.empty(size, dtype=np.uint8).data
        self._filled = 0
        return memoryview(fragment)[LENGTH.size :]

    def _fill(self, data: Buffer, *, is_last: bool, messages: list[Buffer]) -> None:
        partial = self._partial
        end = self._filled + len(data)
        if partial is None or end > len(partial) or is_last != (end == len(partial)):
            raise PeerError("fragments that do not add up to their message", party=self._peer)
        partial[self._filled : end] = data
        self._filled = end
        if is_last:
            messages.append(partial.toreadonly())
            self._partial = None
