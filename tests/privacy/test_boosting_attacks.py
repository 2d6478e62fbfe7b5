"""Published attacks on boosted trees, against our own transcript, and what each protection does to them.

The figures in docs/protocols/boosting_attacks.md come from `pytest -s -m shared_data` on this file. What an
attack still finds is asserted as well as what it does not: the page must not promise more than is so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saferoom.kinds.boosting import LEAST_LEAF_ROWS
from saferoom.models.boosting import train as boosting
from saferoom.models.boosting.gradients import Sample
from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.settings import FRAC_BITS, BoostingSettings
from saferoom.protocols.split_layout import SumLayout
from tests.attack_room import Asked, credit_room, real_room, watching
from tests.boosting_room import Array, BoostingRoom, random_room
from tests.tree_attacks import (
    as_columns,
    fallen_together,
    learn,
    leaves_of_twin,
    leaves_told,
    rank,
    solutions,
)

# ID2Graph: a feature holder guesses labels -----------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What the tax bureau has for its guess, and the labels that it guesses at."""

    leaves: list[Array]
    own: Array
    y: Array

    def rank(self) -> float:
        return rank(fallen_together(self.leaves, 0.6), self.y)

    def learn(self, known: int) -> float:
        return learn(fallen_together(self.leaves), self.y, known)


@cache
def told(**settings: Any) -> Told:
    """In the credit room, by the plain twin, so that the protocol does not run again and again."""
    room = credit_room(**settings)
    leaves = leaves_of_twin(room.plain(), room.features, room.settings.own_trees)
    return Told(leaves, as_columns(room.features["tax"]), room.y)


def test_the_transcript_tells_each_row_s_leaf_and_the_twin_tells_the_same() -> None:
    """So that what follows, measured on the twin, is what a feature holder can do."""
    room = credit_room(rows=300, n_estimators=4, own_trees=1)
    room.run()
    assert room.errors == {}
    heard = leaves_told(room, "tax")
    twin = leaves_of_twin(room.plain(), room.features, first=1)
    assert len(heard) == len(twin) == 3
    assert all(np.array_equal(a, b) for a, b in zip(heard, twin, strict=True))


def test_rows_that_fall_together_give_labels_away() -> None:
    """The leak itself: without any label known, and with a hundred."""
    assert rank(told().own, told().y) < 0.6
    assert learn(told().own, told().y, 100) < 0.6
    assert told().rank() > 0.7
    assert told().learn(100) > 0.8


def test_first_trees_of_the_label_holder_alone_take_most_from_a_guess_without_labels() -> None:
    """And little from one with known labels: later trees still correct the errors of the first."""
    assert told(own_trees=15).rank() < told().rank() - 0.1
    assert told(own_trees=15).rank() < 0.6
    assert told(own_trees=15).learn(100) > 0.7


def test_larger_leaves_and_fewer_trees_take_some_from_a_guess_with_labels() -> None:
    usual, large = told().learn(400), told(min_leaf_rows=150).learn(400)
    assert told(n_estimators=3).learn(400) < usual - 0.01
    assert 0.75 < large < usual - 0.04, "it takes some, not all"


# Reverse sum: a label holder writes marks into gradients ---------------------------------------------


MARKS = 4
"""Lowest bits of gradients and of hessians that carry a mark: twice as many rows are marked in each tree."""


def marked(honest: Any) -> Any:
    """Gradients rounded to the bits above; each of eight rows has one of the bits below."""

    def sample(tree: int, *rest: Any) -> Sample:
        drawn = honest(tree, *rest)
        sums = drawn.sums.copy()
        sums[:, :2] = np.maximum(sums[:, :2] >> MARKS, [-(1 << 40), 1]) << MARKS
        for place, row in enumerate(marked_rows(tree)):
            sums[row, place % 2] += 1 << (place // 2)
        return Sample(drawn.summed, sums)

    return sample


def marked_rows(tree: int) -> list[int]:
    return [(7 * place + 31 * tree) % 300 for place in range(2 * MARKS)]


def read_marks(sums: Array) -> Array:
    """(candidates, marked rows): which lie left."""
    return np.stack([sums[:, place % 2] >> (place // 2) & 1 for place in range(2 * MARKS)], axis=1) == 1


def reversed_sums(**settings: Any) -> tuple[BoostingRoom, list[Asked], dict[str, LocalTrees]]:
    """The sums of the roots of two trees whose gradients are marked."""
    room = random_room(n_estimators=2, **settings)
    with watching() as asked, pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosting, "sample", marked(boosting.sample))
        found = room.run()
    return room, [node for node in asked if len(node.rows) == len(room.y)], found


@pytest.mark.parametrize("minimum", [10, 30, 60])
def test_marks_tell_which_rows_lie_left_of_every_candidate_whatever_the_minimum_is(minimum: int) -> None:
    """Nothing stops it, and nobody notices: a label holder that runs another program is not held off."""
    room, roots, found = reversed_sums(min_leaf_rows=minimum)
    assert room.errors == {}
    assert set(found) == {"bank", "tax"}
    assert [root.tree for root in roots] == [0, 1]
    for root in roots:
        assert root.kept.any()
        truth = root.sides[root.kept][:, marked_rows(root.tree)]
        assert np.array_equal(read_marks(root.sums[root.kept]), truth)


def test_marks_spoil_the_model_little() -> None:
    """Which is why it would not be noticed by results either."""
    room, _, _ = reversed_sums()
    margins = room.grown["bank"].margins
    assert margins is not None
    honest = room.plain().margins(room.features)
    assert roc_auc_score(room.y, margins) > roc_auc_score(room.y, honest) - 0.02


def test_a_larger_minimum_makes_what_marks_tell_coarser() -> None:
    """Fewer candidates: fewer groups that marked rows can be told apart in."""

    def groups(minimum: int) -> int:
        _, roots, _ = reversed_sums(min_leaf_rows=minimum)
        return len(np.unique(roots[0].sums[roots[0].kept], axis=0))

    assert groups(10) > groups(60) > groups(110)


@pytest.mark.parametrize(("rows", "bits"), [(1_000, 45), (100_000, 59), (1_000_000, 65)])
def test_no_more_rows_are_marked_in_a_tree_than_a_slot_has_bits(rows: int, bits: int) -> None:
    """The bound for a label holder that gives up on the model: each sum has so many bits."""
    assert SumLayout.of(rows, (1 << FRAC_BITS) + 1, events=False).slot_bits == bits


# Solved sums: a label holder that follows the protocol, and searches ---------------------------------


def solved(asked: list[Asked], most_rows: int = 32) -> tuple[int, int, int]:
    """Of sums over some, not all rows of a node of up to `most_rows`: how many, solved, solved wrongly."""
    count = right = wrong = 0
    for node in asked:
        if len(node.rows) > most_rows:
            continue
        for candidate in np.flatnonzero(node.kept):
            if 0 < node.sides[candidate].sum() < len(node.rows):
                found = solutions(node.gradients, node.sums[candidate], most=2)
                is_right = len(found) == 1 and np.array_equal(found[0], node.sides[candidate])
                count, right, wrong = count + 1, right + is_right, wrong + (len(found) == 1 and not is_right)
    return count, right, wrong


def watched_run(**settings: Any) -> list[Asked]:
    room = credit_room(rows=400, n_estimators=4, weighted=True, **settings)
    room.weights = np.random.default_rng(9).uniform(0.5, 8.0, len(room.y))
    with watching() as asked:
        room.run()
    assert room.errors == {}
    return asked


def test_small_nodes_can_be_solved() -> None:
    """At 12 rows a leaf, which no contract may ask for. Weights make rows' gradients differ."""
    count, right, wrong = solved(watched_run(min_leaf_rows=12))
    assert count >= 5
    assert right >= count // 2
    assert wrong == 0


def test_no_node_that_is_asked_about_is_so_small_at_the_least_that_contracts_allow() -> None:
    """Sums over some rows of a node are over as many as a leaf has, and leave as many."""
    asked = watched_run(min_leaf_rows=LEAST_LEAF_ROWS)
    assert asked
    assert solved(asked, most_rows=2 * LEAST_LEAF_ROWS - 1)[0] == 0


def spread_gradients(rows: int, bits: int) -> Array:
    """Of rows that all differ, as after many trees: what makes sums easiest to solve."""
    rng = np.random.default_rng(rows)
    chances = 1 / (1 + np.exp(-rng.normal(-1.5, 1.0, rows)))
    y = rng.random(rows) < chances
    return np.rint(np.stack([chances - y, chances * (1 - chances)], axis=1) * 2**bits).astype(np.int64)


def test_coarse_gradients_fit_many_sets_of_rows() -> None:
    """40 rows, 20 of them left, the smallest that contracts allow: with 20 fractional bits few sets fit."""
    rows, left = 2 * LEAST_LEAF_ROWS, np.arange(2 * LEAST_LEAF_ROWS) % 2 == 0

    def fitting(bits: int) -> int:
        gradients = spread_gradients(rows, bits)
        return len(solutions(gradients, gradients[left].sum(axis=0), most=3000))

    assert fitting(20) < 20
    assert fitting(FRAC_BITS) > 1000


# The figures of the page -----------------------------------------------------------------------------

PROTECTIONS: dict[str, dict[str, Any]] = {
    "defaults, 30 trees": {},
    "min_leaf_rows 100": {"min_leaf_rows": 100},
    "min_leaf_rows 300": {"min_leaf_rows": 300},
    "own_trees 5": {"own_trees": 5},
    "own_trees 15": {"own_trees": 15},
    "max_depth 3": {"max_depth": 3},
    "10 trees": {"n_estimators": 10},
    "100 trees, depth 6, min_leaf_rows 20": {"n_estimators": 100, "max_depth": 6, "min_leaf_rows": 20},
}


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["uci_default", "bank_marketing"])
def test_figures_of_guessed_labels(shared_data_dir: Path, name: str) -> None:
    """4,000 training rows; the attacker is the first feature holder."""
    room = real_room(shared_data_dir / name)
    own = as_columns(room.features[room_attacker(room)])
    alone = (rank(own, room.y), learn(own, room.y, 100), learn(own, room.y, 1000))
    print(f"\n{name}: own columns alone: {alone[0]:.2f} {alone[1]:.2f} {alone[2]:.2f}")
    found = {}
    for protection, settings in PROTECTIONS.items():
        room.settings = BoostingSettings(**{"n_estimators": 30} | settings)
        twin = room.plain()
        leaves = leaves_of_twin(twin, room.features, room.settings.own_trees)
        fallen = fallen_together(leaves)
        found[protection] = (
            rank(fallen_together(leaves, 0.6), room.y),
            learn(fallen, room.y, 100),
            learn(fallen, room.y, 1000),
        )
        reached = roc_auc_score(room.y, twin.margins(room.features))
        line = " ".join(f"{auc:.2f}" for auc in (*found[protection], reached))
        print(f"{protection}: {line}")
    usual = found["defaults, 30 trees"]
    assert usual[1] > alone[1] + 0.05
    assert found["min_leaf_rows 300"][2] < usual[2]
    assert found["100 trees, depth 6, min_leaf_rows 20"][2] > usual[2]


def room_attacker(room: BoostingRoom) -> str:
    return next(party for party in room.features if party != "bank")
