"""How large the messages of a tree can be: what is said in them is filled up to that.

Everybody can work these bounds out of public numbers: training rows, settings, and how many columns the
contract names. So the size of no message tells whoever relays it which nodes are split, whose splits are
taken, how many rows they hold, or how many candidates are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.settings import BoostingSettings


def most_leaves(rows: int, max_depth: int, least_rows: int) -> int:
    """Of one tree that is grown on up to `rows` rows."""
    return max(1, min(1 << max_depth, rows // least_rows))


def most_joint_leaves(trees: LocalTrees, max_depth: int, least_rows: int) -> int:
    """Of all trees that were grown together."""
    return sum(most_leaves(tree.covers[0], max_depth, least_rows) for tree in trees.joint)


def columns_drawn(columns: int, settings: BoostingSettings) -> int:
    """How many of a party's columns a tree is grown on."""
    drawn = max(1, round(settings.colsample_bytree * columns))
    return drawn if columns else 0


def most_candidates(columns: int, settings: BoostingSettings) -> int:
    """A party's in one tree: a column of b bins has b - 1, and at most one bin more than `max_bin`."""
    return columns_drawn(columns, settings) * settings.max_bin


@dataclass(frozen=True, slots=True)
class TreeSizes:
    """Of a tree that is grown on `summed` training rows."""

    summed: int
    settings: BoostingSettings

    @property
    def levels(self) -> int:
        """How many levels are gone through, whether or not a node is left to split."""
        return self.settings.max_depth if self.summed >= 2 * self.settings.least_rows else 0

    def pairs(self, depth: int) -> int:
        """Pairs of siblings that are asked about at most: one of each pair is enough for two leaves."""
        large = self.summed // (2 * self.settings.least_rows)
        return 1 if depth == 0 else min(1 << (depth - 1), large)

    def nodes(self, depth: int) -> int:
        """Nodes in them: the root has no sibling."""
        return 1 if depth == 0 else 2 * self.pairs(depth)
