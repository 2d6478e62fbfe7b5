"""The leaves that a party's splits allow, against a walk of every row through the tree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ShapeError, UsageError
from saferoom.models.boosting.model import leaves_of, reached_leaves


@st.composite
def shapes(draw: st.DrawFn) -> tuple[int, ...]:
    """Trees of up to five levels."""
    shape, level = [], [0] if draw(st.booleans()) else []
    for _ in range(5):
        shape += level
        below = [child for node in level for child in (2 * node + 1, 2 * node + 2)]
        level = [node for node in below if draw(st.booleans())]
    return tuple(shape)


def walk(shape: tuple[int, ...], sides: dict[int, Any], row: int, node: int = 0) -> set[int]:
    if node not in shape:
        return {node}
    ways = [2 * node + 1, 2 * node + 2]
    if node in sides:
        ways = ways[:1] if sides[node][row] else ways[1:]
    return {leaf for way in ways for leaf in walk(shape, sides, row, way)}


@given(shapes(), st.integers(0, 999), st.integers(0, 9))
def test_every_row_is_allowed_the_leaves_of_its_walks(shape: tuple[int, ...], seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    sides = {node: rng.random(rows) < 0.5 for node in shape if rng.random() < 0.5}
    leaves, reached = leaves_of(shape), reached_leaves(shape, sides, rows)
    assert reached.shape == (rows, len(leaves))
    for row in range(rows):
        assert {leaf for leaf, allowed in zip(leaves, reached[row], strict=True) if allowed} == walk(
            shape, sides, row
        )


@given(shapes(), st.integers(0, 999))
def test_all_parties_together_allow_one_leaf(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    owners = {node: int(rng.integers(0, 3)) for node in shape}
    sides = {node: rng.random(20) < 0.5 for node in shape}
    parts = [
        reached_leaves(shape, {node: sides[node] for node in shape if owners[node] == party}, 20)
        for party in range(3)
    ]
    assert (np.logical_and.reduce(parts).sum(axis=1) == 1).all()


def test_a_single_leaf_and_an_order() -> None:
    assert leaves_of(()) == (0,)
    assert reached_leaves((), {}, 3).tolist() == [[True]] * 3
    assert leaves_of((0, 1, 2, 5)) == (3, 4, 6, 11, 12)
    left = np.array([True, False])
    assert reached_leaves((0, 1), {0: left}, 2).tolist() == [[False, True, True], [True, False, False]]


@pytest.mark.parametrize("shape", [(1,), (0, 2, 1), (0, 0), (0, 3), (-1, 0)])
def test_numbers_that_are_no_tree(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        leaves_of(shape)


@pytest.mark.parametrize("sides", [{1: np.ones(2, bool)}, {0: np.ones(3, bool)}, {0: np.ones(2, int)}])
def test_sides_of_other_nodes_rows_and_types(sides: dict[int, Any]) -> None:
    with pytest.raises(ShapeError):
        reached_leaves((0,), sides, 2)
