"""Pre-bins: many small bins of a column, made without labels.

Their counts of goods and bads are what a feature holder asks for; `merging` then joins pre-bins. Missing
values and each special code have bins of their own, however rare they are: whether such a bin is counted
is decided where it is counted. A value that is as frequent as a bin should be is a bin of its own.
Edges lie between values, so that a value read with fewer digits stays where it was.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.models.scorecard.binning import CategoryBins, NumberBins
from saferoom.models.scorecard.edges import between

MOST = 100
"""Pre-bins of ordinary values at most, where the data decide."""


def usual_count(rows: int, minimum_rows: int) -> int:
    """How many pre-bins so many rows bear: each with twice the minimum of rows."""
    return max(2, min(MOST, rows // (2 * minimum_rows)))


def quantile_bins(
    values: F64, *, count: int, minimum_rows: int, specials: Sequence[float] = ()
) -> NumberBins | None:
    """About `count` ordered bins, of about equal size but for frequent values; None without a second bin.

    Shapes:   values (n,), NaN = missing; infinities count as numbers.
    """
    return _number_bins(values, lambda ordinary: _quantiles(ordinary, count), minimum_rows, specials)


def tree_bins(
    values: F64, y: F64, *, count: int, minimum_rows: int, specials: Sequence[float] = ()
) -> NumberBins | None:
    """As `quantile_bins`, cut where a decision tree on the labels `y` (n,) cuts: for who holds the labels."""
    # Imported here: scikit-learn takes a second and 100 MB, and only a label holder grows trees.
    from sklearn.tree import DecisionTreeClassifier

    ordinary_rows = ~(np.isnan(values) | np.isin(values, specials))

    def edges(ordinary: F64) -> F64:
        tree = DecisionTreeClassifier(
            max_leaf_nodes=max(count, 2), min_samples_leaf=min(minimum_rows, len(ordinary)), random_state=0
        )
        tree.fit(np.clip(ordinary, -1e38, 1e38)[:, None], y[ordinary_rows])  # the tree works in float32
        return np.unique(tree.tree_.threshold[tree.tree_.feature >= 0])

    return _number_bins(values, edges, minimum_rows, specials)


def category_bins(
    codes: NDArray[np.integer[Any]], levels: Sequence[str], *, minimum_rows: int
) -> CategoryBins | None:
    """A bin for each level with enough rows, and for rare ones together with the next rare ones in order.

    One more for levels that are not there, one for missing values; None without a second bin.
    """
    rows = np.bincount(codes[codes >= 0], minlength=len(levels))
    bins: dict[str, int] = {}
    size, open_rows = 0, 0
    for place in [*np.flatnonzero(rows >= minimum_rows), *np.flatnonzero((rows > 0) & (rows < minimum_rows))]:
        bins[levels[place]] = size
        open_rows += int(rows[place])
        if open_rows >= minimum_rows:
            size, open_rows = size + 1, 0
    size += open_rows > 0
    found = CategoryBins(bins, size + 1, size)
    return found if _has_two(found.assign(codes, tuple(levels)), minimum_rows) else None


def _number_bins(
    values: F64, edges_of: Callable[[F64], F64], minimum_rows: int, specials: Sequence[float]
) -> NumberBins | None:
    codes = [float(special) for special in dict.fromkeys(specials)]
    ordinary = values[~(np.isnan(values) | np.isin(values, codes))]
    in_order = np.sort(ordinary)
    edges = _wide_enough(in_order, edges_of(ordinary), minimum_rows) if len(ordinary) else []
    edges = between(in_order, edges)
    size = len(edges) + 1
    places = {special: size + number for number, special in enumerate(codes)}
    found = NumberBins(tuple(edges), places, size + len(codes))
    return found if _has_two(found.assign(values), minimum_rows) else None


def _has_two(bins: NDArray[np.int64], minimum_rows: int) -> bool:
    """Whether two bins can be counted: alone, or those that are too small for it together."""
    rows = np.bincount(bins)
    few = rows < minimum_rows
    return int((~few).sum()) + int(rows[few].sum() >= minimum_rows) > 1


def _quantiles(ordinary: F64, count: int) -> F64:
    """Upper edges (e,) of values: on both sides of frequent values first, then at quantiles."""
    levels, rows = np.unique(ordinary, return_counts=True)
    frequent = np.flatnonzero(rows >= len(ordinary) / count)
    shares = np.arange(1, count) / count * len(ordinary)
    usual = np.searchsorted(np.cumsum(rows), shares, side="left")
    places = np.concatenate([frequent, frequent - 1, usual])
    return np.asarray(levels[places[(places >= 0) & (places < len(levels) - 1)]])


def _wide_enough(ordinary: F64, edges: F64, minimum_rows: int) -> list[float]:
    """Those edges, the first ones first, that leave enough rows in the bins on both sides; they rise."""
    kept = {0: -np.inf, len(ordinary): np.inf}
    places = [0, len(ordinary)]
    closed = np.searchsorted(ordinary, edges, side="right").tolist()
    for place, edge in zip(closed, edges.tolist(), strict=True):
        above = bisect(places, place)
        if 0 < above < len(places) and min(place - places[above - 1], places[above] - place) >= minimum_rows:
            places.insert(above, place)
            kept[place] = edge
    return [kept[place] for place in places[1:-1]]
