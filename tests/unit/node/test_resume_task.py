"""A training job goes on from the trees of one that failed, and ends in the model that one would have made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.channel.session import Disclosure
from saferoom.contracts.contract import Contract
from saferoom.errors import SafeRoomError
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns
from tests.task_room import Played, play

QUICK = {
    "n_estimators": 4,
    "max_depth": 2,
    "max_bin": 4,
    "min_leaf_rows": 20,
    "key_bits": 2048,
    "randomness": "subgroup",
}
TREES = QUICK["n_estimators"]
ALL = ("bank", "power", "tax")


class Interrupted(Exception):
    """What the tests stop a party with."""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("resume")) as nodes:
        _, parts = enterprises(600, seed=3)
        for party, columns in parts.items():
            nodes.add_data(
                party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {})
            )
        yield nodes


def agree(nodes: Nodes, **params: Any) -> Contract:
    return nodes.activate(
        nodes.draft(
            three_party_columns(), task={"kind": "boosting", "params": QUICK | params, "split_seed": 5}
        )
    )


@pytest.fixture(scope="module")
def contract(nodes: Nodes) -> Contract:
    return agree(nodes)


def stopped(nodes: Nodes, contract: Contract, party: str, tree: int, **more: Any) -> Played:
    """A job of which `party` stops when the sums of tree number `tree` are asked for."""

    def meddle(wanted: Disclosure) -> None:
        if f"tree={tree}/" in wanted.step:
            raise Interrupted

    played = play(nodes, contract, meddle={party: meddle}, **more)
    assert played.error is not None
    return played


def model(nodes: Nodes, played: Played, party: str) -> dict[str, Any]:
    assert played.error is None, played.error
    return dict(json.loads((nodes.homes[party].model(played.job_id) / "model.json").read_text()))


def test_try(nodes: Nodes, contract: Contract) -> None:
    whole = play(nodes, contract)
    failed = stopped(nodes, contract, "tax", 2)
    again = play(nodes, contract, params={"resume": failed.job_id})
    for party in ALL:
        assert model(nodes, again, party)["trees"] == model(nodes, whole, party)["trees"]
