"""A party's columns for trees: their bins, and which of them a tree may split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.models.boosting.columns import binned, columns_of_tree, level_bins, number_bins
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates
from tests.property import examples

NAN = float("nan")


def rows_by_bin(values: list[float], most: int) -> list[int]:
    bins = number_bins(np.array(values), most)
    assert bins is not None
    codes = bins.assign(np.array(values))
    return np.bincount(codes, minlength=bins.size).tolist()


def test_few_values_have_a_bin_each() -> None:
    assert rows_by_bin([3.0, 1.0, 2.0, 2.0, NAN], 8) == [1, 2, 1, 1]


def test_many_values_are_cut_near_their_quantiles() -> None:
    """Half a bin beside them at most, and never at them, so that sums over equal hessians say nothing."""
    for share in range(10):
        rows = rows_by_bin([value / (1 + share) for value in range(1000)], 10)[:-1]
        assert len(rows) == 10 and sum(rows) == 1000
        off = np.cumsum(rows)[:-1] - np.arange(100, 1000, 100)
        assert (np.abs(off) <= 51).all()
        assert len(set(off.tolist())) > 5


def test_cuts_follow_from_the_values_whatever_their_order() -> None:
    """Anew in a job that is resumed, and beside no other column's."""
    values = np.random.default_rng(0).normal(size=500)
    bins = number_bins(values, 8)
    assert bins == number_bins(values[::-1], 8)
    other = number_bins(values + 1, 8)
    assert bins is not None and other is not None
    assert not np.allclose(np.array(bins.edges) + 1, other.edges, atol=1e-3)


def test_a_value_that_fills_a_bin_stands_alone() -> None:
    values = [0.0] * 500 + list(range(1, 501))
    bins = number_bins(np.array(values), 11)
    assert bins is not None
    codes = bins.assign(np.array(values))
    assert set(np.array(values)[codes == codes[0]]) == {0.0}
    assert bins.ordered <= 11


def test_a_column_of_one_value_is_left_out_unless_it_misses_some() -> None:
    assert number_bins(np.array([4.0, 4.0]), 8) is None
    assert rows_by_bin([4.0, 4.0, NAN], 8) == [2, 1]


def test_a_column_of_missing_values_alone_has_no_candidates_to_split_by() -> None:
    bins = number_bins(np.array([NAN, NAN]), 8)
    assert bins is None or binned(bins, bins.assign(np.array([NAN, NAN]))).ordered <= 1


@given(
    values=st.lists(
        st.one_of(st.sampled_from([0.0, 1.0, NAN]), st.floats(-1e6, 1e6)), min_size=2, max_size=200
    ),
    most=st.integers(2, 20),
)
@examples(150)
def test_never_more_bins_than_asked_and_order_is_kept(values: list[float], most: int) -> None:
    column = np.array(values)
    bins = number_bins(column, most)
    if bins is None:
        return
    assert bins.ordered <= most
    assert all(a < b for a, b in zip(bins.edges, bins.edges[1:], strict=False))
    codes = bins.assign(column)
    known = ~np.isnan(column)
    order = np.argsort(column[known], kind="stable")
    assert (np.diff(codes[known][order]) >= 0).all()
    assert (codes[~known] == bins.missing).all()
    feature = binned(bins, codes)
    assert feature.count == bins.ordered + bool((~known).any())
    assert feature.ordered == bins.ordered


def test_frequent_levels_have_a_bin_the_others_share_one() -> None:
    levels = ("a", "b", "c", "d")
    codes = np.array([0] * 5 + [1] * 1 + [2] * 4 + [3] * 2 + [-1])
    bins = level_bins(codes, levels, 3)
    assert bins is not None
    assert set(bins.levels) == {"a", "c"}
    found = binned(bins, bins.assign(codes, levels))
    assert (found.ordered, found.count) == (0, 4)
    assert found.rows().tolist() == [5, 4, 1, 3], "missing values, then all others"


def test_levels_that_training_did_not_see_go_with_the_others() -> None:
    bins = level_bins(np.array([0, 1, 1, 0]), ("a", "b"), 8)
    assert bins is not None
    assert bins.assign(np.array([0, 1, -1]), ("z", "b")).tolist()[0] == bins.other


@pytest.mark.parametrize("codes", [[0, 0, 0], [-1, -1]])
def test_a_category_of_one_level_is_left_out(codes: list[int]) -> None:
    assert level_bins(np.array(codes), ("a", "b"), 8) is None


def test_bin_numbers_are_small() -> None:
    bins = number_bins(np.arange(1000.0), 300)
    assert bins is not None
    assert binned(bins, bins.assign(np.arange(1000.0))).bins.dtype == np.uint16
    bins = number_bins(np.arange(1000.0), 32)
    assert bins is not None
    assert binned(bins, bins.assign(np.arange(1000.0))).bins.dtype == np.uint8


FEATURES = [BinnedFeature(np.arange(10, dtype=np.uint8) % 2, 2, 2) for _ in range(20)]


def columns(candidates: Candidates) -> tuple[int, ...]:
    """The columns among all of the party's: every one has a single candidate."""
    rows = np.arange(10, dtype=np.int32)
    return tuple(candidates.split(candidate, rows).column for candidate in range(len(candidates)))


def drawn(tree: int = 0, place: int = 0, *, share: float = 0.5, seed: int = 0) -> tuple[int, ...]:
    settings = BoostingSettings(colsample_bytree=share, seed=seed)
    return columns(columns_of_tree(tree, place, FEATURES, settings))


def test_a_share_is_drawn_in_the_order_of_columns() -> None:
    assert len(drawn()) == 10
    assert list(drawn()) == sorted(set(drawn()))
    assert drawn() == drawn()


def test_every_tree_party_and_seed_has_a_draw_of_its_own() -> None:
    draws = {drawn(tree, place, seed=seed) for tree in range(3) for place in range(3) for seed in range(2)}
    assert len(draws) == 18


@pytest.mark.parametrize(("share", "count"), [(1.0, 20), (0.01, 1), (0.33, 7)])
def test_at_least_one_column_takes_part(share: float, count: int) -> None:
    assert len(drawn(share=share)) == count


def test_a_party_without_columns_brings_none() -> None:
    assert len(columns_of_tree(0, 0, [], BoostingSettings(colsample_bytree=0.5))) == 0
