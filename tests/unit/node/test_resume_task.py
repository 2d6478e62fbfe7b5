"""A training job resumes from the trees of one that failed, and ends in the model of an unbroken one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Disclosure
from saferoom.contracts.contract import Contract
from saferoom.errors import PeerError, RefusedError, StorageError
from saferoom.kinds.score_step import USUAL_STEP
from saferoom.models.boosting.gradients import probabilities
from saferoom.models.boosting.train import Grown
from saferoom.scoring.points import logit_from_pd
from saferoom.tasks.models.boosting import BoostedModel
from saferoom.tasks.registry import load_model
from saferoom.tasks.results.checkpoint import STATE, TREE, TrainingCheckpoint
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns
from tests.task_room import Played, play
from tests.waiting import until

TREES = 4
QUICK = {
    "n_estimators": TREES,
    "max_depth": 2,
    "max_bin": 4,
    "min_leaf_rows": 20,
    "key_bits": 2048,
    "randomness": "subgroup",
}
PARTIES = ("bank", "power", "tax")
VALIDATION = {"validation_share": 0.3, "early_stopping_rounds": 4}


class Interrupted(Exception):
    """What the tests stop a party with."""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Data sets with a split of their own, and `free` ones without."""
    with opened_nodes(tmp_path_factory.mktemp("resume")) as nodes:
        _, parts = enterprises(600, seed=3)
        for party, columns in parts.items():
            label = {"label": "y"} if party == "bank" else {}
            nodes.add_data(party, "rows", columns, **label, **({"split": "split"} if label else {}))
            free = {name: values for name, values in columns.items() if name != "split"}
            nodes.add_data(party, "free", free, **label)
        yield nodes


def agree(nodes: Nodes, dataset: str = "rows", **params: Any) -> Contract:
    columns = three_party_columns()
    if dataset == "free":
        del columns["bank"]["split"]
    task = {"kind": "boosting", "params": QUICK | params, "split_seed": 5}
    return nodes.activate(nodes.draft(columns, dataset=dataset, task=task))


@pytest.fixture(scope="module")
def contract(nodes: Nodes) -> Contract:
    return agree(nodes)


@pytest.fixture(scope="module")
def whole(nodes: Nodes, contract: Contract) -> Played:
    """A job that nothing interrupted."""
    return play(nodes, contract)


@pytest.fixture(scope="module")
def failed(nodes: Nodes, contract: Contract) -> Played:
    """A job that power ended at its third tree."""
    return stopped(nodes, contract, "power", 2)


def stopped(nodes: Nodes, contract: Contract, party: str, tree: int, **more: Any) -> Played:
    """A job that `party` ends at tree number `tree`, once all have written down the trees before it."""
    before = {name: set(nodes.homes[name].checkpoint(".").glob("*")) for name in PARTIES}

    def begun(name: str) -> set[Path]:
        return set(nodes.homes[name].checkpoint(".").glob("*")) - before[name]

    def meddle(wanted: Disclosure) -> None:
        if f"tree={tree}/" in wanted.step:
            for name in PARTIES:
                folder = until(partial(begun, name), f"{name} keeps a checkpoint").pop()
                last = folder / (STATE.format(tree) if name == "bank" else TREE.format(tree - 1))
                until(last.exists, f"{name} has written {last.name}")
            raise Interrupted

    played = play(nodes, contract, meddle={party: meddle}, **more)
    assert isinstance(played.error, Interrupted)
    return played


def resumed(nodes: Nodes, contract: Contract, earlier: Played) -> Played:
    return play(nodes, contract, params={"resume": earlier.job_id})


def part(nodes: Nodes, played: Played, party: str) -> BoostedModel:
    assert played.error is None, played.error
    found = load_model(nodes.homes[party].model(played.job_id))
    assert isinstance(found, BoostedModel)
    return found


def kept(nodes: Nodes, played: Played, party: str) -> TrainingCheckpoint:
    return TrainingCheckpoint.open(nodes.homes[party].checkpoint(played.job_id))


def grown_trees(played: Played) -> set[str]:
    """The trees whose rows were told to anybody in a job."""
    steps = (message.label.split("/") for message in played.messages)
    return {word for step in steps for word in step if word.startswith("tree=")}


def gone_on_from(nodes: Nodes, played: Played) -> dict[str, list[str]]:
    """What each party's log says of where a job went on."""
    found = {}
    for party in PARTIES:
        said = [event for event in nodes.events(party) if event["type"] == "job.resumed"]
        found[party] = [event["reason"] for event in said if event["session"]["id"] == played.job_id]
    return found


def assert_scores_are_the_trees(nodes: Nodes, played: Played, dataset: str = "rows") -> None:
    """What the label holder wrote of each row is what all parties' trees together say of it."""
    models = {party: part(nodes, played, party) for party in PARTIES}
    rows = {party: model.rows(nodes.table(party, dataset)) for party, model in models.items()}
    reached = np.logical_and.reduce([of_party[:] for of_party in rows.values()])
    weights = models["bank"].weights
    assert weights is not None
    expected = probabilities(rows["bank"].base_margin() + reached @ weights)
    scores = nodes.homes["bank"].model(played.job_id) / "scores.csv"
    with scores.open(encoding="utf-8", newline="") as lines:
        written = {line["id"].encode(): float(line["pd"]) for line in csv.DictReader(lines)}
    ids = nodes.table("bank", dataset).ids.tolist()
    # Those of held-out rows were rounded by three parties before they were released.
    found = logit_from_pd([written[one] for one in ids])
    np.testing.assert_allclose(found, logit_from_pd(expected), atol=3 * USUAL_STEP)


@pytest.mark.parametrize(("party", "tree"), [("bank", 1), ("tax", 2), ("power", 3)])
def test_the_model_is_that_of_a_job_that_was_not_interrupted(
    nodes: Nodes, contract: Contract, whole: Played, party: str, tree: int
) -> None:
    found = resumed(nodes, contract, stopped(nodes, contract, party, tree))
    for name in PARTIES:
        assert part(nodes, found, name).trees == part(nodes, whole, name).trees
    assert grown_trees(found) == {f"tree={number}" for number in range(tree, TREES)}
    assert_scores_are_the_trees(nodes, found)


def test_every_party_owns_splits_of_it(nodes: Nodes, whole: Played) -> None:
    owners = {owner for tree in part(nodes, whole, "bank").trees.trees for owner in tree.owners.values()}
    assert owners == set(PARTIES)


def test_a_job_that_goes_on_can_be_gone_on_from(nodes: Nodes, contract: Contract, whole: Played) -> None:
    first = stopped(nodes, contract, "tax", 1)
    second = stopped(nodes, contract, "bank", 3, params={"resume": first.job_id})
    third = resumed(nodes, contract, second)
    assert grown_trees(second) == {"tree=1", "tree=2"}
    assert grown_trees(third) == {"tree=3"}
    assert part(nodes, third, "bank").trees == part(nodes, whole, "bank").trees


def test_a_job_that_failed_after_its_last_tree(nodes: Nodes, contract: Contract, whole: Played) -> None:
    def meddle(wanted: Disclosure) -> None:
        if wanted.kind == "score":
            raise Interrupted

    first = play(nodes, contract, meddle=dict.fromkeys(PARTIES, meddle))
    assert isinstance(first.error, Interrupted)
    found = resumed(nodes, contract, first)
    assert grown_trees(found) == set()
    assert part(nodes, found, "bank").trees == part(nodes, whole, "bank").trees


@pytest.mark.parametrize(
    "params",
    [
        VALIDATION,
        {"subsample": 0.7, "colsample_bytree": 0.5},
        {"top_rate": 0.3, "other_rate": 0.3},
        {"own_trees": 1},
        {"own_trees": 2} | VALIDATION,
    ],
    ids=str,
)
def test_margins_and_validation_rows_go_with_their_enterprises(nodes: Nodes, params: dict[str, Any]) -> None:
    """The order of rows is another in every job; also without a split column the split stays."""
    contract = agree(nodes, "free", **params)
    first = stopped(nodes, contract, "tax", 2)
    found = resumed(nodes, contract, first)
    assert_scores_are_the_trees(nodes, found, "free")
    before = kept(nodes, first, "bank").grown(2)
    assert before is not None
    assert list(part(nodes, found, "bank").trees.trees[:2]) == before.trees
    for party in PARTIES:
        old, new = kept(nodes, first, party).rows, kept(nodes, found, party).rows
        assert set(old.ids[old.held_out].tolist()) == set(new.ids[new.held_out].tolist())
        assert old.ids.tolist() != new.ids.tolist()
    after = kept(nodes, found, "bank").grown(TREES)
    assert after is not None and after.losses[:2] == before.losses


def test_a_feature_holder_lacks_nothing_of_trees_without_it(nodes: Nodes) -> None:
    """The label holder grows its own trees without waiting for anybody."""
    contract = agree(nodes, own_trees=3)
    first = stopped(nodes, contract, "tax", 3)
    for number in range(3):
        (nodes.homes["tax"].checkpoint(first.job_id) / f"tree-{number:05}").unlink()
    found = resumed(nodes, contract, first)
    assert gone_on_from(nodes, found) == {party: [f"from tree 3 of job {first.job_id}"] for party in PARTIES}
    assert {len(part(nodes, found, party).trees.trees) for party in PARTIES} == {TREES}


def test_a_party_that_is_one_tree_behind(nodes: Nodes, contract: Contract, whole: Played) -> None:
    first = stopped(nodes, contract, "bank", 3)
    (nodes.homes["tax"].checkpoint(first.job_id) / "tree-00002").unlink()
    found = resumed(nodes, contract, first)
    assert grown_trees(found) == {"tree=2", "tree=3"}
    assert part(nodes, found, "bank").trees == part(nodes, whole, "bank").trees


def test_a_party_that_is_too_far_behind_is_named(nodes: Nodes, contract: Contract) -> None:
    first = stopped(nodes, contract, "bank", 3)
    for number in (1, 2):
        (nodes.homes["tax"].checkpoint(first.job_id) / f"tree-{number:05}").unlink()
    found = resumed(nodes, contract, first)
    assert isinstance(found.error, PeerError)
    assert (found.error.party, found.error.step) == ("tax", "resume")
    assert found.error.remedy == "start the job without --resume"


def test_who_goes_on_from_what_is_logged(nodes: Nodes, contract: Contract, failed: Played) -> None:
    found = resumed(nodes, contract, failed)
    assert gone_on_from(nodes, found) == {party: [f"from tree 2 of job {failed.job_id}"] for party in PARTIES}


# What is refused -------------------------------------------------------------------------------------


def spoil(nodes: Nodes, played: Played, at: str, changes: dict[str, Any]) -> None:
    """Change a checkpoint's head."""
    folder = nodes.homes[at].checkpoint(played.job_id)
    old = TrainingCheckpoint.open(folder)
    head = type(old.head)(**{name: getattr(old.head, name) for name in old.head.__slots__} | changes)
    TrainingCheckpoint.begin(folder, head, old.rows, Grown([]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contract": "contract-of-others"}, "another job, contract or data version"),
        ({"data_version": "other"}, "another job, contract or data version"),
        ({"party": "bank"}, "another job, contract or data version"),
        ({"aligned": "0" * 64}, "in common are not those"),
        ({"trained": "0" * 64}, "the split"),
        ({"columns": {}}, "bins do not come out"),
    ],
    ids=["contract", "data", "party", "aligned", "split", "bins"],
)
def test_a_job_is_not_gone_on_from_under_other_terms(
    nodes: Nodes, contract: Contract, changes: dict[str, Any], message: str
) -> None:
    first = stopped(nodes, contract, "bank", 1)
    spoil(nodes, first, "tax", changes)
    found = resumed(nodes, contract, first)
    assert isinstance(found.error, RefusedError)
    assert message in found.error.message
    assert (found.error.party, found.error.step) == ("tax", "resume")


def test_a_party_without_a_checkpoint(nodes: Nodes, contract: Contract) -> None:
    found = play(nodes, contract, params={"resume": "0" * 32})
    assert isinstance(found.error, StorageError)


def test_nothing_of_labels_is_kept_at_feature_holders(
    nodes: Nodes, contract: Contract, failed: Played
) -> None:
    for party in ("power", "tax"):
        folder = nodes.homes[party].checkpoint(failed.job_id)
        assert {path.name for path in folder.iterdir()} == {"head", "rows", "tree-00000", "tree-00001"}
        for path in folder.glob("tree-*"):
            plain = json.loads(path.read_bytes()[:-64])
            assert set(plain) == {"shape", "covers", "splits"}
