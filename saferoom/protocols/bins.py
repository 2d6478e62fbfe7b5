"""Bins of a column, and the rules by which those that are too small are merged: the same for all, and public.

Ordered bins merge with neighbours. The others (missing, special codes, categories) merge with each other, and
only if that is not enough with the fullest ordered bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import RefusedError, ShapeError, UsageError

Merging = NDArray[np.int64]  # (bins,): the merged bin of each bin


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

    merged  (count,) the final bin of each given bin; ordered bins come first, in their order
    rows    (final,) rows of each final bin: its own knowledge
    events  (final, classes) events of each class
    """

    merged: Merging
    rows: NDArray[np.int64]
    events: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"FeatureCounts(bins={len(self.merged)}, final={len(self.rows)})"


@dataclass(frozen=True, slots=True)
class Minimums:
    """What every final bin holds at least: rows, and events of every class."""

    rows: int
    events: int

    def __post_init__(self) -> None:
        if self.rows < 1 or self.events < 0:
            raise UsageError("a bin holds at least one row, and no negative number of events")

    def hold(self, events: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which bins of (bins, classes) hold enough events of every class."""
        return np.asarray((events >= self.events).all(axis=1))


def merged_by_rows(rows: NDArray[np.int64], ordered: int, minimum: int) -> Merging:
    """Merge bins until each holds `minimum` rows. Raises RefusedError if all together do not."""
    if rows.sum() < minimum:
        raise RefusedError(
            f"a column has fewer rows than the minimum of {minimum} for a bin",
            remedy="agree on a smaller minimum, or align more enterprises",
        )
    merged = np.arange(len(rows), dtype=np.int64)
    current, held = 0, 0
    for place in range(ordered):
        if held >= minimum:
            current, held = place, 0
        merged[place] = current
        held += int(rows[place])
    if current > 0 and held < minimum:  # the last ones are too few: they join the bin before
        merged[:ordered][merged[:ordered] == current] = merged[current - 1]
    merged = _numbered(merged)
    held_by = sums_by(merged, rows)
    few = held_by < minimum
    if held_by[few].sum() >= minimum:
        return _numbered(np.where(few, np.argmax(few), np.arange(len(few)))[merged])
    return _with_few_joined(merged, ~few, held_by, ordered)


def merged_by_flags(enough: NDArray[np.bool_], rows: NDArray[np.int64], ordered: int) -> Merging:
    """Merge bins so that each merged bin contains one that is `enough`; if none is, all become one."""
    merged = np.arange(len(rows), dtype=np.int64)
    good = np.flatnonzero(enough[:ordered])
    if len(good):
        left = np.searchsorted(good, np.arange(ordered), side="right") - 1
        merged[:ordered] = good[np.maximum(left, 0)]
    else:
        merged[:ordered] = 0
    merged = _numbered(merged)
    is_enough = np.bincount(merged, weights=enough) > 0
    return _with_few_joined(merged, is_enough, sums_by(merged, rows), ordered)


def _with_few_joined(
    merged: Merging, enough: NDArray[np.bool_], rows: NDArray[np.int64], ordered: int
) -> Merging:
    """Bins that are not enough join the smallest lone one that is, or else the fullest ordered one."""
    if not enough.any():
        return np.zeros_like(merged)
    alone = enough.copy()
    alone[: merged[:ordered].max(initial=-1) + 1] = False
    places = np.flatnonzero(alone if alone.any() else enough)
    target = places[rows[places].argmin() if alone.any() else rows[places].argmax()]
    return _numbered(np.where(enough, np.arange(len(enough)), target)[merged])


def _numbered(merged: Merging) -> Merging:
    """The same merging with bins numbered from 0 in order of appearance."""
    _, first, inverse = np.unique(merged, return_index=True, return_inverse=True)
    ranks = np.empty(len(first), dtype=np.int64)
    ranks[np.argsort(first)] = np.arange(len(first))
    return ranks[inverse.reshape(-1)]


def count_plain(
    features: Sequence[BinnedFeature], labels: NDArray[Any], minimums: Minimums
) -> list[FeatureCounts]:
    """Counts where columns and labels lie at one place: bins and counts as the protocol finds them.

    Shapes:   labels (rows,) or (rows, classes) of 0 and 1; features over the same rows.
    Raises:   ShapeError, UsageError, RefusedError.
    """
    classes = checked_labels(labels)
    return [_count_one(feature, classes, minimums) for feature in features]


def _count_one(feature: BinnedFeature, labels: NDArray[np.int64], minimums: Minimums) -> FeatureCounts:
    by_rows = by_minimum_rows(feature, len(labels), minimums)
    events = sums_by(by_rows[feature.bins], labels)
    enough = minimums.hold(events)
    by_flags = by_minimum_events(feature, by_rows, enough)
    return counts_of(feature, by_flags[by_rows], sums_by(by_flags, events))


def by_minimum_rows(feature: BinnedFeature, rows: int, minimums: Minimums) -> Merging:
    """The first merging of a column: by its rows. Raises ShapeError, RefusedError."""
    if len(feature.bins) != rows:
        raise ShapeError(f"a column of {len(feature.bins)} rows where there are {rows}")
    return merged_by_rows(feature.rows(), feature.ordered, minimums.rows)


def by_minimum_events(feature: BinnedFeature, by_rows: Merging, enough: NDArray[np.bool_]) -> Merging:
    """The second merging, of the bins of the first: `enough` says which of them hold enough events."""
    ordered = int(by_rows[: feature.ordered].max(initial=-1)) + 1
    return merged_by_flags(enough, sums_by(by_rows, feature.rows()), ordered)


def counts_of(feature: BinnedFeature, merged: Merging, events: NDArray[np.int64]) -> FeatureCounts:
    """What is known in the end: `merged` leads from given to final bins, `events` are those of final bins."""
    return FeatureCounts(merged, sums_by(merged, feature.rows()), events)


def size_of(merging: Merging) -> int:
    """How many bins a merging leads to."""
    return int(merging.max()) + 1


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
