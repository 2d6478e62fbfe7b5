"""Rules of counting: nothing below the minimums is told, neighbours stay together, nothing is lost."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import RefusedError, ShapeError, UsageError
from saferoom.protocols.bin_groups import PAIRINGS, ColumnGroups, count_plain
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums, count_own, sums_by
from saferoom.protocols.shuffled_bins import NOT_ASKED, ShuffledBins

Array = np.ndarray[Any, Any]
ROWS = st.lists(st.integers(0, 30), min_size=1, max_size=12)


def column(rows: list[int], ordered: int) -> BinnedFeature:
    return BinnedFeature(np.repeat(np.arange(len(rows)), rows), len(rows), ordered)


def labels(rows: list[int], events: list[int]) -> Array:
    """The first rows of each bin are events."""
    return np.concatenate([np.arange(n) < e for n, e in zip(rows, events, strict=True)]).astype(np.int64)


def counted(rows: list[int], events: list[int], ordered: int, minimums: Minimums) -> FeatureCounts:
    return count_plain([column(rows, ordered)], labels(rows, events), minimums)[0]


def groups(rows: list[int], ordered: int, minimum: int) -> ColumnGroups:
    return ColumnGroups(column(rows, ordered), sum(rows), Minimums(minimum, 0))


def assert_well_merged(merged: Array, ordered: int) -> None:
    """Numbers from 0 in order of appearance; each ordered bin is a run."""
    assert list(dict.fromkeys(merged.tolist())) == list(range(merged.max() + 1))
    runs = [number for number, _ in groupby(merged[:ordered].tolist())]
    assert runs == sorted(set(runs))


@given(rows=ROWS, data=st.data(), minimum=st.integers(1, 40))
def test_every_slot_holds_the_minimum_of_rows(rows: list[int], data: st.DataObject, minimum: int) -> None:
    ordered = data.draw(st.integers(0, len(rows)))
    if sum(rows) < minimum:
        with pytest.raises(RefusedError):
            groups(rows, ordered, minimum)
        return
    found = groups(rows, ordered, minimum)
    held = np.bincount(found.slot_of_rows(), minlength=found.slots + 1)
    assert held[:-1].min() >= minimum
    assert held[-1] < minimum
    assert found.slot_rows.tolist() == held[:-1].tolist()


@given(rows=ROWS, data=st.data(), minimum=st.integers(1, 30), events=st.integers(0, 8))
def test_rows_and_events_add_up_and_what_is_told_holds_the_minimums(
    rows: list[int], data: st.DataObject, minimum: int, events: int
) -> None:
    ordered = data.draw(st.integers(0, len(rows)))
    bad = [data.draw(st.integers(0, n)) for n in rows]
    if sum(rows) < minimum or sum(bad) < events:
        return
    found = counted(rows, bad, ordered, Minimums(minimum, events))
    assert_well_merged(found.merged, ordered)
    assert found.rows.tolist() == np.bincount(found.merged, weights=rows).tolist()
    assert found.events.sum() == sum(bad)
    assert (found.events[:, 0] <= found.rows).all()
    assert found.events.min() >= 0
    told = ~found.estimated
    assert (found.rows[told] >= minimum).all() or len(told) > 1
    true = np.bincount(found.merged, weights=bad)
    exact = told & (found.rows >= minimum)
    assert found.events[exact, 0].tolist() == true[exact].tolist()
    assert (found.events[exact] >= events).all()


@given(rows=ROWS, data=st.data(), minimum=st.integers(1, 30), events=st.integers(1, 8))
def test_what_a_feature_holder_finds_does_not_depend_on_counts_below_the_minimum(
    rows: list[int], data: st.DataObject, minimum: int, events: int
) -> None:
    """Move events from a slot that was below the minimum into the one that is held: nothing changes."""
    ordered = data.draw(st.integers(0, len(rows)))
    bad = np.array([data.draw(st.integers(0, n)) for n in rows])
    if sum(rows) < minimum or bad.sum() < events:
        return
    limits = Minimums(minimum, events)
    before = counted(rows, bad.tolist(), ordered, limits)
    hidden = np.flatnonzero(before.estimated[before.merged] & (bad > 0))
    fullest = groups(rows, ordered, minimum)
    into = np.flatnonzero(fullest.slot == fullest.fullest)
    room = [one for one in into if bad[one] < rows[one] and before.events[before.merged[one], 0] >= events]
    one = next((place for place in hidden if before.rows[before.merged[place]] < minimum), None)
    if one is None or not room or one in into:
        return
    moved = bad.copy()
    moved[one] -= 1
    moved[room[0]] += 1
    after = counted(rows, moved.tolist(), ordered, limits)
    if after.merged.tolist() == before.merged.tolist():  # the one more may lift a slot above the minimum
        assert after.events.tolist() == before.events.tolist()


def test_few_missing_values_keep_a_bin_of_their_own_and_nobody_tells_their_events() -> None:
    """Two runs that differ in the labels of three missing rows alone, and in as many of the fullest bin."""
    rows = [40, 60, 40, 3]
    first = counted(rows, [4, 18, 12, 3], 3, Minimums(20, 2))
    second = counted(rows, [4, 21, 12, 0], 3, Minimums(20, 2))
    assert first.merged.tolist() == [0, 1, 2, 3]
    assert first.events.tolist() == second.events.tolist() == [[4], [20], [12], [1]]
    assert first.estimated.tolist() == [False, True, False, True]


def test_a_level_without_events_is_put_at_half_the_minimum_and_not_with_others() -> None:
    found = counted([300, 400, 245, 0, 0], [72, 60, 0, 0, 0], 0, Minimums(50, 10))
    assert found.merged.tolist() == [0, 1, 2, 3, 4]
    assert found.events[:, 0].tolist() == [72, 55, 5, 0, 0]
    assert found.estimated.tolist() == [False, True, True, False, False]


def test_neighbours_that_hold_too_few_events_are_counted_together() -> None:
    """A low tail of six bins: none has ten, three pairs have, and no neighbour with many is touched."""
    found = counted([100] * 8, [30, 25, 6, 5, 7, 4, 6, 5], 8, Minimums(50, 10))
    assert found.merged.tolist() == [0, 1, 2, 2, 3, 3, 4, 4]
    assert found.events[:, 0].tolist() == [30, 25, 11, 11, 11]
    assert not found.estimated.any()


def test_a_bin_with_few_events_joins_its_neighbour_unless_it_stands_out() -> None:
    joined = counted([100, 100, 100], [30, 9, 20], 3, Minimums(50, 10))
    assert joined.merged.tolist() == [0, 0, 1]
    assert joined.events[:, 0].tolist() == [39, 20]
    apart = counted([300, 400, 300], [90, 2, 60], 3, Minimums(50, 10))
    assert apart.merged.tolist() == [0, 1, 2]
    assert apart.estimated.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("rows", "ordered", "minimum", "slots"),
    [
        ([10, 10, 10], 3, 5, [0, 1, 2]),
        ([2, 3, 10], 3, 5, [0, 0, 1]),
        ([10, 3, 1], 3, 5, [0, 0, 0]),
        ([10, 10, 1], 3, 5, [0, 1, 1]),
        ([0, 10, 0, 10, 0], 5, 5, [0, 0, 1, 1, 1]),
        ([10, 10, 3], 2, 5, [0, 1, -1]),
        ([10, 9, 8, 3], 1, 5, [0, 1, 2, -1]),
        ([10, 3, 3], 1, 5, [0, 1, 1]),  # rare categories are one together, if they are enough
        ([3, 10, 10, 1], 1, 5, [-1, 0, 1, -1]),
        ([2, 2, 3], 2, 7, [0, 0, 0]),
    ],
)
def test_slots_by_rows(rows: list[int], ordered: int, minimum: int, slots: list[int]) -> None:
    assert groups(rows, ordered, minimum).slot.tolist() == slots


def test_who_holds_the_labels_counts_every_bin_as_it_is() -> None:
    bins = np.repeat([0, 1, 2, 3], [10, 10, 10, 2])
    found = count_own([BinnedFeature(bins, 4, 3)], labels([10, 10, 10, 2], [3, 1, 2, 0]))[0]
    assert found.merged.tolist() == [0, 1, 2, 3]
    assert found.rows.tolist() == [10, 10, 10, 2]
    assert found.events.tolist() == [[3], [1], [2], [0]]
    assert "10" not in repr(found)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: BinnedFeature(np.zeros((2, 2), int), 1, 1),
        lambda: BinnedFeature(np.zeros(2), 1, 1),
        lambda: BinnedFeature(np.array([0, 3]), 3, 3),
        lambda: BinnedFeature(np.array([0, -1]), 3, 3),
        lambda: BinnedFeature(np.zeros(2, int), 1, 2),
        lambda: BinnedFeature(np.zeros(2, int), 0, 0),
        lambda: Minimums(0, 1),
        lambda: Minimums(1, -1),
        lambda: count_plain([], np.array([0, 2]), Minimums(1, 1)),
        lambda: count_own([], np.zeros((2, 2, 2))),
        lambda: count_plain([BinnedFeature(np.zeros(2, int), 1, 1)], np.zeros(3), Minimums(1, 1)),
        lambda: count_own([BinnedFeature(np.zeros(2, int), 1, 1)], np.zeros(3)),
    ],
)
def test_what_makes_no_sense_is_refused(bad: object) -> None:
    with pytest.raises((UsageError, ShapeError)):
        bad()  # type: ignore[operator]


def test_shuffled_bins_come_back_in_place() -> None:
    """Whatever the order, events told for groups end at the bins they were counted in."""
    rng = np.random.default_rng(5)
    features = [BinnedFeature(rng.integers(0, 7, 400), 7, 5), BinnedFeature(rng.integers(0, 3, 400), 3, 3)]
    y, minimums = (rng.random((400, 1)) < 0.3).astype(np.int64), Minimums(10, 4)
    for _ in range(20):
        bins = ShuffledBins(features, 400, minimums)
        sums = [
            [int(y[placed == number].sum()) for number in range(count)]
            for placed, count in zip(bins.columns, bins.counts, strict=True)
        ]
        slots = np.array(bins.shuffled(sums))[:, None]
        bins.groups()
        for number in range(1 + PAIRINGS):
            if number:
                bins.pair()
            bins.learn(minimums.hold(sums_by(bins.groups(), slots)))
        bins.settle(y.sum(axis=0))
        asked = bins.asked()
        told = sums_by(asked[asked != NOT_ASKED], slots[asked != NOT_ASKED])
        plain = count_plain(features, y, minimums)
        for one, other in zip(bins.finish(told, y.sum(axis=0)), plain, strict=True):
            assert np.array_equal(one.merged, other.merged)
            assert np.array_equal(one.events, other.events)


def test_a_tenth_to_a_third_of_the_fullest_bin_is_left_out_of_what_is_sent() -> None:
    features = [column([100, 300, 200, 5], 3)]
    shares = []
    for _ in range(200):
        bins = ShuffledBins(features, 605, Minimums(20, 0))
        rows = np.bincount(bins.columns[0])
        assert rows[[0, 2]].tolist() == [100, 200]
        assert rows.sum() == 605
        shares.append((int(rows[3]) - 5) / 300)
    assert 0.1 <= min(shares) < 0.15
    assert 0.3 < max(shares) <= 1 / 3
