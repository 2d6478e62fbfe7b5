"""A rate that nobody outside can exceed: a token bucket."""

from __future__ import annotations

import time
from collections.abc import Callable


class Allowance:
    """`burst` at once, and `per_s` every second after. Not thread-safe."""

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._left, self._at = burst, clock()

    def take(self, amount: float = 1.0) -> bool:
        """Use up `amount` if that much is left; whether it was."""
        self._refill()
        if self._left < amount:
            return False
        self._left -= amount
        return True

    def owe(self, amount: float = 1.0) -> float:
        """Use up `amount` in any case; the seconds to wait until the debt is paid, 0 if there is none."""
        self._refill()
        self._left -= amount
        return max(0.0, -self._left / self._per_s)

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
