"""Sizes of messages say nothing of private data: whoever relays them sees the same whatever the data are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
import pytest

from saferoom.channel.codec import encode
from saferoom.contracts.contract import Contract
from tests.boosting_room import PARTIES, BoostingRoom, levels, random_room
from tests.node_room import PARTIES as ALL
from tests.node_room import Columns, Nodes, opened_nodes, write_rows
from tests.scorecard_room import enterprises
from tests.task_room import Played, play

SETTINGS = {"rows": 400, "n_estimators": 3, "max_depth": 4, "gamma": 1.0}


Sizes: TypeAlias = dict[tuple[str, str], list[tuple[str, int]]]


def sizes(said: Iterable[tuple[str, str, str, list[Any]]]) -> Sizes:
    """Of every message, from whom to whom, in order: its label, which is not secret, and its size."""
    found: Sizes = {}
    for sender, receiver, label, tensors in said:
        size = sum(len(part) for part in encode(label, tensors))
        found.setdefault((sender, receiver), []).append((label, size))
    return found


def other_data(room: BoostingRoom) -> BoostingRoom:
    """Labels that no column explains, and columns of few levels: hardly any split, hardly any candidate."""
    rng = np.random.default_rng(9)
    rows = len(room.y)
    features = {party: [levels(rng, rows, 2) for _ in columns] for party, columns in room.features.items()}
    return BoostingRoom(features, (rng.random(rows) < 0.4).astype(np.float64), room.settings)


@pytest.mark.parametrize("parties", [2, 3])
def test_messages_are_as_large_whatever_the_data_are(parties: int) -> None:
    first = random_room(PARTIES[:parties], **SETTINGS)
    second, third = random_room(PARTIES[:parties], seed=3, **SETTINGS), other_data(first)
    found = [room.run() for room in (first, second, third)]
    assert all(room.errors == {} for room in (first, second, third))
    splits = [sum(len(tree.shape) for tree in trees["bank"].trees) for trees in found]
    assert splits[0] > splits[2] + 5
    assert sizes(first.said) == sizes(second.said) == sizes(third.said)


# Whole jobs ------------------------------------------------------------------------------------------

ROWS, ASKED = 400, 30
PARAMS = {"n_estimators": 2, "max_depth": 3, "max_bin": 8, "key_bits": 2048, "randomness": "subgroup"}


def with_little_in_it() -> dict[str, Columns]:
    """The same enterprises: gaps, a constant column, two levels, labels that nothing explains."""
    parts, rng = enterprises(ROWS), np.random.default_rng(8)
    for party, columns in parts.items():
        columns[f"{party}_gaps"] = np.where(rng.random(ROWS) < 0.6, np.nan, 1.5).tolist()
        columns[f"{party}_coded"] = [1.0] * ROWS
        columns[f"{party}_region"] = rng.choice(["east", "west"], ROWS).tolist()
    parts["bank"]["y"] = (rng.random(ROWS) < 0.4).astype(int).tolist()
    return parts


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("sizes")) as nodes:
        for dataset, parts in (("telling", enterprises(ROWS)), ("little", with_little_in_it())):
            for party, columns in parts.items():
                names = [name for name in columns if name not in ("uscc", "y", "split")]
                described = [{"name": name, "reason": f"{party} payments"} for name in names]
                label = {"label": "y", "split": "split"} if party == "bank" else {}
                nodes.add_data(party, dataset, columns, columns=described, **label)
        yield nodes


def agreed(nodes: Nodes, parties: tuple[str, ...], dataset: str) -> Contract:
    columns = {
        party: dict.fromkeys(content, "feature") | {"uscc": "id"} for party, content in enterprises(4).items()
    }
    columns["bank"] |= {"y": "label", "split": "split"}
    outputs = [{"to": party, "form": "splits"} for party in parties]
    outputs += [{"to": "bank", "form": form} for form in ("score", "reason_codes")]
    task = {"kind": "boosting", "params": PARAMS}
    chosen = {party: columns[party] for party in parties}
    return nodes.activate(nodes.draft(chosen, dataset, task=task, outputs=outputs))


def jobs_of(nodes: Nodes, parties: tuple[str, ...], dataset: str) -> list[Played]:
    """A model is trained, and a list scored with reasons."""
    contract = agreed(nodes, parties, dataset)
    trained = play(nodes, contract)
    bank = enterprises(ROWS)["bank"] if dataset == "telling" else with_little_in_it()["bank"]
    rows = {name: values[:ASKED] for name, values in bank.items() if name not in ("y", "split")}
    asked = write_rows(nodes.folder / f"{dataset}.csv", rows)
    params = {"model": trained.job_id, "rows": ASKED, "reasons": 2}
    scored = play(nodes, contract, "score", params=params, local={"bank": {"input": str(asked)}})
    assert trained.error is None and scored.error is None
    return [trained, scored]


@pytest.mark.parametrize("parties", [("bank", "tax"), ALL], ids=len)
def test_whole_jobs_are_as_large_whatever_the_data_are(nodes: Nodes, parties: tuple[str, ...]) -> None:
    """Alignment, training, values of splits, evaluation, scores and reasons: all that crosses the relay."""
    telling, little = (jobs_of(nodes, parties, dataset) for dataset in ("telling", "little"))
    for one, other in zip(telling, little, strict=True):
        assert relayed(one) == relayed(other)


def relayed(job: Played) -> Sizes:
    """A key's text may be a character shorter, by chance."""
    return sizes((m.sender, m.receiver, m.label, m.tensors) for m in job.messages if m.label != "train/key")
