"""Sums of candidate splits do not tell the label holder which of them are of one column."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest

from saferoom.models.boosting.columns import binned, number_bins
from saferoom.protocols.candidates import Candidates
from tests.attack_room import gaps_room, watching
from tests.boosting_room import Array
from tests.tree_attacks import adding_up, differing_alike

Roots: TypeAlias = list[tuple[Array, Array, list[int]]]


@pytest.fixture(scope="module")
def roots() -> Roots:
    """Of the root of each tree: all rows' sums, the candidates' sums, and the truth, their columns."""
    with watching() as asked:
        room = gaps_room()
        room.run()
    assert room.errors == {}
    found = []
    for node in asked:
        if len(node.rows) == len(room.y):
            found.append((node.gradients.sum(axis=0), *node.told()))
    assert len(found) == 4
    return found


def test_candidates_of_a_column_with_gaps_do_not_differ_alike(roots: Roots) -> None:
    """If each cut came twice, missing values left and right, those would be the candidates that do."""
    for _, sums, columns in roots:
        alike = [columns[place] for place in differing_alike(sums)]
        assert len(alike) <= 12, "chance; of the cuts of one column it would be 30"


def test_that_attack_finds_every_cut_that_comes_twice(roots: Roots) -> None:
    _, sums, columns = roots[1]
    of_a_column = [place for place, column in enumerate(columns) if column == 0]
    missing = np.array([-3217, 5110])
    twice = np.concatenate([sums, sums[of_a_column] + missing])
    assert differing_alike(twice) >= {*of_a_column, *range(len(sums), len(twice))}


def test_levels_of_a_category_do_not_add_up_to_all_rows(roots: Roots) -> None:
    """Those of each column would. In the first tree, where gradients take two values, some do by chance."""
    for node, sums, columns in roots[1:]:
        assert adding_up(sums, node) == []
        assert columns.count(4) == 1 and columns.count(5) == 2


def most_multiples(counts: Array, rows: int, sizes: Array) -> int:
    """How many counts lie next to multiples, or to all rows less multiples, of the size that fits best."""

    def fits(size: float) -> int:
        off = [np.abs(part - np.round(part / size) * size) for part in (counts, rows - counts)]
        return int((np.minimum(*off) <= 1).sum())

    return max(fits(size) for size in sizes)


def test_counts_of_the_first_tree_do_not_tell_columns_with_gaps() -> None:
    """There all hessians are equal, and sums count rows: bins of equal size would show in each column."""
    rng = np.random.default_rng(2)
    rows = 8000
    of_columns = []
    for gaps in (0.0, 0.0, 0.0, 0.07, 0.2):
        values = np.where(rng.random(rows) < gaps, np.nan, rng.normal(size=rows))
        bins = number_bins(values, 32)
        assert bins is not None
        of_columns.append(binned(bins, bins.assign(values)))
    counts = Candidates(of_columns).left_sums([column.rows() for column in of_columns])
    sizes = np.arange(150, 260, 0.25)
    assert most_multiples(counts, rows, sizes) < 20, "chance"
    even = np.concatenate([counts, np.arange(1, 32) * 200])
    assert most_multiples(even, rows, sizes) > 31, "bins of one column"
