"""Pre-bins: many small bins of a column, made without labels, none smaller than the minimum.

Their counts of goods and bads are what a feature holder asks for; `merging` then joins pre-bins. A
missing value or special code with too few rows gets no bin of its own: missing falls into the median's bin,
a special code is an ordinary number. Rare categories share the bin `other`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.models.scorecard.binning import CategoryBins, NumberBins


def quantile_bins(
    values: F64, *, count: int, minimum_rows: int, specials: Sequence[float] = ()
) -> NumberBins | None:
    """At most `count` ordered bins of about equal size; None if no second bin is left.

    Shapes:   values (n,), NaN = missing; infinities count as numbers.
    """

    def edges(ordinary: F64) -> F64:
        shares = np.arange(1, count) / count
        return np.unique(np.quantile(ordinary, shares, method="inverted_cdf"))

    return _number_bins(values, edges, minimum_rows, specials)


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
    codes: NDArray[np.integer[Any]], levels: Sequence[str], *, count: int, minimum_rows: int
) -> CategoryBins | None:
    """The `count` most frequent levels each in a bin, all others in one; None if no second bin is left."""
    rows = np.bincount(codes[codes >= 0], minlength=len(levels))
    by_rows = np.argsort(-rows, kind="stable")[:count].tolist()
    frequent = sorted(place for place in by_rows if rows[place] >= minimum_rows)
    bins = {levels[place]: number for number, place in enumerate(frequent)}
    missing_rows, rest_rows = int(np.count_nonzero(codes < 0)), int(rows.sum() - rows[frequent].sum())
    missing_alone = missing_rows >= minimum_rows
    size = len(bins)
    if rest_rows + (0 if missing_alone else missing_rows) >= minimum_rows:
        other, size = size, size + 1
    else:  # too few for a bin: they join the smallest that is there
        other = min(bins.values(), key=lambda bin_: int(rows[frequent[bin_]]), default=0)
    found = CategoryBins(bins, size if missing_alone else other, other)
    return found if bins and found.size > 1 else None


def _number_bins(
    values: F64, edges_of: Any, minimum_rows: int, specials: Sequence[float]
) -> NumberBins | None:
    missing = np.isnan(values)
    kept = [special for special in specials if np.count_nonzero(values == special) >= minimum_rows]
    ordinary = values[~(missing | np.isin(values, kept))]
    if len(ordinary) < minimum_rows:
        return None
    edges = _wide_enough(np.sort(ordinary), edges_of(ordinary), minimum_rows)
    size = len(edges) + 1
    places = {special: size + number for number, special in enumerate(kept)}
    size += len(kept)
    median = float(np.quantile(ordinary, 0.5, method="inverted_cdf"))
    alone = np.count_nonzero(missing) >= minimum_rows
    found = NumberBins(
        tuple(edges), places, size if alone else int(np.searchsorted(edges, median, side="left"))
    )
    return found if found.size > 1 else None


def _wide_enough(ordinary: F64, edges: F64, minimum_rows: int) -> list[float]:
    """Those edges, from below, that leave enough rows in the bin they close and above it."""
    kept: list[float] = []
    below = 0
    for edge in edges.tolist():
        closed = int(np.searchsorted(ordinary, edge, side="right"))
        if closed - below >= minimum_rows and len(ordinary) - closed >= minimum_rows:
            kept.append(edge)
            below = closed
    return kept
