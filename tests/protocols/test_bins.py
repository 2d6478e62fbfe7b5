"""Rules of merging: every final bin holds the minimum, neighbours stay together, nothing is lost."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ProtocolError, RefusedError, ShapeError, UsageError
from saferoom.protocols.bins import (
    BinnedFeature,
    Minimums,
    count_plain,
    merged_by_flags,
    merged_by_rows,
)
from saferoom.protocols.shuffled_bins import ShuffledBins

ROWS = st.lists(st.integers(0, 30), min_size=1, max_size=12)


def assert_well_merged(merged: np.ndarray[Any, Any], ordered: int) -> None:
    """Numbers from 0 in order of appearance; each ordered bin is a run."""
    assert list(dict.fromkeys(merged.tolist())) == list(range(merged.max() + 1))
    runs = [number for number, _ in groupby(merged[:ordered].tolist())]
    assert runs == sorted(set(runs))


@given(rows=ROWS, data=st.data(), minimum=st.integers(1, 40))
def test_every_merged_bin_holds_the_minimum(rows: list[int], data: st.DataObject, minimum: int) -> None:
    ordered, held = data.draw(st.integers(0, len(rows))), np.array(rows)
    if held.sum() < minimum:
        with pytest.raises(RefusedError):
            merged_by_rows(held, ordered, minimum)
        return
    merged = merged_by_rows(held, ordered, minimum)
    assert_well_merged(merged, ordered)
    assert np.bincount(merged, weights=held).min() >= minimum


@given(rows=ROWS, data=st.data())
def test_every_merged_bin_contains_one_with_enough_events(rows: list[int], data: st.DataObject) -> None:
    ordered = data.draw(st.integers(0, len(rows)))
    enough = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    merged = merged_by_flags(enough, np.array(rows), ordered)
    assert_well_merged(merged, ordered)
    if enough.any():
        assert set(merged[enough].tolist()) == set(range(merged.max() + 1))
    else:
        assert not merged.any()


@pytest.mark.parametrize(
    ("rows", "ordered", "minimum", "merged"),
    [
        ([10, 10, 10], 3, 5, [0, 1, 2]),
        ([2, 3, 10], 3, 5, [0, 0, 1]),
        ([10, 3, 1], 3, 5, [0, 0, 0]),
        ([10, 10, 1], 3, 5, [0, 1, 1]),
        ([0, 10, 0, 10, 0], 5, 5, [0, 0, 1, 1, 1]),
        ([10, 10, 3], 2, 5, [0, 1, 0]),  # few missing values join the fullest ordered bin
        ([10, 11, 3], 2, 5, [0, 1, 1]),
        ([11, 10, 3], 2, 5, [0, 1, 0]),
        ([10, 9, 8, 3], 1, 5, [0, 1, 2, 2]),  # … or the smallest that stands alone
        ([10, 3, 3], 1, 5, [0, 1, 1]),  # rare categories are one together, if they are enough
        ([9, 3, 1, 8], 0, 5, [0, 1, 1, 1]),
        ([2, 2, 9], 2, 5, [0, 0, 0]),
        ([2, 2, 3], 2, 7, [0, 0, 0]),
    ],
)
def test_merging_by_rows(rows: list[int], ordered: int, minimum: int, merged: list[int]) -> None:
    assert merged_by_rows(np.array(rows), ordered, minimum).tolist() == merged


@pytest.mark.parametrize(
    ("enough", "ordered", "merged"),
    [
        ([1, 1, 1], 3, [0, 1, 2]),
        ([0, 1, 0, 0, 1, 0], 6, [0, 0, 0, 0, 1, 1]),
        ([0, 0], 2, [0, 0]),
        ([1, 1, 0], 2, [0, 1, 0]),  # equal rows: the first
        ([0, 0, 1], 2, [0, 0, 0]),
        ([1, 0, 1, 0], 1, [0, 1, 1, 1]),
        ([0, 0, 0], 1, [0, 0, 0]),
    ],
)
def test_merging_by_flags(enough: list[int], ordered: int, merged: list[int]) -> None:
    rows = np.full(len(enough), 10)
    assert merged_by_flags(np.array(enough, dtype=bool), rows, ordered).tolist() == merged


def test_plain_counts() -> None:
    bins = np.repeat([0, 1, 2, 3], [10, 10, 10, 2])
    labels = np.zeros(32, dtype=np.int64)
    labels[[0, 1, 2, 12, 22, 23]] = 1
    (found,) = count_plain([BinnedFeature(bins, 4, 3)], labels, Minimums(5, 2))
    # The two missing rows join the fullest; bin 1 has one event only and joins the bin before it.
    assert found.merged.tolist() == [0, 0, 1, 0]
    assert found.rows.tolist() == [22, 10]
    assert found.events.tolist() == [[4], [2]]
    assert "4" not in repr(found).replace("bins=4", "")


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
        lambda: count_plain([], np.zeros((2, 2, 2)), Minimums(1, 1)),
        lambda: count_plain([BinnedFeature(np.zeros(2, int), 1, 1)], np.zeros(3), Minimums(1, 1)),
    ],
)
def test_what_makes_no_sense_is_refused(bad: object) -> None:
    with pytest.raises((UsageError, ShapeError)):
        bad()  # type: ignore[operator]


def test_shuffled_bins_come_back_in_place() -> None:
    """Whatever the order, events given for the groups end at the bins they were counted in."""
    rng = np.random.default_rng(5)
    features = [BinnedFeature(rng.integers(0, 7, 200), 7, 5), BinnedFeature(rng.integers(0, 3, 200), 3, 3)]
    labels, minimums = (rng.random((200, 1)) < 0.2).astype(np.int64), Minimums(10, 6)
    for _ in range(20):
        bins = ShuffledBins(features, 200, minimums)
        sums = [
            [int(labels[column == number].sum()) for number in range(count)]
            for column, count in zip(bins.columns, bins.counts, strict=True)
        ]
        events = np.array(bins.shuffled(sums))
        groups = bins.merge(events >= minimums.events)
        grouped = np.bincount(groups, weights=events).astype(np.int64)
        for one, other in zip(
            bins.finish(grouped[:, None]), count_plain(features, labels, minimums), strict=True
        ):
            assert np.array_equal(one.merged, other.merged)
            assert np.array_equal(one.events, other.events)
    with pytest.raises(ProtocolError):
        ShuffledBins(features, 200, minimums).finish(np.zeros((1, 1), np.int64))
