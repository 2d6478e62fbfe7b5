"""What values of splits tell their owner of single labels, at worst; and what coarse steps do about it.

The owner here knows more than it ever would: which training rows every node holds, and the margin of every
row before every tree. Each value is then a linear equation in the labels; least squares solves them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saferoom.models.boosting.contributions import coarse, split_values
from saferoom.models.boosting.gradients import probabilities
from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.plain import PlainTree
from saferoom.protocols.candidates import goes_left
from tests.boosting_room import Array, BoostingRoom, random_room

ROWS, UNIT, STEP = 600, 2.0**-22, 2**16


def noisy_room(**settings: Any) -> BoostingRoom:
    """Labels of which a quarter have nothing to do with the columns."""
    room = random_room(rows=ROWS, min_leaf_rows=30, **settings)
    rng = np.random.default_rng(7)
    room.y = np.where(rng.random(ROWS) < 0.25, rng.random(ROWS) < 0.3, room.y).astype(np.float64)
    return room


def rows_of(room: BoostingRoom, tree: PlainTree) -> dict[int, Array]:
    """The training rows of every node."""
    held = {0: np.arange(ROWS, dtype=np.int32)}
    for node, (party, split) in sorted(tree.splits.items()):
        left = goes_left(room.features[party][split.column], split, held[node])
        held[2 * node + 1], held[2 * node + 2] = held[node][left], held[node][~left]
    return held


def equations(room: BoostingRoom) -> tuple[Array, Array, Array, Array]:
    """Of the tax bureau's splits: coefficients (splits, rows), constants, values; and the last margins."""
    twin = room.plain()
    margins = np.full(ROWS, twin.base, dtype=np.int64)
    lines, constants, values = [], [], []
    for tree in twin.trees:
        held, chances = rows_of(room, tree), probabilities(margins)
        hessians = chances * (1 - chances)
        # weights of leaves are linear in the labels: the step of each label, and what is left without any
        steps, fixed = np.zeros((63, ROWS)), np.zeros(63)
        for leaf in tree.weights:
            rows = held[leaf]
            step = room.settings.learning_rate / (hessians[rows].sum() + room.settings.reg_lambda)
            steps[leaf, rows], fixed[leaf] = step, -step * chances[rows].sum()
        covers = {node: len(rows) for node, rows in held.items()}
        for node in sorted(tree.splits, reverse=True):
            left, right = 2 * node + 1, 2 * node + 2
            share = covers[left] / covers[node]
            steps[node] = share * steps[left] + (1 - share) * steps[right]
            fixed[node] = share * fixed[left] + (1 - share) * fixed[right]
        exact = split_values(LocalTree(tuple(sorted(tree.splits)), covers, {}, {}, {}, tree.weights))
        for node, (party, _) in sorted(tree.splits.items()):
            if party == "tax":
                lines.append(steps[2 * node + 1] - steps[2 * node + 2])
                constants.append(fixed[2 * node + 1] - fixed[2 * node + 2])
                values.append(exact[node])
        margins += tree.margins(room.features)
    return np.array(lines), np.array(constants), np.array(values, dtype=np.int64), margins


def guessed(y: Array, lines: Array, constants: Array, values: Array) -> float:
    """AUC of the labels that fit the values best, near the rate of events; with the best of some ridges."""
    wanted = values * UNIT - constants - lines @ np.full(ROWS, y.mean())
    normal, projected = lines.T @ lines, lines.T @ wanted
    found = [np.linalg.solve(normal + ridge * np.eye(ROWS), projected) for ridge in (1e-7, 1e-5, 1e-3, 1e-1)]
    return max(float(roc_auc_score(y, guess)) for guess in found)


@pytest.fixture(scope="module")
def attacked() -> dict[str, float]:
    room = noisy_room(n_estimators=100, max_depth=5)
    lines, constants, values, margins = equations(room)
    return {
        "model": float(roc_auc_score(room.y, margins)),
        "exact": guessed(room.y, lines, constants, values),
        "told": guessed(room.y, lines, constants, coarse(values) * STEP),
    }


def test_equations_are_those_of_the_labels() -> None:
    """Otherwise the attack would fail for the wrong reason."""
    room = noisy_room(n_estimators=5, max_depth=5)
    lines, constants, values, _ = equations(room)
    assert len(lines) > 10
    # gradients are rounded before they are summed
    assert lines @ room.y + constants == pytest.approx(values * UNIT, abs=2e-3)


def test_steps_tell_less_of_labels_than_exact_values_would(attacked: dict[str, float]) -> None:
    assert attacked["exact"] > attacked["model"] + 0.03
    assert attacked["told"] < attacked["exact"] - 0.015
