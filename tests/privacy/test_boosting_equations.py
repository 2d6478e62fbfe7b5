"""A label holder that follows the protocol and solves for who lies left of others' cuts.

The figures in docs/protocols/boosting_attacks.md come from `pytest -s -m slow` on this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saferoom.models.boosting import plain as boosting_plain
from tests.attack_room import Asked, credit_room, watching
from tests.boosting_room import Array, BoostingRoom, numbers
from tests.tree_attacks import linked, who_lies_left


def noise_room(rows: int = 400, **settings: Any) -> BoostingRoom:
    """The tax bureau has a column more, which has nothing to do with default: nobody could guess at it."""
    room = credit_room(rows=rows, **{"n_estimators": 16, "max_depth": 4} | settings)
    room.features["tax"] = [room.features["tax"][0], numbers(np.random.default_rng(77), rows, 6)]
    return room


def heard(room: BoostingRoom) -> list[Asked]:
    """All sums that the label holder hears."""
    with watching() as asked:
        room.run()
    assert room.errors == {}
    return asked


def equations_of(room: BoostingRoom, candidate: int) -> list[tuple[int, Array, float]]:
    """The tree, weights (rows,), and sum of every equation in which the rows left of a candidate stand.

    Sums of one candidate in several trees are put together by what the label holder does not know: this
    is as if it found out. Within a tree the order is the same.
    """
    found = []
    for node in heard(room):
        (place,) = np.flatnonzero(node.order == candidate)
        if node.kept[place]:
            for field in (0, 1):
                weights = np.zeros(len(room.y))
                weights[node.rows] = node.gradients[:, field]
                found.append((node.tree, weights, float(node.sums[place, field])))
    return found


def recovered(room: BoostingRoom, equations: list[tuple[int, Array, float]], trees: int) -> float:
    """AUC of who lies left of the noise column's third bin, from the sums of so many trees."""
    left = room.features["tax"][1].bins <= 2
    used = [(weights, total) for tree, weights, total in equations if tree < trees]
    table, sums = np.array([weights for weights, _ in used]), np.array([total for _, total in used])
    return float(roc_auc_score(left, who_lies_left(table, sums, share=left.mean())))


MIDDLE = 15 + 2
"""The candidate of the noise column's third cut: the other column has 15."""


def test_many_trees_tell_on_which_side_of_a_cut_rows_lie_even_of_a_column_that_is_noise() -> None:
    room = noise_room()
    equations = equations_of(room, MIDDLE)
    few, many = (recovered(room, equations, trees) for trees in (3, 16))
    assert len(equations) > 60
    assert many > 0.75
    assert few < many - 0.08


def test_fewer_candidates_and_shallower_trees_give_fewer_equations() -> None:
    usual = len(equations_of(noise_room(), MIDDLE))
    assert len(equations_of(noise_room(max_depth=2), MIDDLE)) < usual / 1.5
    assert len(equations_of(noise_room(min_leaf_rows=60), MIDDLE)) < usual / 2
    assert len(equations_of(noise_room(own_trees=8), MIDDLE)) < usual / 1.5


def test_first_trees_count_the_rows_left_of_each_candidate() -> None:
    """All hessians are equal then. Counts link a candidate to the same one of the next tree."""
    room = noise_room(n_estimators=1)
    root = heard(room)[0]
    (hessian,) = np.unique(root.gradients[:, 1])
    assert np.array_equal(root.sums[root.kept][:, 1] // hessian, root.sides[root.kept].sum(axis=1))


def test_the_secret_order_does_not_keep_trees_apart() -> None:
    """Most candidates are found again in the next tree, and the one after it."""
    room = noise_room(n_estimators=5)
    asked = heard(room)
    orders = [node.order for node in asked if len(node.rows) == len(room.y)]
    found = linked(asked, len(room.y))
    kept = asked[0].kept
    for order, places in zip(orders[1:], found[1:], strict=True):
        assert not np.array_equal(order, orders[0])
        assert np.mean(order[places][kept] == orders[0][kept]) > 0.7


# The figures of the page -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "trees", "depth", "expected"),
    [
        (2000, 10, 3, 0.60),
        (2000, 30, 3, 0.67),
        (2000, 30, 5, 0.83),
        (2000, 100, 5, 0.97),
        (10000, 30, 5, 0.67),
    ],
)
def test_figures_of_equations(rows: int, trees: int, depth: int, expected: float) -> None:
    """Of a column that is noise and never split on; sums over fewer than 30 rows are not told."""
    room = credit_room(rows=rows, n_estimators=trees, max_depth=depth, min_leaf_rows=30)
    left = np.random.default_rng(5).random(rows) < 0.35
    table = np.array([weights for held, weights in nodes_of(room) if is_told(left[held])])
    found = who_lies_left(table, table @ left, share=left.mean())
    auc = roc_auc_score(left, found)
    right = np.mean((found > 0.5) == left)
    scaled = table / np.linalg.norm(table, axis=1)[:, None]
    rank = np.linalg.matrix_rank(scaled, tol=1e-3)
    print(
        f"\n{rows} rows, {trees} trees of depth {depth}: {rank} equations, {right:.2f} right, AUC {auc:.2f}"
    )
    assert auc == pytest.approx(expected, abs=0.03)


def is_told(left: Array) -> bool:
    return 30 <= left.sum() <= len(left) - 30


def nodes_of(room: BoostingRoom) -> list[tuple[Array, Array]]:
    """The rows of every node that is asked about, and both weights (rows,) of its equations."""
    found: list[tuple[Array, Array]] = []
    honest = boosting_plain._best

    def recording(own: Any, kept: Any, held: Array, sums: Array, settings: Any) -> Any:
        for field in (0, 1):
            weights = np.zeros(len(room.y))
            weights[held] = sums[held, field]
            found.append((held, weights))
        return honest(own, kept, held, sums, settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosting_plain, "_best", recording)
        room.plain()
    return found
