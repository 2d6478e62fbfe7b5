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
from saferoom.models.scorecard.pre_binning import category_bins, quantile_bins, tree_bins, usual_count

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
def test_no_ordered_bin_is_smaller_than_the_minimum(values: Array, count: int, minimum: int) -> None:
    bins = quantile_bins(values, count=count, minimum_rows=minimum, specials=(-1.0,))
    if bins is None:
        return
    rows = np.bincount(bins.assign(values), minlength=bins.size)
    assert rows.sum() == len(values)
    assert bins.ordered == 1 or rows[: bins.ordered].min() >= minimum
    assert (bins.specials, bins.missing) == ({-1.0: bins.ordered}, bins.ordered + 1)
    assert list(bins.edges) == sorted(set(bins.edges))


def test_quantile_bins_are_about_equal_and_need_no_label() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    bins = quantile_bins(values, count=20, minimum_rows=100)
    assert bins is not None
    rows = np.bincount(bins.assign(values))
    assert len(rows) == 20
    assert abs(rows - 500).max() <= 1


def test_gaps_and_codes_have_bins_of_their_own_however_rare_they_are() -> None:
    values = np.concatenate([np.arange(100.0), [np.nan] * 3, [-9.0] * 3])
    bins = quantile_bins(values, count=4, minimum_rows=10, specials=(-9.0, 96.0))
    assert bins is not None
    assert bins.assign(np.array([np.nan, -9.0, 96.0])).tolist() == [6, 4, 5]


def test_a_frequent_value_is_a_bin_of_its_own() -> None:
    """40 % of the rows are 5, between others: at quantiles alone it shares its bin with neighbours."""
    values = np.concatenate([np.full(400, 5.0), np.linspace(0, 10, 600)])
    bins = quantile_bins(values, count=20, minimum_rows=20)
    assert bins is not None
    own = bins.assign(np.array([5.0]))[0]
    assert np.count_nonzero(bins.assign(values) == own) == 400


def test_edges_lie_between_values() -> None:
    """A value that was read with single precision stays in its bin."""
    values = np.round(np.random.default_rng(3).normal(size=4000), 3)
    bins = quantile_bins(values, count=50, minimum_rows=20)
    assert bins is not None
    assert np.array_equal(bins.assign(values), bins.assign(values.astype(np.float32).astype(float)))
    assert not set(bins.edges) & set(values.tolist())


def test_pre_bins_follow_the_rows() -> None:
    assert [usual_count(rows, 50) for rows in (90, 1000, 5000, 10**6)] == [2, 10, 50, 100]


@pytest.mark.parametrize("values", [[1.0] * 50, [np.nan] * 50, [1.0] * 45 + [2.0] * 5, []])
def test_a_column_without_two_bins_gives_none(values: list[float]) -> None:
    assert quantile_bins(np.array(values), count=10, minimum_rows=10) is None


@pytest.mark.parametrize("specials", [(-9999.0, -8888.0), (-1.0,)], ids=["codes and gaps", "a code and gaps"])
def test_a_column_of_special_codes_alone_has_bins(specials: tuple[float, ...]) -> None:
    rows = [70, 71, 20][-len(specials) - 1 :]
    values = np.repeat([*specials, np.nan], rows)
    bins = quantile_bins(values, count=10, minimum_rows=20, specials=specials)
    assert bins is not None
    assert np.bincount(bins.assign(values)).tolist() == [0, *rows]


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
    bins = category_bins(codes, levels, minimum_rows=10)
    assert bins is not None
    assert bins.assign(codes, levels).tolist() == [0] * 50 + [1] * 40 + [2] * 12 + [4] * 20
    assert bins.assign(np.array([0, 1, -1]), ("new", "a")).tolist() == [3, 0, 4]
    assert bins.names() == ("a", "b", "c or d", "all other levels", "missing")
    assert category_bins(codes[:50], levels, minimum_rows=10) is None


def test_levels_that_are_called_as_bins_are_do_not_share_their_names() -> None:
    bins = CategoryBins({"missing": 0, "all other levels": 1}, 3, 2)
    assert bins.names() == ("'missing'", "'all other levels'", "all other levels", "missing")
    assert bins.names(had_missing=False)[3] == ""


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
