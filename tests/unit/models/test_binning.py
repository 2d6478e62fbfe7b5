"""Bins without labels: every value has one, none is too small, and merging keeps to it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import StorageError
from saferoom.models.scorecard.binning import CategoryBins, NumberBins, bins_from_dict
from saferoom.models.scorecard.pre_binning import category_bins, quantile_bins, tree_bins

Array = np.ndarray[Any, Any]

columns = st.lists(
    st.sampled_from([np.nan, -1.0, 0.0, 0.5, 1.0, 2.5, 3.0, 1e9, -1e300]) | st.floats(-10, 10),
    min_size=1,
    max_size=200,
).map(np.array)


def test_numbers_fall_into_bins_closed_on_the_right() -> None:
    bins = NumberBins((0.0, 1.5), {-1.0: 3}, 4)
    values = np.array([-5, 0, 0.1, 1.5, 1.6, np.inf, -1, np.nan])
    assert bins.assign(values).tolist() == [0, 0, 1, 1, 2, 2, 3, 4]
    assert bins.names() == ("(-inf, 0]", "(0, 1.5]", "(1.5, inf)", "special -1", "missing")
    assert (bins.ordered, bins.size) == (3, 5)


@given(values=columns, count=st.integers(2, 20), minimum=st.integers(1, 30))
def test_no_quantile_bin_is_smaller_than_the_minimum(values: Array, count: int, minimum: int) -> None:
    bins = quantile_bins(values, count=count, minimum_rows=minimum, specials=(-1.0,))
    if bins is None:
        return
    rows = np.bincount(bins.assign(values), minlength=bins.size)
    assert rows.sum() == len(values)
    assert rows.min() >= minimum
    assert 2 <= bins.size <= count + 2
    assert list(bins.edges) == sorted(set(bins.edges))


def test_quantile_bins_are_about_equal_and_need_no_label() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    bins = quantile_bins(values, count=20, minimum_rows=100)
    assert bins is not None
    rows = np.bincount(bins.assign(values))
    assert len(rows) == 20
    assert abs(rows - 500).max() <= 1


def test_a_rare_gap_counts_as_the_median_and_a_rare_code_as_a_number() -> None:
    values = np.concatenate([np.arange(100.0), [np.nan] * 3, [-9.0] * 3])
    bins = quantile_bins(values, count=4, minimum_rows=10, specials=(-9.0,))
    assert bins is not None
    median = bins.assign(np.array([48.0]))[0]
    assert bins.assign(np.array([np.nan, -9.0])).tolist() == [median, 0]
    often = quantile_bins(np.repeat(values, 4), count=4, minimum_rows=10, specials=(-9.0,))
    assert often is not None
    assert often.assign(np.array([np.nan, -9.0])).tolist() == [often.size - 1, often.size - 2]


@pytest.mark.parametrize("values", [[1.0] * 50, [np.nan] * 50, [1.0] * 45 + [2.0] * 5, []])
def test_a_column_without_two_bins_gives_none(values: list[float]) -> None:
    assert quantile_bins(np.array(values), count=10, minimum_rows=10) is None


def test_a_tree_cuts_where_the_labels_change() -> None:
    rng = np.random.default_rng(1)
    values = np.round(rng.uniform(0, 10, 4000), 3)
    y = (rng.random(4000) < np.where(values > 7.3, 0.6, 0.05)).astype(float)
    bins = tree_bins(values, y, count=4, minimum_rows=100)
    assert bins is not None
    assert min(abs(edge - 7.3) for edge in bins.edges) < 0.05
    assert np.bincount(bins.assign(values)).min() >= 100


def test_rare_categories_share_a_bin_and_unseen_ones_join_it() -> None:
    levels = ("a", "b", "c", "d")
    codes = np.repeat([0, 1, 2, 3, -1], [50, 40, 6, 6, 20]).astype(np.int32)
    bins = category_bins(codes, levels, count=10, minimum_rows=10)
    assert bins is not None
    assert bins.assign(codes, levels).tolist() == [0] * 50 + [1] * 40 + [2] * 12 + [3] * 20
    assert bins.assign(np.array([0, 1, -1]), ("new", "a")).tolist() == [2, 0, 3]
    assert bins.names() == ("a", "b", "other", "missing")


def test_too_few_rare_categories_join_the_smallest_bin() -> None:
    codes = np.repeat([0, 1, 2], [50, 40, 3]).astype(np.int32)
    bins = category_bins(codes, ("a", "b", "c"), count=10, minimum_rows=10)
    assert bins is not None
    assert bins.size == 2
    assert bins.assign(np.array([2, -1]), ("a", "b", "c")).tolist() == [1, 1]
    assert category_bins(codes[:50], ("a", "b", "c"), count=10, minimum_rows=10) is None


def test_merged_bins_hold_what_their_parts_held() -> None:
    bins = NumberBins((0.0, 1.0, 2.0), {-1.0: 4}, 5)
    groups = np.array([0, 0, 1, 2, 3, 3])
    values = np.array([-3, 0.5, 1.5, 9.0, -1.0, np.nan])
    merged = bins.regrouped(groups)
    assert merged.edges == (1.0, 2.0)
    assert merged.assign(values).tolist() == groups[bins.assign(values)].tolist()
    categories = CategoryBins({"a": 0, "b": 1, "c": 2}, 3, 2)
    codes = np.array([0, 1, 2, -1])
    fewer = categories.regrouped(np.array([1, 0, 1, 0]))
    assert fewer.assign(codes, ("a", "b", "c")).tolist() == [1, 0, 1, 0]


def test_bins_survive_json_unchanged() -> None:
    for bins in (NumberBins((0.1, 1 / 3), {-1.0: 3}, 1), CategoryBins({"甲": 0, "b": 1}, 1, 0)):
        assert bins_from_dict(json.loads(json.dumps(bins.to_dict()))) == bins
    with pytest.raises(StorageError):
        bins_from_dict({"type": "numeric", "edges": ["x"]})
