"""Which training rows each node of a growing tree holds: known to every party.

Nodes are numbered as in a heap: the root is 0, the children of v are 2v + 1 (left) and 2v + 2 (right).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Mask: TypeAlias = NDArray[np.bool_]

ROOT = 0


def parent_of(pair: tuple[int, ...]) -> int:
    """The node that siblings were split from; of the root, which has none, itself."""
    return max((pair[0] - 1) // 2, ROOT)


class NodeRows:
    """The nodes of the level that is being split, and their rows; leaves that were left behind besides.

    `summed` (rows,) says which training rows this tree is grown on; the others only fall through it.
    `covers`: how many training rows each node holds.
    """

    def __init__(self, summed: Mask) -> None:
        self.is_summed = summed
        self.level: dict[int, Rows] = {ROOT: np.arange(len(summed), dtype=np.int32)}
        self.leaves: dict[int, Rows] = {}
        self.covers: dict[int, int] = {ROOT: len(summed)}

    def summed(self, node: int) -> Rows:
        """The rows of a node of this level that are summed."""
        rows = self.level[node]
        return rows[self.is_summed[rows]]

    @property
    def size(self) -> int:
        """All training rows."""
        return len(self.is_summed)

    def smaller(self, pair: tuple[int, ...]) -> int:
        """The sibling that is added up: the one with fewer summed rows, the left one if they are equal."""
        return min(pair, key=lambda node: (len(self.summed(node)), node))

    def children(self, node: int, left: Mask) -> tuple[int, int]:
        """Summed rows of the children that a node would have."""
        summed = self.is_summed[self.level[node]]
        on_left = int(np.count_nonzero(summed & left))
        return on_left, int(np.count_nonzero(summed)) - on_left

    def pairs(self, minimum: int) -> list[tuple[int, ...]]:
        """Siblings of this level, of which at least one is large enough for two leaves; or the root alone."""
        sizes = {node: len(self.summed(node)) for node in self.level}
        found: list[tuple[int, ...]] = [(ROOT,)] if ROOT in self.level else []
        found += [(node, node + 1) for node in sorted(self.level) if node % 2]
        return [pair for pair in found if any(sizes[node] >= 2 * minimum for node in pair)]

    def descend(self, lefts: Mapping[int, Mask]) -> None:
        """Go to the next level: `lefts` says for each node that is split which of its rows go left."""
        below: dict[int, Rows] = {}
        for node, rows in self.level.items():
            if node in lefts:
                left = lefts[node]
                below[2 * node + 1], below[2 * node + 2] = rows[left], rows[~left]
                self.covers |= {child: len(below[child]) for child in (2 * node + 1, 2 * node + 2)}
            else:
                self.leaves[node] = rows
        self.level = below

    def finish(self) -> None:
        """What is left of the level becomes leaves."""
        self.descend({})
