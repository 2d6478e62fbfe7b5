"""The plain, insecure twin of a joint scorecard: all columns and labels in one place.

The same pre-bins, minimums, merging and WOE as at the parties, and scikit-learn's regression on the pooled
WOE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from saferoom.arrays import F64
from saferoom.models.logistic.plain import PlainLogistic, fit_plain
from saferoom.models.logistic.plan import LogisticSettings
from saferoom.models.scorecard.binning import NumberBins
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.pre_binning import quantile_bins
from saferoom.models.scorecard.woe import BinCounts
from saferoom.models.scorecard.woe_column import WoeColumn, fit_column
from saferoom.protocols.bin_groups import count_plain
from saferoom.protocols.bins import BinnedFeature, Minimums, count_own


@dataclass(frozen=True, slots=True)
class PlainBinning:
    """How columns are binned: those of `own` are the label holder's, and have no minimums."""

    pre_bins: int
    minimums: Minimums
    merge: MergeSettings
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class PlainScorecard:
    """Columns that are left, and the regression on their WOE."""

    columns: tuple[WoeColumn, ...]
    regression: PlainLogistic

    def logits(self, columns: Mapping[str, F64]) -> F64:
        """Log-odds of default of rows (n,) -> (n,)."""
        return self.regression.logits(_woe(self.columns, columns))


def fit_scorecard_plain(
    columns: Mapping[str, F64], labels: F64, binning: PlainBinning, settings: LogisticSettings
) -> PlainScorecard:
    """Of numeric columns (n,) each, NaN = missing, and labels (n,) of 0 and 1."""
    found = []
    for name, values in columns.items():
        pre = quantile_bins(values, count=binning.pre_bins, minimum_rows=binning.minimums.rows)
        column = None if pre is None else _column(name, values, pre, labels, binning)
        found += [] if column is None else [column]
    regression = fit_plain(_woe(tuple(found), columns), labels, settings)
    return PlainScorecard(tuple(found), regression)


def _column(name: str, values: F64, pre: NumberBins, labels: F64, binning: PlainBinning) -> WoeColumn | None:
    feature, y = BinnedFeature(pre.assign(values), pre.size, pre.ordered), labels.astype(np.int64)
    own = name in binning.own
    counted = (count_own([feature], y) if own else count_plain([feature], y, binning.minimums))[0]
    counts = BinCounts(counted.rows, counted.events[:, 0], counted.estimated)
    return fit_column(name, pre, counted.merged, counts, binning.merge)


def _woe(found: tuple[WoeColumn, ...], columns: Mapping[str, F64]) -> F64:
    parts = []
    for column in found:
        if not isinstance(column.bins, NumberBins):
            raise TypeError
        parts.append(column.woe[column.bins.assign(columns[column.name])])
    return np.column_stack(parts)
