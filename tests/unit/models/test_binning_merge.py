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
    groups = merge_bins(counts, 6, MergeSettings(trend=trend)).groups
    woe = counts.grouped(groups).woe().tolist()
    assert keeps("peak", woe)
    assert (keeps("ascending", woe) or keeps("descending", woe)) == (shape == "monotone")


def test_a_small_dent_does_not_bend_a_monotone_trend() -> None:
    counts = BinCounts(np.full(6, 1000), np.array([400, 300, 200, 100, 50, 52]))
    woe = counts.grouped(merge_bins(counts, 6, MergeSettings()).groups).woe().tolist()
    assert keeps("ascending", woe)


def test_special_and_missing_bins_stay_beside_the_ordered_ones() -> None:
    counts = BinCounts(np.array([500, 500, 500, 40, 30]), np.array([100, 99, 20, 20, 5]))
    groups = merge_bins(counts, 3, MergeSettings(max_bins=2, minimum_rows=100)).groups
    assert groups.tolist() == [0, 0, 1, 2, 3]


def test_categories_are_grouped_by_woe_not_by_place() -> None:
    counts = BinCounts(np.array([500, 500, 500, 500]), np.array([100, 10, 105, 12]))
    groups = merge_bins(counts, 0, MergeSettings(max_bins=2)).groups
    assert groups.tolist() == [0, 1, 0, 1]


def test_where_nothing_fits_one_bin_is_left() -> None:
    counts = BinCounts(np.array([10, 10]), np.array([1, 5]))
    assert merge_bins(counts, 2, MergeSettings(minimum_rows=15)).groups.tolist() == [0, 0]


def test_few_rows_join_the_bin_that_is_nearest_in_risk() -> None:
    """Of ten missing values eight are bad: they join the riskiest bin, and not the median's."""
    counts = BinCounts(np.array([500, 500, 500, 10, 3]), np.array([200, 60, 20, 8, 0]))
    settings = MergeSettings(minimum_rows=100, lone_rows=20)
    assert merge_bins(counts, 3, settings).groups.tolist() == [0, 1, 2, 0, 1]


def test_a_few_ordinary_numbers_beside_codes_join_one_of_them() -> None:
    counts = BinCounts(np.array([7, 700, 700]), np.array([1, 318, 147]))
    assert merge_bins(counts, 1, MergeSettings(minimum_rows=70, lone_rows=10)).groups.tolist() == [0, 1, 0]
    counts = BinCounts(np.array([17, 700, 700]), np.array([6, 318, 147]))
    assert merge_bins(counts, 1, MergeSettings(minimum_rows=70, lone_rows=10)).groups.tolist() == [0, 1, 2]


def test_missing_categories_stay_apart() -> None:
    counts = BinCounts(np.array([500, 500, 500, 40]), np.array([100, 10, 105, 4]))
    assert merge_bins(counts, 0, MergeSettings(max_bins=2), alone=(3,)).groups.tolist() == [0, 1, 0, 2]


def test_levels_that_training_did_not_see_count_as_average() -> None:
    """The safest level has no events: an unknown one does not share its points."""
    counts = BinCounts(np.array([953, 935, 245, 0, 0]), np.array([202, 223, 0, 0, 0]))
    settings = MergeSettings(minimum_rows=100, lone_rows=10)
    assert merge_bins(counts, 0, settings, alone=(4,)).groups.tolist() == [0, 1, 2, 0, 0]


def test_thousands_of_categories_are_grouped_by_risk() -> None:
    rng = np.random.default_rng(0)
    rows, rate = np.full(3000, 60), np.repeat([0.05, 0.3], 1500)
    counts = BinCounts(rows, rng.binomial(rows, rate))
    groups = merge_bins(counts, 0, MergeSettings(minimum_rows=9000)).groups
    woe = counts.grouped(groups).woe()[groups]
    assert (woe[:1500] > 0).mean() > 0.99
    assert (woe[1500:] < 0).mean() > 0.99


def test_a_trend_is_given_up_where_it_costs_much_and_what_it_costs_is_told() -> None:
    counts = BinCounts(np.full(6, 2000), np.array([100, 900, 100, 900, 100, 900]))
    free = merge_bins(counts, 6, MergeSettings())
    assert free.groups.tolist() == [0, 1, 2, 3, 4, 5]
    assert free.trend_loss == 0
    straight = merge_bins(counts, 6, MergeSettings(trend="monotone"))
    assert straight.trend_loss == pytest.approx(counts.iv() - counts.grouped(straight.groups).iv())
    assert straight.trend_loss > 0.5
