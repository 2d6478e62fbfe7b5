"""Weight of evidence and information value of bins.

    woe = ln(share of goods / share of bads)          good = 0, bad = event = default = 1
    iv  = Σ (share of goods − share of bads) · woe

A count of zero stands for half a row, so that every WOE is finite. Source: Siddiqi, Credit Risk Scorecards,
2006, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64

Counts = NDArray[np.int64]
_ZERO = 0.5
_AVERAGE_ROWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class BinCounts:
    """Training rows and events (bads) of each bin of one column: (b,) each.

    `estimated` (b,): the events of these bins, or of a part of them, nobody told; None: all are counted.
    """

    rows: Counts
    events: Counts
    estimated: NDArray[np.bool_] | None = None

    @property
    def goods(self) -> Counts:
        return self.rows - self.events

    def grouped(self, groups: Counts) -> BinCounts:
        """Counts of the merged bins; `groups` (b,) is the new bin of each."""
        size = int(groups.max()) + 1
        rows, events = (np.bincount(groups, counts, size) for counts in (self.rows, self.events))
        unsure = None if self.estimated is None else np.bincount(groups, self.estimated, size) > 0
        return BinCounts(rows.astype(np.int64), events.astype(np.int64), unsure)

    def woe(self) -> F64:
        """(b,) weights of evidence."""
        return woe_of(self.goods, self.events, int(self.goods.sum()), int(self.events.sum()))

    def cautious_woe(self) -> F64:
        """(b,) WOE as if each bin held some average rows besides: a bin of few rows stands near 0."""
        all_goods, all_bads = int(self.goods.sum()), int(self.events.sum())
        rate = all_bads / max(all_goods + all_bads, 1)
        goods, bads = self.goods + _AVERAGE_ROWS * (1 - rate), self.events + _AVERAGE_ROWS * rate
        return woe_of(goods, bads, all_goods, all_bads)

    def iv(self) -> float:
        """The information value of all bins together."""
        goods, bads = self.goods / max(self.goods.sum(), 1), self.events / max(self.events.sum(), 1)
        return float(np.sum((goods - bads) * self.woe()))


def woe_of(goods: NDArray[Any], bads: NDArray[Any], all_goods: int, all_bads: int) -> F64:
    """Weights of evidence of bins, any shape; the totals are those of the whole column."""
    share_of_goods = np.maximum(goods, _ZERO) / max(all_goods, _ZERO)
    share_of_bads = np.maximum(bads, _ZERO) / max(all_bads, _ZERO)
    return np.asarray(np.log(share_of_goods / share_of_bads))
