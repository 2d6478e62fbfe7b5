"""How a row's gradient, hessian and event stand in one plaintext, and how their sums come back.

    | gradient, signed | hessian | event |        one slot; events only where a minimum of them is asked for

Sums over rows are sums field by field. A slot's sum may be negative, so half a slot is added, under
encryption, before slots are packed side by side; it is taken off again after decryption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saferoom.arrays import I64


@dataclass(frozen=True, slots=True)
class SumLayout:
    """Bits of the three fields; `events` is 0 where events are not counted."""

    gradient: int
    hessian: int
    events: int

    @classmethod
    def of(cls, rows: int, largest: int, *, events: bool) -> SumLayout:
        """For sums of up to `rows` rows, whose gradients and hessians are at most `largest` in size."""
        bits = (rows * largest).bit_length()
        return cls(bits + 1, bits, rows.bit_length() if events else 0)

    @property
    def slot_bits(self) -> int:
        return self.gradient + self.hessian + self.events

    @property
    def offset(self) -> int:
        """Added to a slot's sum to make it positive."""
        return 1 << (self.slot_bits - 1)

    def pack(self, rows: I64) -> list[int]:
        """(n, 3) gradients, hessians, events -> n plaintexts, some of them negative."""
        up, over = self.hessian + self.events, self.events
        if over:
            return [(g << up) + (h << over) + e for g, h, e in rows.tolist()]
        return [(g << up) + h for g, h, _ in rows.tolist()]

    def unpack(self, slots: Sequence[int]) -> I64:
        """n sums, offset added -> (n, 3); events are 0 where they are not counted."""
        up, over, offset = self.hessian + self.events, self.events, self.offset
        low, event = (1 << self.hessian) - 1, (1 << over) - 1
        found = [
            ((slot - offset) >> up, ((slot - offset) >> over) & low, (slot - offset) & event)
            for slot in slots
        ]
        return np.array(found, dtype=np.int64).reshape(-1, 3)
