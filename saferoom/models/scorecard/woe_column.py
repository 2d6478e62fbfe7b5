"""One column of a scorecard: its final bins, what was counted in them, and the WOE of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.errors import StorageError
from saferoom.models.scorecard.binning import MISSING, Bins, CategoryBins, Codes, NumberBins, bins_from_dict
from saferoom.models.scorecard.merging import MergeSettings, merge_bins
from saferoom.models.scorecard.woe import BinCounts


@dataclass(frozen=True, slots=True)
class BinningLoss:
    """What binning cost: `joined` are pre-bins that could not stay alone, each with the final bin it joined.

    `iv_counted`: information value of all bins that were counted; `trend`: how much of it the trend cost.
    """

    iv_counted: float
    trend: float = 0.0
    joined: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class WoeColumn:
    """`counts` are of the training rows: they stay with the party that holds the column."""

    name: str
    bins: Bins
    counts: BinCounts
    loss: BinningLoss | None = None
    had_missing: bool = True

    @property
    def woe(self) -> F64:
        """(b,) weights of evidence, one a bin."""
        return self.counts.woe()

    @property
    def iv(self) -> float:
        """The column's information value."""
        return self.counts.iv()

    @property
    def names(self) -> tuple[str, ...]:
        """What to call each bin in a table; gaps are named only where the training rows had some."""
        return self.bins.names(had_missing=self.had_missing)

    @property
    def estimated(self) -> tuple[int, ...]:
        """The bins whose events nobody told."""
        unsure = self.counts.estimated
        return () if unsure is None else tuple(np.flatnonzero(unsure).tolist())

    def to_dict(self) -> dict[str, Any]:
        """JSON values; `from_dict` gives the same WOE to the last bit."""
        found = {
            "name": self.name,
            "bins": self.bins.to_dict(),
            "rows": self.counts.rows.tolist(),
            "events": self.counts.events.tolist(),
        }
        if self.estimated:
            found["estimated"] = list(self.estimated)
        if not self.had_missing:
            found["had_missing"] = False
        if self.loss is not None:
            joined = [list(pair) for pair in self.loss.joined]
            found["loss"] = {"iv_counted": self.loss.iv_counted, "trend": self.loss.trend, "joined": joined}
        return found

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> WoeColumn:
        """Back from `to_dict`. Raises StorageError."""
        try:
            rows, events = (np.array(content[key], dtype=np.int64) for key in ("rows", "events"))
            unsure = np.isin(np.arange(len(rows)), content.get("estimated", []))
            counts = BinCounts(rows, events, unsure if unsure.any() else None)
            loss = _loss_from(content["loss"]) if "loss" in content else None
            had_missing = bool(content.get("had_missing", True))
            column = cls(str(content["name"]), bins_from_dict(content["bins"]), counts, loss, had_missing)
        except (KeyError, TypeError, ValueError) as exc:
            raise StorageError(
                "a stored WOE column cannot be read", remedy="restore the model's file"
            ) from exc
        if not len(counts.rows) == len(counts.events) == column.bins.size:
            raise StorageError("a stored WOE column does not fit its bins", remedy="restore the model's file")
        return column


def _loss_from(content: Mapping[str, Any]) -> BinningLoss:
    joined = tuple((str(what), str(into)) for what, into in content["joined"])
    return BinningLoss(float(content["iv_counted"]), float(content["trend"]), joined)


def fit_column(
    name: str, pre_bins: Bins, groups: Codes, counts: BinCounts, settings: MergeSettings
) -> WoeColumn | None:
    """Merge counted pre-bins into final ones; None if one bin is left.

    `groups` (pre_bins.size,): which counted bin each pre-bin went into; `counts` (g,) of those.
    """
    counted = pre_bins.regrouped(groups)
    alone = (counted.missing,) if isinstance(counted, CategoryBins) and _stands_alone(counted) else ()
    merged = merge_bins(counts, counted.ordered, settings, alone)
    if not merged.groups.any():
        return None
    bins = counted.regrouped(merged.groups)
    joined = _joined(pre_bins, bins, merged.groups[groups], counts.rows[groups] > 0)
    loss = BinningLoss(counts.iv(), merged.trend_loss, joined)
    had_missing = bool(counts.rows[groups[pre_bins.missing]] > 0)
    return WoeColumn(name, bins, counts.grouped(merged.groups), loss, had_missing)


def _stands_alone(bins: CategoryBins) -> bool:
    return bins.missing not in {bins.other, *bins.levels.values()}


def _joined(
    pre_bins: Bins, bins: Bins, final: Codes, is_there: NDArray[np.bool_]
) -> tuple[tuple[str, str], ...]:
    """Missing values and special codes that share a bin with others, and which."""
    lone = {pre_bins.missing: MISSING}
    if isinstance(pre_bins, NumberBins):
        lone |= {bin_: f"special {code:g}" for code, bin_ in pre_bins.specials.items()}
    names = bins.names(had_missing=bool(is_there[pre_bins.missing]))
    shared = np.bincount(final[is_there], minlength=bins.size)
    return tuple(
        (name, names[final[bin_]])
        for bin_, name in lone.items()
        if is_there[bin_] and shared[final[bin_]] > 1
    )


def is_wrong_sign(coefficient: float) -> bool:
    """Whether it says that a better weight of evidence means worse credit."""
    return coefficient > 0
