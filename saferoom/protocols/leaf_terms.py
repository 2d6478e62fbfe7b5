"""What all ends of a sum of leaves know: how many rows and leaves, who holds what, and the steps of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Bits
from saferoom.channel.session import Session
from saferoom.errors import UsageError
from saferoom.protocols.randomness import Group

CHUNK_CELLS = 1 << 21
"""Rows times leaves of one step: 8 MB of words, and a few times that in memory."""


@dataclass(frozen=True, slots=True)
class LeafTerms:
    """What all ends know."""

    rows: int
    leaves: int
    label_holder: str
    feature_holders: Group

    @classmethod
    def of(cls, s: Session, rows: int, leaves: int, label_holder: str) -> LeafTerms:
        holders = tuple(party for party in s.parties if party != label_holder)
        if label_holder not in s.parties or not holders:
            raise UsageError("leaves are summed by a label holder and feature holders", party=label_holder)
        return cls(rows, leaves, label_holder, holders)

    def sizes(self, s: Session) -> NDArray[np.uint64]:
        """What all must agree on."""
        return np.array([self.rows, self.leaves, s.parties.index(self.label_holder)], dtype=np.uint64)

    def chunks(self) -> list[slice]:
        """Rows of one step each: a multiple of eight, at least one step."""
        step = max(8, CHUNK_CELLS // max(self.leaves, 1) // 8 * 8)
        return [slice(at, min(at + step, self.rows)) for at in range(0, max(self.rows, 1), step)]

    def shape(self, chunk: slice) -> tuple[int, int]:
        return chunk.stop - chunk.start, self.leaves

    def size_bytes(self, chunk: slice) -> int:
        """Of the chunk's bits, packed."""
        rows, leaves = self.shape(chunk)
        return -(-rows * leaves // 8)

    def unpack(self, bits: Bits, chunk: slice) -> Bits:
        """0 and 1, a byte each."""
        return unpacked_bits(bits, *self.shape(chunk))


def unpacked_bits(bits: Bits, rows: int, leaves: int) -> Bits:
    """Packed bits as 0 and 1, a byte each."""
    return np.unpackbits(bits, count=rows * leaves).reshape(rows, leaves)
