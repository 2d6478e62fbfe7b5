"""The sending half of a flow: messages become sealed frames, frames stay until they are acknowledged.

    messages, unsealed  ──fragment──  under way: sealed, in order, at most one window
                                      ^ first unacknowledged   ^ cursor: next to be handed over

Going back means setting the cursor to the first unacknowledged frame. Messages are cut lazily from the
buffers they were given as; only what is under way exists as ciphertext.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from saferoom.channel.transport import Buffer
from saferoom.errors import PeerError, UsageError
from saferoom.link.cipher import FlowSealer, SealedFrame
from saferoom.link.frames import OVERHEAD_BYTES, Flag
from saferoom.link.settings import FlowLimits
from saferoom.link.transcript import Transcript, sealed_digest

LENGTH = struct.Struct(">Q")
"""Stands before the first of several fragments: the size of the whole message."""


@dataclass(slots=True)
class _Message:
    parts: deque[memoryview]
    size_bytes: int
    left_bytes: int
    is_mark: bool = False

    @property
    def is_untouched(self) -> bool:
        return self.left_bytes == self.size_bytes

    def needs_length(self, payload_bytes: int) -> bool:
        """Whether the next fragment is the first of several."""
        return self.is_untouched and self.size_bytes > payload_bytes

    def take(self, size: int) -> list[memoryview]:
        """The next `size` bytes as views of the buffers."""
        taken: list[memoryview] = []
        self.left_bytes -= size
        while size:
            part = self.parts.popleft()
            if len(part) > size:
                self.parts.appendleft(part[size:])
                part = part[:size]
            taken.append(part)
            size -= len(part)
        return taken


class OutFlow:
    """Frames for one peer. Not thread-safe; `take` is called by one thread at a time."""

    def __init__(self, sealer: FlowSealer, limits: FlowLimits) -> None:
        self._sealer = sealer
        self._window_bytes = limits.window_bytes
        self._payload_bytes = limits.frame_bytes - OVERHEAD_BYTES
        self._messages: deque[_Message] = deque()
        self._under_way: deque[SealedFrame] = deque()
        self._cursor = 0
        self.transcript = Transcript()
        self.under_way_bytes = 0
        self.unsealed_bytes = 0

    @property
    def next_sequence(self) -> int:
        return self._sealer.next_sequence

    @property
    def is_sealed(self) -> bool:
        """Whether every message handed in is under way or taken. An empty one has no bytes to tell by."""
        return not self._messages

    @property
    def is_taken(self) -> bool:
        """Whether the peer has acknowledged every message handed in."""
        return not self._messages and not self._under_way

    @property
    def outstanding_bytes(self) -> int:
        """Bytes handed in that the peer has not acknowledged."""
        return self.unsealed_bytes + self.under_way_bytes

    @property
    def has_work(self) -> bool:
        """Whether `take` would give a frame."""
        if self._cursor < len(self._under_way):
            return True
        return bool(self._messages) and self._fits(self._next_size(self._messages[0]))

    def put(self, parts: Sequence[Buffer]) -> None:
        """Queue one message."""
        views = deque(memoryview(part).cast("B") for part in parts if len(part))
        size = sum(len(view) for view in views)
        self._messages.append(_Message(views, size, size))
        self.unsealed_bytes += size

    def put_mark(self, body: bytes) -> None:
        """Queue a mark; its body must fit one frame."""
        if len(body) > self._payload_bytes:
            raise UsageError(f"a mark has at most {self._payload_bytes} bytes")
        self._messages.append(_Message(deque([memoryview(body)]), len(body), len(body), is_mark=True))
        self.unsealed_bytes += len(body)

    def take(self) -> SealedFrame | None:
        """The next frame to hand over: one to be sent again, or a new one if the window has room."""
        if self._cursor < len(self._under_way):
            self._cursor += 1
            return self._under_way[self._cursor - 1]
        if not self._messages:
            return None
        size = self._next_size(self._messages[0])
        return self._seal_next(size) if self._fits(size) else None

    def acknowledge(self, below: int) -> bool:
        """Forget the frames below this number; whether there were any. Raises PeerError if never sent."""
        if below > self.next_sequence:
            raise PeerError(f"frame {below} was acknowledged; {self.next_sequence} were sent")
        before = len(self._under_way)
        while self._under_way and self._under_way[0].sequence < below:
            self.under_way_bytes -= self._under_way.popleft().size_bytes
            self._cursor = max(0, self._cursor - 1)
        return len(self._under_way) < before

    def go_back(self) -> None:
        """Hand over everything unacknowledged again."""
        self._cursor = 0

    def oldest(self) -> SealedFrame | None:
        """The first unacknowledged frame."""
        return self._under_way[0] if self._under_way else None

    def _next_size(self, message: _Message) -> int:
        """Payload of the message's next fragment, the length before a first one included."""
        prefix = LENGTH.size if message.needs_length(self._payload_bytes) else 0
        return min(message.left_bytes + prefix, self._payload_bytes)

    def _fits(self, payload_bytes: int) -> bool:
        size = payload_bytes + OVERHEAD_BYTES
        return not self.under_way_bytes or self.under_way_bytes + size <= self._window_bytes

    def _seal_next(self, payload_bytes: int) -> SealedFrame:
        message = self._messages[0]
        flags = Flag.FIRST if message.is_untouched else Flag.NONE
        flags |= Flag.MARK if message.is_mark else Flag.NONE
        prefix = LENGTH.pack(message.size_bytes) if message.needs_length(self._payload_bytes) else b""
        views = message.take(payload_bytes - len(prefix))
        if not message.left_bytes:
            flags |= Flag.LAST
            self._messages.popleft()
        fragment: Buffer = views[0] if len(views) == 1 and not prefix else b"".join([prefix, *views])
        frame = self._sealer.seal(fragment, flags)
        self.transcript.add(flags, frame.size_bytes, sealed_digest(frame.head, frame.body))
        self._under_way.append(frame)
        self._cursor += 1
        self.unsealed_bytes -= payload_bytes - len(prefix)
        self.under_way_bytes += frame.size_bytes
        return frame
