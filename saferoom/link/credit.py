"""Credit: how much of whose traffic waits in a queue, and the line past which the sender is cut off."""

from __future__ import annotations

from collections import defaultdict

from saferoom.errors import PeerError
from saferoom.link.frames import FLOW

FRAME_COST_BYTES = 400
"""Memory that a waiting frame takes beside its bytes. Counted towards the total: small ones are not free."""


class CreditError(PeerError):
    """A sender went on past its credit."""


class CreditMeter:
    """Counts the bytes waiting per flow, and the memory they take in all. Not thread-safe."""

    def __init__(self, flow_bytes: int, total_bytes: int) -> None:
        self._flow_bytes = flow_bytes
        self._total_bytes = total_bytes
        self._flows: defaultdict[bytes, int] = defaultdict(int)
        self.total = 0

    def add(self, frame: bytes) -> None:
        """Count a frame in. Raises CreditError, counting nothing, if it is over its credit."""
        flow = frame[FLOW]
        size = len(frame)
        cost = size + FRAME_COST_BYTES
        if self._flows.get(flow, 0) + size > self._flow_bytes or self.total + cost > self._total_bytes:
            raise CreditError(
                f"more than {self._flow_bytes} bytes of one flow, or {self._total_bytes} in all, "
                "were sent without an acknowledgement"
            )
        self._flows[flow] += size
        self.total += cost

    def remove(self, frame: bytes) -> None:
        """Count a frame out: it has been passed on or dropped."""
        flow = frame[FLOW]
        left = self._flows[flow] - len(frame)
        self.total -= len(frame) + FRAME_COST_BYTES
        if left > 0:
            self._flows[flow] = left
        else:
            del self._flows[flow]
