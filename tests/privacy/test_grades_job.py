"""Whole jobs under contracts that release grades alone: the right grades, and no score at anybody."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.files.yaml_text import yaml_text
from saferoom.ids import HELPER
from saferoom.scoring.standard import STANDARD, standard_scheme
from saferoom.tasks.registry import load_model
from tests import scorecard_room
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns, write_rows
from tests.task_room import Played, play
from tests.uniformity import FEWEST, looks_uniform

ROWS, ASKED = 1_200, 40
CUTS = {"names": ["A", "B", "C", "D"], "by": "pd", "cuts": [0.1, 0.25, 0.5]}
BY_POINTS = {"names": ["A", "B", "C", "D"], "by": "points", "cuts": [480, 440, 400]}
OWN = {"names": ["A", "B", "C", "D"]}


@dataclass(frozen=True)
class Case:
    """`rule`: the contract's; `own`: the cuts of the bank's grades.yaml, where the rule has none."""

    kind: str
    parties: tuple[str, ...]
    rule: dict[str, Any]
    own: tuple[float, ...] = ()
    dataset: str = "rows"


CASES = {
    "logistic, public cuts": Case("logistic", ("bank", "power", "tax"), CUTS),
    "logistic, cuts on points": Case("logistic", ("bank", "tax"), BY_POINTS),
    "logistic, own cuts": Case("logistic", ("bank", "power", "tax"), OWN, (0.07, 0.2, 0.6)),
    "scorecard, public cuts": Case("scorecard", ("bank", "power", "tax"), CUTS, dataset="card"),
    "scorecard, own cuts": Case("scorecard", ("bank", "tax"), OWN, (0.1, 0.2, 0.3), dataset="card"),
}


@dataclass(frozen=True)
class Jobs:
    case: Case
    contract: Contract
    trained: Played
    scored: Played


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("grades")) as nodes:
        for party, columns in enterprises(ROWS)[1].items():
            label = {"label": "y", "split": "split"} if party == "bank" else {}
            nodes.add_data(party, "rows", columns, **label)
        for party, columns in scorecard_room.enterprises(ROWS).items():
            label = {"label": "y", "split": "split"} if party == "bank" else {}
            nodes.add_data(party, "card", columns, **label)
        yield nodes


def contract_of(nodes: Nodes, case: Case) -> Contract:
    outputs = [{"to": party, "form": "coefficients"} for party in case.parties]
    outputs += [{"to": party, "form": "grade_only"} for party in ("bank", case.parties[1])]
    terms: dict[str, Any] = {"outputs": outputs, "grading": case.rule}
    if case.kind == "logistic":
        columns = {party: three_party_columns()[party] for party in case.parties}
        return nodes.activate(nodes.draft(columns, "rows", **terms))
    params = {"params": {"pre_bins": 10}}
    contract = scorecard_room.draft(nodes, case.parties, dataset="card", **params, **terms)
    return nodes.activate(contract)


def own_scheme(cuts: tuple[float, ...]) -> dict[str, Any]:
    grades = [
        {**grade, **({"up_to": cut} if cut else {})}
        for grade, cut in zip(STANDARD["grades"], [*cuts, None], strict=True)
    ]
    return {**STANDARD, "scheme": "own", "grades": grades}


@pytest.fixture(scope="module", params=CASES, ids=[name.replace(" ", "-") for name in CASES])
def jobs(request: pytest.FixtureRequest, nodes: Nodes) -> Jobs:
    case = CASES[request.param]
    file = nodes.homes["bank"].grades
    file.unlink(missing_ok=True)
    if case.own:
        file.write_text(yaml_text(own_scheme(case.own)), encoding="utf-8")
    contract = contract_of(nodes, case)
    trained = play(nodes, contract)
    assert trained.error is None
    if case.own:  # what stands there later does not matter: the model keeps its cuts
        file.write_text(yaml_text(own_scheme((0.01, 0.02, 0.03))), encoding="utf-8")
    columns = (
        enterprises(ROWS)[1]["bank"] if case.kind == "logistic" else scorecard_room.enterprises(ROWS)["bank"]
    )
    picked = {name: values[:ASKED] for name, values in columns.items() if name not in ("y", "split")}
    asked = write_rows(nodes.folder / f"{contract.id}.csv", picked)
    scored = play(
        nodes,
        contract,
        "score",
        params={"model": trained.job_id, "rows": ASKED},
        local={"bank": {"input": str(asked)}},
    )
    assert scored.error is None
    return Jobs(case, contract, trained, scored)


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain(nodes: Nodes, jobs: Jobs) -> tuple[Any, Any, list[dict[str, str]]]:
    """Probabilities and points of the training job's rows, all parties' parts put together; and its lines."""
    found = lines(nodes.homes["bank"].model(jobs.trained.job_id))
    ids = np.array([line["id"].encode() for line in found])
    parts, model = [], None
    for party in jobs.case.parties:
        model = load_model(nodes.homes[party].model(jobs.trained.job_id))
        table = nodes.table(party, jobs.case.dataset)
        order = np.argsort(table.ids)
        parts.append(model.part(table.take(order[np.searchsorted(table.ids, ids, sorter=order)])))  # type: ignore[attr-defined]
    assert model is not None
    pd, points = model.judge(np.sum(parts, axis=0))
    return pd, points, found


def test_grades_are_those_of_the_plain_sum(nodes: Nodes, jobs: Jobs) -> None:
    pd, points, found = plain(nodes, jobs)
    cuts = jobs.case.own or jobs.case.rule["cuts"]
    by_points = jobs.case.rule.get("by") == "points"
    worse = [points < cut if by_points else pd > cut for cut in cuts]
    expected = np.array(list("ABCD"))[np.sum(worse, axis=0)]
    assert [line["grade"] for line in found] == expected.tolist()
    assert len(set(expected.tolist())) > 2


def test_the_label_holder_keeps_grades_and_an_auc(nodes: Nodes, jobs: Jobs) -> None:
    folder = nodes.homes["bank"].model(jobs.trained.job_id)
    pd, _, found = plain(nodes, jobs)
    assert list(found[0]) == ["id", "split", "y", "grade"]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    y = np.array([int(line["y"]) for line in found])
    split = np.array([line["split"] for line in found])
    for name in ("train", "test"):
        part = split == name
        assert metrics[name]["auc"] == pytest.approx(roc_auc_score(y[part], pd[part]), abs=0.003)
        assert metrics[name].keys() == {"auc", "grade_ks", "gini"}
        assert metrics["alone"][name]["auc"] > 0.5


def test_score_jobs_give_each_recipient_the_same_grades(nodes: Nodes, jobs: Jobs) -> None:
    graded = {line["id"]: line["grade"] for line in lines(nodes.homes["bank"].model(jobs.trained.job_id))}
    for party in ("bank", jobs.case.parties[1]):
        found = lines(nodes.homes[party].model(jobs.scored.job_id))
        assert list(found[0]) == ["id", "grade"]
        assert len(found) == ASKED
        assert all(line["grade"] == graded[line["id"]] for line in found)
        events = [event["type"] for event in nodes.events(party)]
        assert "grade.released" in events
    others = set(jobs.case.parties) - {"bank", jobs.case.parties[1]}
    for party in others:
        assert not (nodes.homes[party].model(jobs.scored.job_id) / "scores.csv").exists()


def test_nobody_learns_a_score(jobs: Jobs) -> None:
    learnt = {kind for job in (jobs.trained, jobs.scored) for kind, _ in job.learnt()}
    assert not learnt & {"score", "points"}
    assert "grades" in learnt and "auc" in learnt
    for name, job in (("train", jobs.trained), ("score", jobs.scored)):
        assert job.learnt() <= allowed_disclosures(jobs.contract, name)


def test_what_is_said_about_scores_is_uniform(jobs: Jobs) -> None:
    """But for what is declared: the bits of grades, the pairs, whether scores are in range."""
    words: dict[str, list[Any]] = {}
    declared = ("grade/bank", f"grade/{jobs.case.parties[1]}", "pairs", "range", "rows")
    for message in jobs.trained.messages:
        steps = message.label.split("/")
        if steps[0] not in ("grades", "check") or message.label.endswith((*declared, "seed", "nonce")):
            continue
        assert message.receiver != HELPER
        for tensor in message.tensors:
            array = tensor
            if message.label.endswith("/below/open") or message.label.endswith("edges/open"):
                array = (tensor >> np.uint32(8)).view(np.uint8).reshape(-1, 4)[:, :3]
            words.setdefault(f"{message.sender} {message.receiver}", []).append(
                np.ascontiguousarray(array).view(np.uint8).ravel()
            )
    for found in words.values():
        together = np.concatenate(found)
        assert len(together) < FEWEST or looks_uniform(together)
    assert any(key.endswith(" bank") and sum(map(len, found)) > FEWEST for key, found in words.items())


def test_the_schemes_words_stay_with_the_grades(nodes: Nodes, jobs: Jobs) -> None:
    kept = json.loads(
        (nodes.homes["bank"].model(jobs.trained.job_id) / "grades.json").read_text(encoding="utf-8")
    )
    assert [grade["name"] for grade in kept["grades"]] == list("ABCD")
    assert kept["grades"][0]["title"] == dict(standard_scheme().grades[0].title)


def test_what_undoes_scores_has_nothing_to_hold_on_to(nodes: Nodes, jobs: Jobs) -> None:
    """Of an exact score the others' parts follow: score minus own part. Here no file has one, and all that
    comes to the bank of a row is one bit a cut from each other party."""
    folder = nodes.homes["bank"].model(jobs.trained.job_id)
    names = {path.name for path in folder.iterdir()}
    assert not any("pd" in line or "points" in line for line in lines(folder)[:1])
    assert names <= {
        *("model.json", "metrics.json", "scores.csv", "alone.csv", "grades.json", "stability.json"),
        *("scorecard.json", "scorecard.csv", "quality.json"),
    }
    received = [
        tensor
        for job in (jobs.trained, jobs.scored)
        for message in job.messages
        if message.receiver == "bank" and message.label.endswith("grade/bank")
        for tensor in message.tensors
    ]
    assert all(tensor.dtype == np.uint8 for tensor in received)
    most = 3 * (ROWS // 8 + 1) * (len(jobs.case.parties) - 1)
    assert sum(tensor.nbytes for tensor in received) <= 2 * most
