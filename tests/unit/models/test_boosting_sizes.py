"""Bounds of a tree's messages: never below what a tree needs, and made of public numbers alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.models.boosting.columns import binned, columns_of_tree, level_bins, number_bins
from saferoom.models.boosting.nodes import NodeRows
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.sizes import TreeSizes, most_candidates, most_leaves
from tests.property import examples

SETTINGS = BoostingSettings(max_depth=4, min_leaf_rows=3, max_bin=6)


@given(st.integers(6, 200), st.integers(0, 2**32 - 1))
@examples(100)
def test_no_tree_outgrows_them(rows: int, seed: int) -> None:
    """Every node is split where it can be, at random places, whatever is left of it."""
    rng = np.random.default_rng(seed)
    nodes, sizes = NodeRows(np.ones(rows, dtype=bool)), TreeSizes(rows, SETTINGS)
    for depth in range(sizes.levels):
        pairs = nodes.pairs(3)
        assert len(pairs) <= sizes.pairs(depth)
        assert sum(map(len, pairs)) <= sizes.nodes(depth)
        lefts = {}
        for node in (node for pair in pairs for node in pair):
            held = len(nodes.level[node])
            if held >= 6:
                lefts[node] = np.arange(held) < rng.integers(3, held - 2)
        nodes.descend(lefts)
    assert nodes.pairs(3) == [] or sizes.levels == SETTINGS.max_depth
    nodes.finish()
    assert len(nodes.leaves) <= most_leaves(rows, 4, 3)


def test_of_too_few_rows_for_two_leaves_nothing_is_asked() -> None:
    assert TreeSizes(5, SETTINGS).levels == 0
    assert most_leaves(5, 4, 3) == 1
    assert most_leaves(2, 4, 3) == 1


@pytest.mark.parametrize("share", [1.0, 0.34])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_no_column_has_more_candidates(share: float, gaps: float) -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random(500) < gaps, np.nan, rng.normal(size=500))
    numbers = number_bins(values, 6)
    names, codes = tuple("abcdefghi"), np.where(rng.random(500) < gaps, -1, rng.integers(0, 9, 500))
    levels = level_bins(codes, names, 6)
    assert numbers is not None and levels is not None
    columns = [binned(numbers, numbers.assign(values)), binned(levels, levels.assign(codes, names))]
    settings = replace(SETTINGS, colsample_bytree=share)
    for tree in range(8):
        assert len(columns_of_tree(tree, 0, columns, settings)) <= most_candidates(2, settings)
    assert most_candidates(0, settings) == 0
