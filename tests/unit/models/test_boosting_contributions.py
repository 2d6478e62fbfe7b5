"""What each own column does to a row's log-odds: against expectations that are worked out leaf by leaf."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.models.boosting.contributions import contributions, split_values
from saferoom.models.boosting.model import LocalTree, leaves_of
from saferoom.protocols.candidates import Split

COLUMNS, ROWS = 3, 40
UNIT = 2.0**-22

Array = np.ndarray[Any, Any]


def random_tree(rng: np.random.Generator, depth: int, own: float) -> tuple[LocalTree, dict[int, Array]]:
    """A tree, and which rows its own splits send left; a share `own` of the splits are of own columns."""
    covers, shape, level = {0: 5000}, [], [0]
    for _ in range(depth):
        splitting = [node for node in level if covers[node] >= 100 and (node == 0 or rng.random() < 0.8)]
        for node in splitting:
            covers[2 * node + 1] = int(rng.integers(20, covers[node] - 20))
            covers[2 * node + 2] = covers[node] - covers[2 * node + 1]
        shape += splitting
        level = [child for node in splitting for child in (2 * node + 1, 2 * node + 2)]
    mine = [node for node in shape if rng.random() < own]
    splits = {node: Split(int(rng.integers(COLUMNS)), 0, False) for node in mine}
    weights = {leaf: int(rng.integers(-(2**22), 2**22)) for leaf in leaves_of(tuple(shape))}
    tree = LocalTree(tuple(shape), covers, splits, {}, {}, weights)
    values = {node: value for node, value in split_values(tree).items() if node in splits}
    sides = {node: rng.random(ROWS) < 0.5 for node in mine}
    return LocalTree(tuple(shape), covers, splits, {}, {}, weights, values), sides


def path_to(node: int) -> list[tuple[int, bool]]:
    """The nodes above, each with whether the way goes left."""
    steps = []
    while node:
        steps.append(((node - 1) // 2, node % 2 == 1))
        node = (node - 1) // 2
    return steps


def chance(tree: LocalTree, sides: dict[int, Array], node: int, row: int | None) -> float:
    """That a row reaches a node: of whom own columns are known, or (None) of a row of whom nothing is."""
    found = 1.0
    for above, is_left in path_to(node):
        if row is not None and above in sides:
            found *= bool(sides[above][row]) == is_left
        else:
            found *= tree.covers[2 * above + (1 if is_left else 2)] / tree.covers[above]
    return found


def expected(tree: LocalTree, sides: dict[int, Array], row: int | None) -> float:
    """Of the weight of the leaf that a row reaches."""
    leaves = leaves_of(tree.shape)
    return sum(chance(tree, sides, leaf, row) * tree.weights[leaf] for leaf in leaves) * UNIT


def mean_below(tree: LocalTree, node: int) -> float:
    below = [leaf for leaf in leaves_of(tree.shape) if leaf == node or node in dict(path_to(leaf))]
    return sum(tree.weights[leaf] * tree.covers[leaf] for leaf in below) / tree.covers[node] * UNIT


def by_definition(tree: LocalTree, sides: dict[int, Array], row: int) -> list[float]:
    """Each column's steps from the mean of a node to that of the child, by the chance of getting there."""
    found = [0.0] * COLUMNS
    for node, split in tree.splits.items():
        child = 2 * node + (1 if sides[node][row] else 2)
        step = mean_below(tree, child) - mean_below(tree, node)
        found[split.column] += chance(tree, sides, node, row) * step
    return found


@pytest.mark.parametrize("own", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("depth", [1, 3, 6])
def test_against_expectations_leaf_by_leaf(own: float, depth: int) -> None:
    rng = np.random.default_rng(depth)
    for _ in range(5):
        tree, sides = random_tree(rng, depth, own)
        found = contributions([(tree, sides)], ROWS, COLUMNS)
        assert found.shape == (ROWS, COLUMNS)
        rounding = len(tree.splits) * UNIT
        for row in range(ROWS):
            assert found[row] == pytest.approx(by_definition(tree, sides, row), abs=rounding)
            total = expected(tree, sides, row) - expected(tree, sides, None)
            assert found[row].sum() == pytest.approx(total, abs=rounding)


def test_of_several_trees_they_add_up() -> None:
    rng = np.random.default_rng(9)
    trees = [random_tree(rng, 4, 0.5) for _ in range(6)]
    one_by_one = sum(contributions([tree], ROWS, COLUMNS) for tree in trees)
    assert contributions(trees, ROWS, COLUMNS) == pytest.approx(one_by_one)


def test_where_nothing_is_split_nothing_counts() -> None:
    """A tree of others' splits, one of a root alone, and one of which nothing is known."""
    tree, _ = random_tree(np.random.default_rng(1), 3, 0.0)
    trees = [(tree, {}), (LocalTree((), {0: 9}, {}), {}), (LocalTree((), {}, {}), {})]
    assert not contributions(trees, ROWS, COLUMNS).any()
