"""Joint boosted trees equal the plain twin's, tree by tree, for any parties, columns and settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from saferoom.errors import PeerError, SafeRoomError, UsageError
from saferoom.he.keys import Encryption
from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.plain import PlainBoosting
from saferoom.models.boosting.train import Grown
from saferoom.protocols import split_sums as module
from tests.boosting_room import PARTIES, BoostingRoom, random_room
from tests.he_keys import KINDS


def assert_same(found: dict[str, LocalTrees], twin: PlainBoosting, own_trees: int = 0) -> None:
    bank = found["bank"]
    assert bank.base == twin.base
    assert {len(trees.trees) for trees in found.values()} == {len(twin.trees)}
    for number, (tree, plain) in enumerate(zip(bank.trees, twin.trees, strict=True)):
        joined = {
            node: (owner, found[owner].trees[number].splits[node]) for node, owner in tree.owners.items()
        }
        assert joined == dict(plain.splits)
        assert dict(tree.weights) == dict(plain.weights)
        for party, trees in found.items():
            local = trees.trees[number]
            if party == "bank" or number >= own_trees:
                assert local.shape == tuple(sorted(plain.splits))
                assert set(local.splits) == {node for node, owner in tree.owners.items() if owner == party}
            else:
                assert (local.shape, dict(local.splits)) == ((), {})
            assert party == "bank" or not (local.owners or local.weights)


def assert_as_plain(room: BoostingRoom) -> PlainBoosting:
    found, twin = room.run(), room.plain()
    assert room.errors == {}
    assert_same(found, twin, room.settings.own_trees)
    return twin


def owners(twin: PlainBoosting) -> set[str]:
    return {owner for tree in twin.trees for owner, _ in tree.splits.values()}


@pytest.mark.parametrize("parties", [2, 3, 4])
def test_trees_are_those_of_the_plain_twin(parties: int) -> None:
    """Numbers, gaps, categories at all parties, each of which owns splits."""
    twin = assert_as_plain(random_room(PARTIES[:parties], rows=400, n_estimators=4))
    assert owners(twin) == set(PARTIES[:parties])


@pytest.mark.parametrize("seed", range(6))
def test_for_other_data(seed: int) -> None:
    assert_as_plain(random_room(rows=200, seed=100 + seed, n_estimators=2, max_depth=4))


def test_a_label_holder_without_columns() -> None:
    twin = assert_as_plain(random_room(PARTIES[:3], without=["bank"]))
    assert owners(twin) == {"tax", "power"}


def test_the_label_holder_needs_not_come_first() -> None:
    twin = assert_as_plain(random_room(("power", "bank", "tax")))
    assert len(owners(twin)) > 1


SETTINGS: dict[str, dict[str, Any]] = {
    "a share of rows": {"subsample": 0.6},
    "a share of columns": {"colsample_bytree": 0.5, "n_estimators": 4},
    "rows by gradient": {"top_rate": 0.3, "other_rate": 0.2, "n_estimators": 3},
    "events count more": {"scale_pos_weight": 3.5},
    "validation rows": {"validation_share": 0.3},
    "stops early": {
        "validation_share": 0.3,
        "early_stopping_rounds": 1,
        "n_estimators": 12,
        "learning_rate": 1.5,
        "reg_lambda": 0.1,
    },
    "first trees of the label holder alone": {"own_trees": 2, "n_estimators": 3},
    "nothing but trees of the label holder": {"own_trees": 2, "n_estimators": 2},
    "a minimum of events": {"min_leaf_events": 12},
    "a minimum of hessians": {"min_child_weight": 9.0},
    "a minimum of gain": {"gamma": 2.5},
    "larger leaves": {"min_leaf_rows": 45},
    "leaves too large to split": {"min_leaf_rows": 200},
    "deeper": {"max_depth": 6, "n_estimators": 1},
    "a single split": {"max_depth": 1},
    "much of all": {
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "validation_share": 0.2,
        "early_stopping_rounds": 3,
        "own_trees": 1,
        "min_leaf_events": 5,
        "scale_pos_weight": 2.0,
        "n_estimators": 4,
    },
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_with_every_setting(settings: dict[str, Any]) -> None:
    assert_as_plain(random_room(**settings))


def test_early_stopping_leaves_trees_out() -> None:
    room = random_room(**SETTINGS["stops early"])
    twin = room.plain()
    assert 1 <= len(twin.trees) < room.settings.n_estimators
    unstopped = random_room(**SETTINGS["stops early"] | {"early_stopping_rounds": None}).plain()
    assert unstopped.trees[: len(twin.trees)] == twin.trees


def test_with_weights_of_samples() -> None:
    room = random_room(weighted=True)
    room.weights = np.random.default_rng(5).choice([0.25, 1.0, 7.5, 64.0], len(room.y))
    weighted = assert_as_plain(room)
    assert weighted != random_room().plain()


@pytest.mark.parametrize("encryption", KINDS, ids=str)
def test_with_every_scheme_size_and_randomness(encryption: Encryption) -> None:
    assert_as_plain(random_room(rows=80, n_estimators=1, max_depth=2, encryption=encryption))


def test_chunks_cover_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 37)
    assert_as_plain(random_room(subsample=0.7))


# Going on after a tree -------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 3])
def test_goes_on_after_any_tree(after: int) -> None:
    """Rows, columns and margins are those of a job that was not interrupted."""
    settings = {
        "n_estimators": 4,
        "subsample": 0.8,
        "colsample_bytree": 0.5,
        "validation_share": 0.2,
        "early_stopping_rounds": 4,
    }
    first = random_room(**settings | {"n_estimators": after})
    first.run()
    second = random_room(**settings)
    found = second.run(resume=first.grown)
    assert second.errors == {}
    assert_same(found, second.plain())
    trees = [label for _, _, label, _ in second.said if label.endswith("rows")]
    assert trees == [f"tree={number}/rows" for number in range(after, 4)]


def test_goes_on_with_rows_in_another_order() -> None:
    """As in a job that aligns anew: validation rows stay the same enterprises, and trees come out equal."""
    settings = {"n_estimators": 4, "validation_share": 0.3, "early_stopping_rounds": 4}
    first = random_room(**settings | {"n_estimators": 2})
    first.run()
    unbroken = random_room(**settings)
    order = np.random.default_rng(8).permutation(len(unbroken.y))
    features = {
        party: [replace(column, bins=column.bins[order]) for column in columns]
        for party, columns in unbroken.features.items()
    }
    second = replace(unbroken, features=features, y=unbroken.y[order])
    found = second.run(resume={party: reordered(grown, order) for party, grown in first.grown.items()})
    assert second.errors == {}
    assert_same(found, unbroken.plain())


def reordered(grown: Grown, order: Any) -> Grown:
    by_row = {name: getattr(grown, name) for name in ("margins", "kept_margins", "held_out")}
    return replace(grown, **{name: rows[order] for name, rows in by_row.items() if rows is not None})


def test_parties_at_different_trees_do_not_begin() -> None:
    first = random_room(n_estimators=1)
    first.run()
    second = random_room(n_estimators=2)
    second.run(resume={"bank": first.grown["bank"], "tax": Grown([])})
    assert {party: error.party for party, error in second.errors.items() if isinstance(error, PeerError)} == {
        "bank": "tax",
        "tax": "bank",
    }
    assert all("another tree" in str(error) for error in second.errors.values())


# What the traffic is ---------------------------------------------------------------------------------


def test_every_tree_is_told_to_whom_keeps_count() -> None:
    room = random_room(n_estimators=3)
    told: dict[str, list[int]] = {party: [] for party in room.features}
    room.run(
        {
            party: lambda s: room.train(
                s, on_tree=lambda grown, me=s.me: told[me].append(len(grown.trees)), progress=print_nothing
            )
            for party in room.features
        }
    )
    assert told == {"bank": [1, 2, 3], "tax": [1, 2, 3]}


def print_nothing(name: str, done: int, total: int) -> None:
    assert (name, total) == ("train", 3) and 1 <= done <= total


# What is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["nobody", "both"])
def test_labels_are_given_at_the_label_holder_alone(where: str) -> None:
    room = random_room()
    if where == "both":
        room.run({"tax": lambda s: room.train(s, labels=module)})
        assert isinstance(room.errors["tax"], UsageError)
    else:
        room.run({"bank": lambda s: room.train(s, labels=None)})
        assert isinstance(room.errors["bank"], UsageError)
    assert all(isinstance(error, SafeRoomError) for error in room.errors.values())
