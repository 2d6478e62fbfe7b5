"""Columns on which binning goes wrong easily, and what bins without any minimum reach on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from saferoom.data.table import CategoryColumn, Column, NumericColumn, PartyTable
from saferoom.data.woe import PreBinned, PreBinSettings, WoePreparation
from saferoom.kinds.scorecard import OWN_BIN_ROWS, ScorecardParams, minimum_bin_rows
from saferoom.models.scorecard.woe import BinCounts
from saferoom.protocols.bin_groups import count_plain
from saferoom.protocols.bins import Minimums, count_own
from saferoom.tasks.steps.binning import merge_settings

Array = np.ndarray[Any, Any]
ROWS, TRAIN = 20_000, 14_000
MINIMUM_EVENTS = 10


@dataclass(frozen=True)
class Case:
    """Columns of ROWS rows, the first TRAIN of which train."""

    columns: dict[str, Column]
    y: Array
    specials: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def table(self, rows: slice) -> PartyTable:
        found: dict[str, Column] = {}
        for name, column in self.columns.items():
            if isinstance(column, NumericColumn):
                found[name] = NumericColumn(column.values[rows])
            else:
                found[name] = CategoryColumn(column.codes[rows], column.levels)
        return PartyTable(np.arange(len(self.y[rows])).astype("S8"), found)

    def auc(self, woe: Callable[[slice], Array]) -> float:
        """Of a regression on WOE columns, on the rows that did not train."""
        train, test = slice(TRAIN), slice(TRAIN, None)
        fit = LogisticRegression(C=1.0, max_iter=1000).fit(woe(train), self.y[train])
        return float(roc_auc_score(self.y[test], fit.decision_function(woe(test))))


def binned(case: Case, *, own: bool) -> WoePreparation:
    """As the label holder bins its own columns, or as a feature holder does that is told counts."""
    train, y, params = case.table(slice(TRAIN)), case.y[:TRAIN], ScorecardParams()
    minimums = Minimums(minimum_bin_rows(Terms(), TRAIN), MINIMUM_EVENTS)
    least = OWN_BIN_ROWS if own else minimums.rows
    pre = PreBinned.fit(train, PreBinSettings(params.pre_bins, least, case.specials))
    features = pre.features(train)
    counts = count_own(features, y) if own else count_plain(features, y, minimums)
    counted = [(one.merged, BinCounts(one.rows, one.events[:, 0], one.estimated)) for one in counts]
    return WoePreparation.fit(pre, counted, merge_settings(params, TRAIN, least))


class Terms:
    """A contract that leaves the minimum of rows to the data."""

    minimum_bin_rows = None


def without_minimums(case: Case) -> float:
    """The oracle: a WOE for every code, gap, level and frequent value, however rare, and 20 quantiles."""
    fits = [_fitted(column, case.y, case.specials.get(name, ())) for name, column in case.columns.items()]
    return case.auc(lambda rows: np.column_stack([fit[rows] for fit in fits]))


def _fitted(column: Column, y: Array, specials: tuple[float, ...]) -> Array:
    keys = (
        column.codes.astype(float) if isinstance(column, CategoryColumn) else _fine(column.values, specials)
    )
    out = np.zeros(len(y))
    all_bads, all_goods = y[:TRAIN].sum(), TRAIN - y[:TRAIN].sum()
    for key in np.unique(keys):
        mine = keys == key
        bads = y[:TRAIN][mine[:TRAIN]].sum()
        goods = np.count_nonzero(mine[:TRAIN]) - bads
        if goods + bads:
            out[mine] = np.log(max(goods, 0.5) / all_goods * all_bads / max(bads, 0.5))
    return out


def _fine(values: Array, specials: tuple[float, ...]) -> Array:
    ordinary = ~(np.isnan(values) | np.isin(values, specials))
    levels, rows = np.unique(values[:TRAIN][ordinary[:TRAIN]], return_counts=True)
    frequent = levels[rows > TRAIN / 50]
    edges = np.quantile(values[:TRAIN][ordinary[:TRAIN]], np.arange(1, 20) / 20) if ordinary.any() else []
    keys = 1e6 + np.searchsorted(edges, values).astype(float)
    keys[np.isin(values, frequent)] = values[np.isin(values, frequent)]
    keys[~ordinary] = np.where(np.isnan(values[~ordinary]), 2e6, 3e6 + values[~ordinary])
    return keys


def drawn(rng: np.random.Generator, logits: Array) -> Array:
    return (rng.random(len(logits)) < 1 / (1 + np.exp(-logits))).astype(np.int64)


def telling_gap(share: float = 0.005) -> Case:
    """So many rows miss a value, and most of them default."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, 2))
    gap = rng.random(ROWS) < share
    y = drawn(rng, np.where(gap, 3.0, -2.6 + 0.7 * x[:, 0] + 0.5 * x[:, 1]))
    return Case({"gap": NumericColumn(np.where(gap, np.nan, x[:, 0])), "other": NumericColumn(x[:, 1])}, y)


def codes_only() -> Case:
    """A column of three codes and gaps, without a single ordinary number."""
    rng = np.random.default_rng(2)
    kind = rng.choice(4, ROWS, p=[0.45, 0.45, 0.06, 0.04])
    y = drawn(rng, np.array([-2.0, -0.8, 0.3, -3.2])[kind])
    values = np.array([-9999.0, -8888.0, 96.0, np.nan])[kind]
    return Case({"codes": NumericColumn(values)}, y, {"codes": (-9999.0, -8888.0, 96.0)})


def piled_up() -> Case:
    """40 % lie on one value between riskier neighbours."""
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(10, 4, ROWS), 2)
    pile = rng.random(ROWS) < 0.4
    values[pile] = 10.0
    y = drawn(rng, np.where(pile, -4.0, -0.8 - 0.05 * (values - 10)))
    return Case({"piled": NumericColumn(values)}, y)


def levels_without_events() -> Case:
    """Eight kinds of firm, two of which never default."""
    rng = np.random.default_rng(4)
    kind = rng.choice(8, ROWS, p=[0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.04])
    y = drawn(rng, np.array([-1.1, -2.2, -1.5, -20, -0.6, -1.9, -20, -1.2])[kind])
    levels = tuple(f"kind {number}" for number in range(8))
    x = rng.normal(size=ROWS)
    y = np.where((rng.random(ROWS) < 0.1) & (x > 1) & (y == 0) & ~np.isin(kind, (3, 6)), 1, y)
    return Case({"kind": CategoryColumn(kind.astype(np.int32), levels), "x": NumericColumn(x)}, y)


def many_levels() -> Case:
    """3,000 levels, a few frequent and most of them rare, each with a risk of its own."""
    rng = np.random.default_rng(5)
    shares = 1 / np.arange(1, 3001) ** 1.1
    codes = rng.choice(3000, ROWS, p=shares / shares.sum())
    x = rng.normal(size=ROWS)
    y = drawn(rng, -1.8 + rng.normal(size=3000)[codes] + 0.6 * x)
    levels = tuple(f"{number:04}" for number in range(3000))
    return Case({"place": CategoryColumn(codes.astype(np.int32), levels), "x": NumericColumn(x)}, y)


CASES = {
    case.__name__: case for case in (telling_gap, codes_only, piled_up, levels_without_events, many_levels)
}
