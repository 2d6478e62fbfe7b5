"""Weight of evidence and information value of bins.

    woe = ln(share of goods / share of bads)          good = 0, bad = event = default = 1
    iv  = Σ (share of goods − share of bads) · woe

A count of zero stands for half a row, so that every WOE is finite. Source: Siddiqi, Credit Risk Scorecards,
2006, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64

Counts = NDArray[np.int64]
_ZERO = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class BinCounts:
    """Training rows and events (bads) of each bin of one column: (b,) each."""

    rows: Counts
    events: Counts

    @property
    def goods(self) -> Counts:
        return self.rows - self.events

    def grouped(self, groups: Counts) -> BinCounts:
        """Counts of the merged bins; `groups` (b,) is the new bin of each."""
        size = int(groups.max()) + 1
        rows, events = (np.bincount(groups, counts, size) for counts in (self.rows, self.events))
        return BinCounts(rows.astype(np.int64), events.astype(np.int64))

    def woe(self) -> F64:
        """(b,) weights of evidence."""
        return woe_of(self.goods, self.events, int(self.goods.sum()), int(self.events.sum()))

    def iv(self) -> float:
        """The information value of all bins together."""
        goods, bads = self.goods / max(self.goods.sum(), 1), self.events / max(self.events.sum(), 1)
        return float(np.sum((goods - bads) * self.woe()))


def woe_of(goods: Counts, bads: Counts, all_goods: int, all_bads: int) -> F64:
    """Weights of evidence of bins, any shape; the totals are those of the whole column."""
    share_of_goods = np.maximum(goods, _ZERO) / max(all_goods, _ZERO)
    share_of_bads = np.maximum(bads, _ZERO) / max(all_bads, _ZERO)
    return np.asarray(np.log(share_of_goods / share_of_bads))
