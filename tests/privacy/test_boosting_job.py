"""Whole jobs of boosted trees: they disclose what the contract declares, written down before it is sent.

And their scores are those of the plain twin, which sees every column. Threads instead of processes;
contracts, data sets and logs are real.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Disclosure
from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.errors import StorageError
from saferoom.ids import HELPER
from saferoom.models.boosting.gradients import probabilities
from saferoom.models.boosting.nodes import MORE
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.scoring.points import logit_from_pd
from saferoom.tasks.models.boosting import BoostedModel
from saferoom.tasks.registry import load_model
from saferoom.tasks.steps.twins import tree_settings
from tests.node_room import PARTIES, Nodes, opened_nodes, write_rows
from tests.scorecard_room import add_data, enterprises
from tests.task_room import Played, play

ROWS, ASKED = 500, 60
PARAMS = {"n_estimators": 3, "max_depth": 2, "max_bin": 8, "key_bits": 2048, "randomness": "subgroup"}
ROOMS = {
    "three parties": (PARTIES, {}, True),
    "two parties": (("bank", "tax"), {"own_trees": 1}, True),
    "no features at the label holder": (PARTIES, {}, False),
}


@dataclass(frozen=True)
class Jobs:
    """A training job and a score job under one contract."""

    contract: Contract
    played: dict[str, Played]
    nodes: Nodes

    def model(self, party: str) -> BoostedModel:
        model = load_model(self.nodes.homes[party].model(self.played["train"].job_id))
        assert isinstance(model, BoostedModel)
        return model


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("boosting")) as nodes:
        add_data(nodes, ROWS)
        yield nodes


def draft(nodes: Nodes, parties: tuple[str, ...], params: dict[str, Any], *, own_features: bool) -> Contract:
    columns = {}
    for party, content in enterprises(4).items():
        uses = dict.fromkeys(content, "feature") | {"uscc": "id"}
        if party == "bank":
            uses = (uses if own_features else {"uscc": "id"}) | {"y": "label", "split": "split"}
        columns[party] = uses
    outputs = [{"to": party, "form": "splits"} for party in parties] + [{"to": "bank", "form": "score"}]
    task = {"kind": "boosting", "params": PARAMS | params}
    return nodes.activate(nodes.draft({p: columns[p] for p in parties}, task=task, outputs=outputs))


@pytest.fixture(scope="module", params=ROOMS, ids=[name.replace(" ", "-") for name in ROOMS])
def jobs(request: pytest.FixtureRequest, nodes: Nodes) -> Jobs:
    parties, params, own_features = ROOMS[request.param]
    contract = draft(nodes, parties, params, own_features=own_features)
    trained = play(nodes, contract)
    assert trained.error is None
    bank = enterprises(ROWS)["bank"]
    names = [name for name in bank if name not in ("y", "split")]
    asked = write_rows(nodes.folder / "asked.csv", {name: bank[name][:ASKED] for name in names})
    scored = play(
        nodes,
        contract,
        "score",
        params={"model": trained.job_id, "rows": ASKED},
        local={"bank": {"input": str(asked)}},
    )
    assert scored.error is None
    return Jobs(contract, {"train": trained, "score": scored}, nodes)


def test_the_logs_hold_what_the_contract_declares_and_nothing_else(jobs: Jobs) -> None:
    own: dict[str, set[tuple[str, str]]] = {
        "train": {("split", "bank")},
        "score": {("query", "bank")},
    }
    for kind, job in jobs.played.items():
        assert job.learnt() == allowed_disclosures(jobs.contract, kind) - own[kind]


def test_every_entry_stands_in_the_log_before_its_value_is_sent(jobs: Jobs) -> None:
    seen = set()
    for job in jobs.played.values():
        for message in job.messages:
            if message.label == "train/tree" and message.tensors[0][0] == MORE:
                continue  # another tree follows: nothing is told yet
            for index, kind, to, _, step in job.disclosures[message.sender]:
                if to == message.receiver and (message.label == step or message.label.startswith(step + "/")):
                    assert index < message.logged, (message.sender, step)
                    seen.add(kind)
    assert seen >= {"split_sums", "chosen_splits", "tree_rows", "tree_shapes", "split", "score"}


def test_the_helper_hears_sizes_and_pseudonyms_only(jobs: Jobs) -> None:
    for job in jobs.played.values():
        heard = [m for m in job.messages if m.receiver == HELPER]
        assert {m.label.split("/")[-1] for m in heard} <= {"size", "tokens", "sizes", "pace", "nonce"}


def test_each_part_holds_own_splits_and_only_the_label_holder_has_weights(jobs: Jobs) -> None:
    for party in jobs.contract.parties:
        plain = jobs.model(party).to_plain()
        is_holder = party == "bank"
        assert ("base" in plain) == is_holder
        assert any("weights" in tree for tree in plain["trees"]) == is_holder
        assert set(plain["columns"]) <= set(jobs.contract.features_of(party))
    splits = [set(tree.splits) for tree in jobs.model("bank").trees.trees]
    for party in set(jobs.contract.parties) - {"bank"}:
        for tree, taken in zip(jobs.model(party).trees.trees, splits, strict=True):
            assert not set(tree.splits) & taken


def test_all_splits_and_scores_are_those_of_the_plain_twin(jobs: Jobs) -> None:
    """The twin takes its rows in the order of the job, as the label holder's scores have them."""
    folder = jobs.nodes.homes["bank"].model(jobs.played["train"].job_id)
    scores = read(folder / "scores.csv")
    ids = np.array([row["id"].encode() for row in scores])
    train = np.array([row["split"] == "train" for row in scores])
    y = np.array([float(row["y"]) for row in scores])
    of_train, of_all = {}, {}
    for party in sorted(jobs.contract.parties):
        table = jobs.nodes.table(party)
        order = np.argsort(table.ids)
        rows = table.take(order[np.searchsorted(table.ids, ids, sorter=order)])
        columns = jobs.model(party).preparation
        of_train[party], of_all[party] = columns.features(rows.take(train)), columns.features(rows)
    settings = tree_settings(jobs.contract.task.params, weighted=False)  # type: ignore[arg-type]
    twin = fit_boosting_plain(of_train, y[train], "bank", settings)
    for place, tree in enumerate(jobs.model("bank").trees.trees):
        joint = {n: (p, jobs.model(p).trees.trees[place].splits[n]) for n, p in tree.owners.items()}
        assert joint == twin.trees[place].splits
        assert tree.weights == twin.trees[place].weights
    chances = probabilities(twin.margins(of_all))
    written = np.array([float(row["pd"]) for row in scores])
    np.testing.assert_allclose(written[train], chances[train], rtol=1e-5)
    within = len(jobs.contract.parties) * jobs.contract.released_step
    np.testing.assert_allclose(logit_from_pd(written), logit_from_pd(chances), atol=within)
    again = {
        row["id"]: float(row["pd"])
        for row in read(jobs.nodes.homes["bank"].model(jobs.played["score"].job_id) / "scores.csv")
    }
    assert len(again) == ASKED
    exact = dict(zip((one.decode() for one in ids.tolist()), chances.tolist(), strict=True))
    off = [logit_from_pd(pd) - logit_from_pd(exact[one]) for one, pd in again.items()]
    assert np.abs(off).max() < within


def test_a_column_that_says_nothing_is_dropped_and_all_others_are_kept(jobs: Jobs) -> None:
    for party in jobs.contract.parties:
        assert set(jobs.model(party).preparation.column_names) == set(jobs.contract.features_of(party))


@pytest.mark.parametrize(
    ("who", "kind", "carried_by"),
    [
        ("tax", "split_sums", "sums/depth=0"),
        ("bank", "tree_rows", "rows"),
        ("bank", "chosen_splits", "chosen/depth=0"),
        ("bank", "tree_shapes", "train/tree"),
        ("power", "score", "leaf sum/sums/reveal"),
    ],
)
def test_no_entry_no_disclosure(nodes: Nodes, who: str, kind: str, carried_by: str) -> None:
    """A log that fails at one node stops that value."""

    def full(disclosure: Disclosure) -> None:
        if disclosure.kind == kind:
            raise StorageError("the audit log cannot be written", party=who, step=disclosure.step)

    contract = draft(nodes, PARTIES, {"n_estimators": 1, "max_depth": 1}, own_features=True)
    job = play(nodes, contract, meddle={who: full})
    assert job.error is not None
    sent = [m for m in job.messages if m.sender == who and m.label.endswith(carried_by)]
    assert [m for m in sent if kind != "tree_shapes" or m.tensors[0][0] != MORE] == []
    assert not nodes.homes[who].model(job.job_id).exists()


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
