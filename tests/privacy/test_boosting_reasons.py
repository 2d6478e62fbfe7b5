"""Reason codes of boosted trees, in jobs with real contracts, data sets and logs.

What each role learns, with a recipient of them and without one; and codes that are right.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.data import catalogue
from saferoom.tasks.models.boosting import BoostedModel
from saferoom.tasks.models.stability import feature_stability
from saferoom.tasks.registry import load_model
from tests.node_room import PARTIES, Nodes, opened_nodes, write_rows
from tests.scorecard_room import add_data, draft, enterprises
from tests.task_room import Played, play

ROWS, ASKED = 700, 40
PARTS = enterprises(ROWS)
QUICK = {"n_estimators": 4, "max_depth": 3, "max_bin": 8, "own_trees": 1}
QUICK |= {"min_leaf_rows": 20, "key_bits": 2048, "randomness": "subgroup"}

Lines = list[dict[str, str]]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("boosting")) as nodes:
        add_data(nodes, ROWS)
        yield nodes


def trained_by(nodes: Nodes, parties: Sequence[str], *forms: str) -> tuple[Contract, Played]:
    """A job under a contract that gives the bank these forms."""
    outputs = [{"to": party, "form": "splits"} for party in parties]
    outputs += [{"to": "bank", "form": form} for form in forms]
    task = {"kind": "boosting", "params": QUICK}
    contract = nodes.activate(draft(nodes, tuple(parties), task=task, outputs=outputs))
    job = play(nodes, contract)
    assert job.error is None, job.error
    return contract, job


@pytest.fixture(scope="module", params=[PARTIES, ("bank", "tax")], ids=["three", "two"])
def explaining(request: pytest.FixtureRequest, nodes: Nodes) -> tuple[Contract, Played]:
    return trained_by(nodes, request.param, "score", "reason_codes")


def scored(nodes: Nodes, contract: Contract, model: str, reasons: int) -> tuple[Played, Lines]:
    file = asked(nodes)
    params: dict[str, Any] = {"model": model, "rows": ASKED} | ({"reasons": reasons} if reasons else {})
    job = play(nodes, contract, "score", params=params, local={"bank": {"input": str(file)}})
    assert job.error is None, job.error
    with (folder_of(nodes, "bank", job) / "scores.csv").open(encoding="utf-8", newline="") as lines:
        return job, list(csv.DictReader(lines))


def asked(nodes: Nodes) -> Path:
    columns = {name: values[:ASKED] for name, values in PARTS["bank"].items() if name not in ("y", "split")}
    return write_rows(nodes.folder / "asked.csv", columns)


def folder_of(nodes: Nodes, party: str, job: Played) -> Path:
    return nodes.homes[party].model(job.job_id)


def model_of(nodes: Nodes, party: str, job: Played) -> BoostedModel:
    model = load_model(folder_of(nodes, party, job))
    assert isinstance(model, BoostedModel)
    return model


def test_the_logs_hold_what_the_contract_declares_and_nothing_else(
    nodes: Nodes, explaining: tuple[Contract, Played]
) -> None:
    contract, job = explaining
    assert job.learnt() == allowed_disclosures(contract, "train") - {("split", "bank")}
    allowed = allowed_disclosures(contract, "score") - {("query", "bank")}
    plain, _ = scored(nodes, contract, job.job_id, 0)
    assert plain.learnt() == allowed - {("reason_codes", "bank")}
    explained, _ = scored(nodes, contract, job.job_id, 3)
    assert explained.learnt() == allowed


def test_values_stay_where_nobody_is_to_have_reason_codes(nodes: Nodes) -> None:
    contract, job = trained_by(nodes, PARTIES, "score")
    assert "split_values" not in {kind for kind, _ in job.learnt()}
    assert not [message for message in job.messages if message.label.endswith("values")]
    for party in PARTIES:
        content = json.loads((folder_of(nodes, party, job) / "model.json").read_text("utf-8"))
        assert all("values" not in tree for tree in content["trees"])
    assert ("split_values", "tax") not in allowed_disclosures(contract)


def test_each_party_keeps_the_values_of_its_own_splits(
    nodes: Nodes, explaining: tuple[Contract, Played]
) -> None:
    contract, job = explaining
    for party in contract.parties:
        model = model_of(nodes, party, job)
        own = [tree for tree in model.trees.trees if tree.splits]
        assert own
        assert all(tree.values.keys() == tree.splits.keys() for tree in own)
        assert any(value for tree in own for value in tree.values.values())
        assert party == "bank" or not model.trees.trees[0].splits


def test_reasons_are_the_costliest_columns_of_all_parties(
    nodes: Nodes, explaining: tuple[Contract, Played]
) -> None:
    """Against what all parties' models, put together in the clear, say."""
    contract, job = explaining
    _, lines = scored(nodes, contract, job.job_id, 3)
    order = {code: place for place, code in enumerate(PARTS["bank"]["uscc"])}
    places = np.array([order[line["id"]] for line in lines])
    candidates: list[list[tuple[int, int, str]]] = [[] for _ in lines]
    for place, party in enumerate(sorted(contract.parties)):
        model, table = model_of(nodes, party, job), nodes.table(party).take(places)
        published = {f"{party}_gaps": f"{party} payment behaviour", f"{party}_region": f"{party} region"}
        names = [published.get(name, "(not published)") for name in model.preparation.column_names]
        for found, costs in zip(candidates, model.lost(table).tolist(), strict=True):
            own = sorted(zip(costs, names, strict=True), key=lambda pair: -pair[0])
            found += [(-min(cost, 255), place, name) for cost, name in own if cost]
    shown = set()
    for line, found in zip(lines, candidates, strict=True):
        expected = [name for _, _, name in sorted(found, key=lambda one: one[:2])[:3]]
        assert line["reasons"].split("; ") == (expected or [""])
        shown |= set(expected)
    assert {f"{party} payment behaviour" for party in contract.parties} < shown


def test_costs_are_those_beside_what_is_expected_without_own_columns(
    nodes: Nodes, explaining: tuple[Contract, Played]
) -> None:
    """The label holder's first trees are of its columns alone: what it cannot explain is the others'."""
    contract, job = explaining
    costs = {party: model_of(nodes, party, job).lost(nodes.table(party)) for party in contract.parties}
    for found in costs.values():
        assert found.shape == (ROWS, 4)
        assert found.min() == 0
        assert 5 < found.max() < 255
    y = np.array(PARTS["bank"]["y"])
    total = sum(found.sum(axis=1) for found in costs.values())
    assert total[y == 1].mean() > 1.2 * total[y == 0].mean()


def test_a_model_without_values_gives_no_reasons(nodes: Nodes, explaining: tuple[Contract, Played]) -> None:
    """As one that was trained before there were any."""
    contract, job = explaining
    copied = nodes.homes["tax"].model(job.job_id) / "model.json"
    content = copied.read_text("utf-8")
    plain = json.loads(content)
    for tree in plain["trees"]:
        tree.pop("values", None)
    copied.write_text(json.dumps(plain), encoding="utf-8")
    try:
        params = {"model": job.job_id, "rows": ASKED, "reasons": 2}
        local = {"bank": {"input": str(asked(nodes))}}
        failed = play(nodes, contract, "score", params=params, local=local)
    finally:
        copied.write_text(content, encoding="utf-8")
    assert "without what reason codes are made of" in str(failed.error)


def test_the_columns_of_each_party_are_watched_at_that_party(
    nodes: Nodes, explaining: tuple[Contract, Played]
) -> None:
    """The training rows are three quarters of the data set: nothing has moved."""
    contract, job = explaining
    for party in contract.parties:
        model = model_of(nodes, party, job)
        found = feature_stability(model, catalogue.recall("rows", nodes.homes[party].data))
        assert {one["feature"] for one in found["features"]} == set(model.preparation.column_names)
        assert found["rows"] == ROWS
        assert all(one["verdict"] == "stable" for one in found["features"])
        assert {sum(rows) for rows in model.preparation.rows.values()} == {525}
