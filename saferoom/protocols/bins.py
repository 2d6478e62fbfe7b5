"""Bins of a column, what is counted in them, and the minimums under which nothing is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import ShapeError, UsageError

Merging = NDArray[np.int64]
"""(bins,): the merged bin of each bin."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BinnedFeature:
    """One column as bin numbers.

    bins     (rows,) integers from 0 to count - 1; a bin may be empty, and is then merged away
    ordered  bins 0 to ordered - 1 stand in their natural order; the rest stand alone
    """

    bins: NDArray[np.integer[Any]]
    count: int
    ordered: int

    def __post_init__(self) -> None:
        if self.bins.ndim != 1 or self.bins.dtype.kind not in "iu":
            raise ShapeError("bins are a vector of integers")
        if not 0 <= self.ordered <= self.count or self.count < 1:
            raise UsageError(f"{self.ordered} ordered bins out of {self.count}")
        if len(self.bins) and not (self.bins.min() >= 0 and self.bins.max() < self.count):
            raise UsageError(f"a bin number outside 0 to {self.count - 1}")

    def __repr__(self) -> str:
        return f"BinnedFeature(rows={len(self.bins)}, count={self.count}, ordered={self.ordered})"

    def rows(self) -> NDArray[np.int64]:
        """How many rows each bin holds: (count,)."""
        return np.bincount(self.bins, minlength=self.count)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeatureCounts:
    """What a party learns of its own column.

    merged     (count,) the final bin of each given bin; ordered bins come first, in their order
    rows       (final,) rows of each final bin: its own knowledge
    events     (final, classes) events of each class
    estimated  (final,) whose events nobody told: they are put at what is known of all bins of this kind
    """

    merged: Merging
    rows: NDArray[np.int64]
    events: NDArray[np.int64]
    estimated: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"FeatureCounts(bins={len(self.merged)}, final={len(self.rows)})"


@dataclass(frozen=True, slots=True)
class Minimums:
    """What a bin that a feature holder is told of holds at least: rows, and events of every class."""

    rows: int
    events: int

    def __post_init__(self) -> None:
        if self.rows < 1 or self.events < 0:
            raise UsageError("a bin holds at least one row, and no negative number of events")

    def hold(self, events: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which bins of (bins, classes) hold enough events of every class."""
        return np.asarray((events >= self.events).all(axis=1))


def count_own(features: Sequence[BinnedFeature], labels: NDArray[Any]) -> list[FeatureCounts]:
    """Counts where columns and labels lie at one place, which has no secrets from itself: every bin as it is.

    Shapes:   labels (rows,) or (rows, classes) of 0 and 1; features over the same rows.
    Raises:   ShapeError, UsageError.
    """
    classes = checked_labels(labels)
    return [_count_one(feature, classes) for feature in features]


def _count_one(feature: BinnedFeature, classes: NDArray[np.int64]) -> FeatureCounts:
    if len(feature.bins) != len(classes):
        raise ShapeError(f"a column of {len(feature.bins)} rows where there are {len(classes)}")
    events = np.zeros((feature.count, classes.shape[1]), dtype=np.int64)
    np.add.at(events, feature.bins, classes)
    exact = np.zeros(feature.count, dtype=bool)
    return FeatureCounts(np.arange(feature.count), feature.rows(), events, exact)


def numbered(places: NDArray[np.int64]) -> Merging:
    """The same merging with bins numbered from 0 in order of appearance."""
    _, first, inverse = np.unique(places, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    return ranks[inverse.reshape(-1)]


def sums_by(places: NDArray[np.integer[Any]], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of `values` (n, …) over equal `places` (n,), for places 0 to their largest."""
    sums = np.zeros((int(places.max()) + 1, *values.shape[1:]), dtype=np.int64)
    np.add.at(sums, places, values)
    return sums


def checked_labels(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Labels as (rows, classes) of 0 and 1. Raises ShapeError, UsageError."""
    table = labels.reshape(len(labels), -1) if labels.ndim in (1, 2) else None
    if table is None or not table.size:
        raise ShapeError("labels are (rows,) or (rows, classes)")
    if not np.isin(table, (0, 1)).all():
        raise UsageError("a label is neither 0 nor 1")
    return table.astype(np.int64)
