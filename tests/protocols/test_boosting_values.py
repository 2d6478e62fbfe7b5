"""What the sides of each split are worth: told to its owner alone, coarsely; checked on arrival."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.errors import PeerError
from saferoom.models.boosting.contributions import coarse, split_values, tell_values
from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.plain import PlainTree
from saferoom.protocols.candidates import goes_left
from tests.boosting_room import PARTIES, Array, BoostingRoom, random_room

STEP = 2**16  # 1/64 log-odds, in units of leaf weights
MOST = 2 * 7
"""Splits of two trees of depth 3 at most: as many values are sent to each, whatever it owns."""


def told(room: BoostingRoom, **instead: Any) -> dict[str, LocalTrees]:
    """All parties train, then tell values; `instead`: what a party does for the second."""

    def play(s: Session) -> LocalTrees:
        trees = room.train(s)
        return instead.get(s.me, lambda s, trees: tell_values(s, trees, room.settings, "bank"))(s, trees)

    return room.run(dict.fromkeys(room.features, play))


def rows_below(room: BoostingRoom, tree: PlainTree, node: int) -> tuple[Array, Array]:
    """Which training rows go left at a node, and which right."""
    held = np.arange(len(room.y), dtype=np.int32)
    way = []
    while node:
        way.append(node)
        node = (node - 1) // 2
    for child in reversed(way):
        party, split = tree.splits[(child - 1) // 2]
        left = goes_left(room.features[party][split.column], split, held)
        held = held[left if child % 2 else ~left]
    party, split = tree.splits[way[0] if way else 0]
    left = goes_left(room.features[party][split.column], split, held)
    return held[left], held[~left]


@pytest.mark.parametrize(
    "room",
    [
        random_room(n_estimators=3),
        random_room(PARTIES[:3], n_estimators=3, without=["bank"], subsample=0.7),
        random_room(PARTIES[:4], n_estimators=3, own_trees=1, validation_share=0.2),
    ],
    ids=["two", "three", "four"],
)
def test_each_owner_has_the_mean_difference_of_its_splits(room: BoostingRoom) -> None:
    """Of the weights that the training rows left and right reach; the label holder's are exact."""
    found, twin = told(room), room.plain()
    assert room.errors == {}
    for number, tree in enumerate(twin.trees):
        weights = tree.margins(room.features)
        for node, (owner, _) in tree.splits.items():
            left, right = rows_below(room, tree, node)
            exact = weights[left].mean() - weights[right].mean()
            for party, trees in found.items():
                local = trees.trees[number]
                assert (node in local.values) == (party == owner)
                if party == owner:
                    value = local.values[node]
                    assert abs(value - exact) < (1 if party == "bank" else STEP + 1)
                    assert party == "bank" or value % STEP == 0


def test_one_list_goes_to_each_feature_holder_and_both_ends_declare_it() -> None:
    room = random_room(PARTIES[:3])
    found = told(room)
    assert all(sum(len(tree.splits) for tree in trees.trees) for trees in found.values())
    declared = {
        party: [(d.to, d.shape) for d in room.declared[party] if d.kind == "split_values"]
        for party in room.features
    }
    expected = {party: [(party, (MOST,))] for party in ("tax", "power")}
    assert declared == expected | {"bank": expected["tax"] + expected["power"]}
    sent = [(a, b, label) for a, b, label, _ in room.said if label == "values"]
    assert sorted(sent) == [("bank", "power", "values"), ("bank", "tax", "values")]


def test_rounding_is_at_random_and_right_on_average() -> None:
    """A deterministic one would make all of a model's many small steps 0, or tell them to the last bit."""
    exact = np.repeat(np.array([0, STEP // 4, -STEP // 4, 3 * STEP // 2, -5 * STEP], dtype=np.int64), 4000)
    found = coarse(exact).reshape(5, 4000)
    assert [sorted(set(row.tolist())) for row in found] == [[0], [0, 1], [-1, 0], [1, 2], [-5]]
    # 4000 draws: the mean's deviation is 0.0079 at most, so this is ten of them
    assert found.mean(axis=1) == pytest.approx(np.array([0, 0.25, -0.25, 1.5, -5]), abs=0.08)


def test_a_tree_that_does_not_split_has_no_values() -> None:
    room = random_room(min_leaf_rows=200)
    found = told(room)
    assert [split_values(tree) for tree in found["bank"].trees] == [{}, {}]
    assert [len(values) for values in room.tensors("values")] == [0]


@pytest.mark.parametrize(
    ("bend", "message"),
    [
        (lambda values: values[1:], "expected one int64 tensor"),
        (lambda values: np.append(values, 1), "expected one int64 tensor"),
        (lambda values: values.astype(np.int32), "expected one int64 tensor"),
        (lambda values: np.append(values[1:], 2**13 + 1), "values that no split has"),
        (lambda values: np.append(values[1:], -(2**63)), "values that no split has"),
        (lambda values: np.append(values[1:], 1), "values that no split has"),
    ],
    ids=["fewer", "more", "another type", "too large", "too small", "of no split"],
)
def test_values_that_cannot_be_are_refused(bend: Any, message: str) -> None:
    room = random_room()

    def lie(s: Session, trees: LocalTrees) -> LocalTrees:
        s.disclose("values", "tax", bend(np.zeros(MOST, dtype=np.int64)), kind="split_values")
        return trees

    told(room, bank=lie)
    error = room.errors["tax"]
    assert isinstance(error, PeerError)
    assert message in str(error)
    assert (error.party, error.step) == ("bank", "values")
