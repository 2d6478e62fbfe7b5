"""Which rows the nodes of a growing tree hold."""

from __future__ import annotations

import numpy as np

from saferoom.models.boosting.nodes import ROOT, NodeRows


def grown() -> NodeRows:
    """12 rows of which the last two are not summed; the root split 8 to 4, its left child 5 to 3."""
    rows = NodeRows(np.arange(12) < 10)
    rows.descend({ROOT: np.arange(12) % 3 < 2})
    rows.descend({1: np.arange(8) < 5})
    return rows


def test_nodes_are_numbered_as_in_a_heap_and_leaves_stay_behind() -> None:
    rows = grown()
    assert sorted(rows.level) == [3, 4]
    assert sorted(rows.leaves) == [2]
    rows.finish()
    assert sorted(rows.leaves) == [2, 3, 4]
    assert sorted(np.concatenate(list(rows.leaves.values())).tolist()) == list(range(12))
    assert rows.level == {}


def test_covers_count_all_rows_summed_or_not() -> None:
    assert grown().covers == {0: 12, 1: 8, 2: 4, 3: 5, 4: 3}


def test_only_summed_rows_are_summed() -> None:
    rows = NodeRows(np.array([True, False, True]))
    assert rows.summed(ROOT).tolist() == [0, 2]
    assert rows.children(ROOT, np.array([True, True, False])) == (1, 1)


def test_the_smaller_sibling_is_added_up_the_left_one_of_equal_ones() -> None:
    rows = NodeRows(np.ones(10, dtype=bool))
    rows.descend({ROOT: np.arange(10) < 7})
    assert rows.smaller((1, 2)) == 2
    rows = NodeRows(np.ones(10, dtype=bool))
    rows.descend({ROOT: np.arange(10) < 5})
    assert rows.smaller((1, 2)) == 1


def test_pairs_are_siblings_of_which_one_can_be_split() -> None:
    rows = NodeRows(np.ones(20, dtype=bool))
    assert rows.pairs(10) == [(ROOT,)]
    assert rows.pairs(11) == []
    rows.descend({ROOT: np.arange(20) < 6})
    assert rows.pairs(7) == [(1, 2)]
    assert rows.pairs(8) == []
    rows.descend({2: np.arange(14) < 7})
    assert rows.pairs(3) == [(5, 6)]
