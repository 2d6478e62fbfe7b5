"""Which candidate splits are kept: nothing that is made of their sums speaks of too few rows."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.arrays import I32, Mask
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates, Split, goes_left
from tests.property import examples


def feature(bins: list[int], count: int, ordered: int) -> BinnedFeature:
    return BinnedFeature(np.array(bins, dtype=np.uint8), count, ordered)


def all_of(candidates: Candidates) -> Mask:
    return np.ones(len(candidates), dtype=bool)


def rows_of(*nodes: list[int]) -> list[I32]:
    return [np.array(node, dtype=np.int32) for node in nodes]


# What candidates there are ---------------------------------------------------------------------------


def test_natural_order() -> None:
    found = Candidates([feature([0, 1, 2], 3, 3), feature([0, 1, 2], 3, 2), feature([0, 1, 1], 2, 0)])
    assert found.column.tolist() == [0, 0, 1, 1, 2]
    assert found.cut.tolist() == [0, 1, 0, 1, 1]
    assert found.missing_left.tolist() == [False, False, True, False, False]


def test_every_cut_has_one_side_for_missing_values_and_the_other_one_in_the_next_tree() -> None:
    column = feature([0, 1, 2, 3, 4], 5, 4)
    for tree in range(4):
        found = Candidates([column], [6], tree)
        assert found.cut.tolist() == [0, 1, 2, 3]
        assert found.missing_left.tolist() == [tree % 2 == 1, tree % 2 == 0, tree % 2 == 1, False]


def test_in_every_tree_another_level_is_no_candidate() -> None:
    """Else those of a column would be the ones whose sums add up to the node's."""
    column = feature([0, 1, 2], 3, 0)
    assert [Candidates([column], [1], tree).cut.tolist() for tree in range(3)] == [[0, 2], [0, 1], [1, 2]]


@pytest.mark.parametrize(("count", "ordered"), [(4, 4), (4, 3), (2, 1), (3, 0), (1, 1)])
def test_sums_are_those_of_the_rows_that_go_left(count: int, ordered: int) -> None:
    """Of every candidate, whatever its kind."""
    rng = np.random.default_rng(count)
    column = BinnedFeature(rng.integers(0, count, 50), count, ordered)
    own = Candidates([column])
    values = rng.integers(-5, 9, (50, 3))
    table = np.zeros((count, 3), dtype=np.int64)
    np.add.at(table, column.bins, values)
    everybody = np.arange(50, dtype=np.int32)
    for candidate, left in enumerate(own.left_sums([table])):
        split = Split(0, int(own.cut[candidate]), bool(own.missing_left[candidate]))
        assert np.array_equal(left, values[goes_left(column, split, everybody)].sum(axis=0))


def test_no_columns_have_no_candidates() -> None:
    own = Candidates([])
    assert len(own) == len(own.left_sums([])) == 0
    assert own.kept(all_of(own), rows_of([0, 1]), 1).tolist() == []


def test_a_split_names_the_column_among_all_of_the_party() -> None:
    own = Candidates([feature([0, 1], 2, 2)], places=[7])
    assert own.split(0, np.arange(2, dtype=np.int32)) == Split(7, 0, True)


@pytest.mark.parametrize(
    ("bins", "candidate", "missing_left"),
    [
        ([0, 0, 1], 0, True),  # none is missing: with most
        ([0, 1, 1], 0, False),
        ([0, 1], 0, True),  # as many: left
        ([0, 0, 1, 2], 0, False),  # learnt
        ([0, 1, 1, 2], 1, False),  # all known ones left
    ],
)
def test_missing_values_go_where_they_were_learnt_to_go_or_with_most(
    bins: list[int], candidate: int, missing_left: bool
) -> None:
    own = Candidates([feature(bins, 3, 2)])
    assert own.split(candidate, np.arange(len(bins), dtype=np.int32)).missing_left is missing_left


# Which are kept: by hand -----------------------------------------------------------------------------


def kept_cuts(
    column: BinnedFeature, minimum: int, *nodes: list[int], tree: int = 0
) -> list[tuple[int, bool]]:
    own = Candidates([column], tree=tree)
    root = np.arange(len(column.bins), dtype=np.int32)
    before = own.kept(all_of(own), [root], minimum)
    kept = own.kept(before, rows_of(*nodes), minimum) if nodes else before
    return [(int(own.cut[c]), bool(own.missing_left[c])) for c in np.flatnonzero(kept)]


def test_bins_that_are_too_small_join_the_next() -> None:
    column = feature([0] * 2 + [1] * 3 + [2] * 5 + [3] * 4 + [4], 5, 5)
    assert kept_cuts(column, 5) == [(1, False), (2, False)]
    assert kept_cuts(column, 6) == []
    assert kept_cuts(column, 1) == [(0, False), (1, False), (2, False), (3, False)]


def test_few_missing_values_are_not_told_apart() -> None:
    column = feature([0] * 5 + [1] * 3 + [2] * 2, 3, 2)
    assert kept_cuts(column, 5) == [(0, False)]
    assert kept_cuts(column, 2) == [(0, False), (1, False)]
    more_bins = feature([0] * 5 + [1] * 5 + [2] * 5 + [3], 4, 3)
    assert kept_cuts(more_bins, 5) == [(0, False), (1, True)]


def test_few_missing_values_are_not_what_is_left_of_a_cell_that_lies_in_one_child() -> None:
    """The second bin lies in the second child alone; in the first one its sum would be the missing rows'."""
    column, *nodes = nodes_of([[20, 20], [0, 20], [20, 20], [3, 2]], ordered=3)
    assert kept_cuts(column, 10) == [(0, False), (1, True)]
    assert kept_cuts(column, 10, *nodes) == [(0, False)]


def test_rare_levels_are_put_together_and_never_alone() -> None:
    column = feature([0] * 6 + [1] * 4 + [2] * 3 + [3], 4, 0)
    assert kept_cuts(column, 4, tree=2) == [(0, False), (1, False)]
    assert kept_cuts(column, 5, tree=2) == [(0, False)]
    with_a_rest_too_small = feature([0] * 6 + [1] * 4 + [2], 3, 0)
    assert kept_cuts(with_a_rest_too_small, 4, tree=2) == [(0, False)]


def nodes_of(
    table: list[list[int]], ordered: int | None = None
) -> tuple[BinnedFeature, list[int], list[int]]:
    """A column and two siblings: [rows in the first, rows in the second] of each bin."""
    bins = [bin_ for bin_, pair in enumerate(table) for _ in range(sum(pair))]
    first = [node for pair in table for node in [True] * pair[0] + [False] * pair[1]]
    column = feature(bins, len(table), len(table) if ordered is None else ordered)
    places = range(len(bins))
    return column, [p for p in places if first[p]], [p for p in places if not first[p]]


def test_what_is_left_when_known_cells_are_taken_off_is_not_too_small() -> None:
    """10 rows of the first child are known from the root, as its first bin; without them 2 are left."""
    column, *nodes = nodes_of([[10, 0], [2, 10], [10, 10]])
    assert kept_cuts(column, 10) == [(0, False), (1, False)]
    assert kept_cuts(column, 10, *nodes) == [(0, False)]
    column, *nodes = nodes_of([[10, 0], [2, 10]])
    assert kept_cuts(column, 10, *nodes) == []


def test_signed_sums_over_few_rows_are_not_told_either() -> None:
    """12 rows in each child; but less the second bin, 2 rows of one and 2 of the other are left."""
    column, *nodes = nodes_of([[2, 10], [10, 2], [30, 30]])
    assert kept_cuts(column, 10) == [(0, False), (1, False)]
    assert kept_cuts(column, 10, *nodes) == []


def test_a_cell_of_the_parent_that_lies_in_one_child_tells_nothing_new() -> None:
    column, *nodes = nodes_of([[20, 0], [0, 20], [15, 15]])
    assert kept_cuts(column, 10, *nodes) == [(0, False), (1, False)]


# Which are kept: by brute force ----------------------------------------------------------------------

MINIMUM = 4


@st.composite
def trees(draw: st.DrawFn) -> tuple[BinnedFeature, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """A column, and the leaf of a tree of depth 2 that each row lies in: skewed, so that sides differ."""
    kind = draw(st.sampled_from(["numbers", "numbers with gaps", "levels"]))
    count = draw(st.integers(2, 5))
    ordered = {"numbers": count, "numbers with gaps": count - 1, "levels": 0}[kind]
    cells = draw(st.lists(st.sampled_from([0, 0, 1, 2, 4, 6]), min_size=4 * count, max_size=4 * count))
    leaves = np.repeat(np.tile(np.arange(4), count), cells)
    bins = np.repeat(np.repeat(np.arange(count), 4), cells)
    return BinnedFeature(bins.astype(np.uint8), count, ordered), leaves


def told(column: BinnedFeature, leaves: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Mask]:
    """Which rows are in each sum that the label holder has, over three levels of nodes."""
    own = Candidates([column])
    root = np.arange(len(leaves), dtype=np.int32)
    halves = [root[leaves < 2], root[leaves >= 2]]
    quarters = [root[leaves == leaf] for leaf in range(4)]
    before = own.kept(all_of(own), [root], MINIMUM)
    found = _sums(own, before, [root])
    of_halves = own.kept(before, halves, MINIMUM)
    found += _sums(own, of_halves, halves)
    for pair in (quarters[:2], quarters[2:]):
        found += _sums(own, own.kept(of_halves, pair, MINIMUM), pair)
    return found


def _sums(own: Candidates, kept: Mask, nodes: list[I32]) -> list[Mask]:
    found = []
    for node in nodes:
        for candidate in np.flatnonzero(kept):
            split = Split(0, int(own.cut[candidate]), bool(own.missing_left[candidate]))
            members = np.zeros(len(own.features[0].bins), dtype=bool)
            members[node[goes_left(own.features[0], split, node)]] = True
            found.append(members)
            rest = np.zeros(len(members), dtype=bool)
            rest[node] = True
            found.append(rest & ~members)
    return found


@given(trees())
@examples(120)
def test_whatever_is_made_of_sums_speaks_of_no_row_or_of_enough(
    tree: tuple[BinnedFeature, np.ndarray[tuple[int], np.dtype[np.int64]]],
) -> None:
    """No linear combination of the sums of a column in a tree has fewer rows in it than the minimum."""
    column, leaves = tree
    sums = told(column, leaves)
    if not sums:
        return
    atoms, members, sizes = np.unique(
        np.stack([column.bins.astype(np.int64), leaves], axis=1),
        axis=0,
        return_index=True,
        return_counts=True,
    )
    table = np.array(sums, dtype=float)[:, members]
    rank = np.linalg.matrix_rank(table)
    few = [place for place in range(len(atoms)) if sizes[place] < MINIMUM]
    for count in range(1, MINIMUM):
        for places in combinations(few, count):
            if sizes[list(places)].sum() < MINIMUM:
                # A combination that is 0 outside of these rows and not inside would lower the rank.
                assert np.linalg.matrix_rank(np.delete(table, places, axis=1)) == rank


@given(trees())
@examples(120)
def test_children_keep_nothing_that_their_parent_did_not_and_enough_or_no_rows(
    tree: tuple[BinnedFeature, np.ndarray[tuple[int], np.dtype[np.int64]]],
) -> None:
    column, leaves = tree
    own = Candidates([column])
    root = np.arange(len(leaves), dtype=np.int32)
    before = own.kept(all_of(own), [root], MINIMUM)
    halves = [root[leaves < 2], root[leaves >= 2]]
    kept = own.kept(before, halves, MINIMUM)
    assert not (kept & ~before).any()
    assert all(members.sum() == 0 or members.sum() >= MINIMUM for members in told(column, leaves))
    assert np.array_equal(kept, own.kept(before, halves[::-1], MINIMUM))


def test_most_candidates_are_kept_where_there_are_many_rows() -> None:
    """The rule costs little: halves of 2,000 rows keep all cuts of 16 bins."""
    rng = np.random.default_rng(0)
    column = BinnedFeature(rng.integers(0, 16, 4000), 16, 16)
    root = rng.permutation(4000).astype(np.int32)
    own = Candidates([column])
    assert own.kept(all_of(own), [root[:2000], root[2000:]], 20).all()
