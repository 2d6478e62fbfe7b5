"""Merging by goods and bads: exact against all partitions, and never against the settings."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.models.scorecard.merging import MergeSettings, Trend, _Segments, merge_bins
from saferoom.models.scorecard.woe import BinCounts

Array = np.ndarray[Any, Any]

counted = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 20)), min_size=2, max_size=7).map(
    lambda pairs: BinCounts(
        np.array([goods + bads for goods, bads in pairs]), np.array([bads for _, bads in pairs])
    )
)


def keeps(trend: str, woe: list[float]) -> bool:
    steps = [b - a for a, b in pairwise(woe)]
    turns = range(len(steps) + 1)
    if trend == "ascending":
        return all(step >= 0 for step in steps)
    if trend == "descending":
        return all(step <= 0 for step in steps)
    if trend == "peak":
        return any(keeps("ascending", woe[: t + 1]) and keeps("descending", woe[t:]) for t in turns)
    if trend == "valley":
        return any(keeps("descending", woe[: t + 1]) and keeps("ascending", woe[t:]) for t in turns)
    return True


def best_by_trying_all(counts: BinCounts, trend: str, limits: MergeSettings) -> float:
    size = len(counts.rows)
    best = -np.inf
    for cuts in (c for k in range(limits.max_bins) for c in combinations(range(1, size), k)):
        groups = np.repeat(np.arange(len(cuts) + 1), np.diff([0, *cuts, size]))
        merged = counts.grouped(groups)
        fits = merged.rows.min() >= limits.minimum_rows and merged.events.min() >= limits.minimum_events
        if fits and keeps(trend, merged.woe().tolist()):
            best = max(best, merged.iv())
    return best


@given(counts=counted, most=st.integers(1, 5), rows=st.integers(1, 40), events=st.integers(0, 6))
@pytest.mark.parametrize("trend", ["ascending", "descending", "peak", "valley", "any"])
def test_the_best_partition_is_found(
    trend: str, counts: BinCounts, most: int, rows: int, events: int
) -> None:
    limits = MergeSettings(most, rows, events)
    value, cuts = _Segments.of(counts, np.arange(len(counts.rows)), limits).best(trend, most)
    expected = best_by_trying_all(counts, trend, limits)
    assert value == pytest.approx(expected)
    if cuts:
        groups = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts))
        assert counts.grouped(groups).iv() == pytest.approx(expected)
        assert len(cuts) - 1 <= most


def u_shaped() -> BinCounts:
    return BinCounts(np.full(6, 1000), np.array([400, 200, 60, 50, 180, 390]))


@pytest.mark.parametrize(("trend", "shape"), [("auto", "peak"), ("monotone", "monotone"), ("none", "any")])
def test_a_u_shape_is_kept_only_where_it_may_be(trend: Trend, shape: str) -> None:
    counts = u_shaped()
    groups = merge_bins(counts, 6, MergeSettings(trend=trend))
    woe = counts.grouped(groups).woe().tolist()
    assert keeps("peak", woe)
    assert (keeps("ascending", woe) or keeps("descending", woe)) == (shape == "monotone")


def test_a_small_dent_does_not_bend_a_monotone_trend() -> None:
    counts = BinCounts(np.full(6, 1000), np.array([400, 300, 200, 100, 50, 52]))
    woe = counts.grouped(merge_bins(counts, 6, MergeSettings())).woe().tolist()
    assert keeps("ascending", woe)


def test_special_and_missing_bins_stay_beside_the_ordered_ones() -> None:
    counts = BinCounts(np.array([500, 500, 500, 40, 30]), np.array([100, 99, 20, 20, 5]))
    groups = merge_bins(counts, 3, MergeSettings(max_bins=2, minimum_rows=100))
    assert groups.tolist() == [0, 0, 1, 2, 3]


def test_categories_are_grouped_by_woe_not_by_place() -> None:
    counts = BinCounts(np.array([500, 500, 500, 500]), np.array([100, 10, 105, 12]))
    groups = merge_bins(counts, 0, MergeSettings(max_bins=2))
    assert groups.tolist() == [0, 1, 0, 1]


def test_where_nothing_fits_one_bin_is_left() -> None:
    counts = BinCounts(np.array([10, 10]), np.array([1, 5]))
    assert merge_bins(counts, 2, MergeSettings(minimum_rows=15)).tolist() == [0, 0]
