"""Population stability index: how far a distribution has moved between two samples.

    Σ (a − e) · ln(a / e)      e, a: expected and actual shares of the bins

Below 0.1 is commonly called stable, above 0.25 shifted. An empty bin counts as half a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saferoom.errors import UsageError

STABLE, SHIFTED = 0.1, 0.25
MOST_ROWS = 100_000  # of each sample of a column: more change the index in the fourth digit only


def stability_of_counts(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    """Of two samples' rows in the same bins: (b,) each. Raises UsageError if one is empty."""
    if not (expected.sum() and actual.sum()):
        raise UsageError("the stability index compares two samples that are not empty")
    e, a = _shares(expected), _shares(actual)
    return float(np.sum((a - e) * np.log(a / e)))


def stability_index(expected: ArrayLike, actual: ArrayLike, *, bins: int = 10) -> float:
    """Of two samples of values, over the first one's quantile bins.

    If the first has few values, each is a bin, and the second's others are one more. Raises UsageError if
    one is empty.
    """
    first, second = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    values = np.unique(first)
    if len(values) <= bins:
        return stability_of_counts(*_value_counts(values, first, second))
    edges = np.unique(np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1]))
    return stability_of_counts(_bin_counts(first, edges), _bin_counts(second, edges))


def column_stability(
    names: Sequence[str], train: NDArray[np.float64], test: NDArray[np.float64]
) -> dict[str, float]:
    """The index of each column between training rows (n, d) and test rows (m, d); {} without test rows.

    Rows must be in random order, as alignment leaves them: of many rows the first ones are looked at.
    """
    if not len(test):
        return {}
    first, second = train[:MOST_ROWS], test[:MOST_ROWS]
    return {name: stability_index(first[:, i], second[:, i]) for i, name in enumerate(names)}


def _value_counts(
    values: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of each value, and, if there are any, of others: two vectors of one length."""
    counts = [np.array([np.sum(one == value) for value in values]) for one in (first, second)]
    others = len(second) - int(counts[1].sum())
    if others:
        counts = [np.append(one, rest) for one, rest in zip(counts, (0, others), strict=True)]
    return counts[0], counts[1]


def _bin_counts(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)


def _shares(counts: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.maximum(counts, 0.5) / counts.sum())
