"""What a training job keeps: metrics with their intervals, grades with their tests, and the data's quality.

The jobs run in threads with real contracts, data sets and logs.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.contracts.contract import Contract
from saferoom.models.alone import AloneFit
from saferoom.models.uncertainty.auc import auc_difference, auc_estimate, hanley_mcneil
from saferoom.models.uncertainty.estimate import Z
from saferoom.scoring.points import PointScale, logit_from_pd
from saferoom.scoring.standard import standard_scheme
from saferoom.tasks.results.evaluation import Evaluation
from saferoom.tasks.results.quality import load_quality
from tests import scorecard_room
from tests.node_room import PARTIES, Nodes, enterprises, opened_nodes, three_party_columns
from tests.task_room import Played, play

ROWS, WRONG = 900, 7


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("results")) as nodes:
        for party, columns in enterprises(ROWS)[1].items():
            more: dict[str, Any] = {"as_of": "2024-12-31"} if party == "tax" else {}
            more |= {"label": "y", "split": "split"} if party == "bank" else {}
            rejected = {name: its[:WRONG] for name, its in columns.items()}
            rejected["uscc"] = ["no code", *([""] * (WRONG - 1))]
            rows = {
                name: [*its, *(rejected[name] if party == "tax" else ())] for name, its in columns.items()
            }
            nodes.add_data(party, "plain", rows, **more)
        scorecard_room.add_data(nodes, ROWS)
        yield nodes


def trained(nodes: Nodes, contract: Contract) -> Played:
    job = play(nodes, nodes.activate(contract))
    assert job.error is None, job.error
    return job


@pytest.fixture(scope="module")
def logistic(nodes: Nodes) -> Played:
    return trained(nodes, nodes.draft(three_party_columns(), "plain"))


def kept(nodes: Nodes, party: str, job: Played) -> Path:
    return nodes.homes[party].model(job.job_id)


def metrics_of(nodes: Nodes, job: Played) -> dict[str, Any]:
    return dict(json.loads((kept(nodes, "bank", job) / "metrics.json").read_text(encoding="utf-8")))


def lines(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as content:
        return list(csv.DictReader(content))


def test_figures_have_intervals_that_another_program_can_check(nodes: Nodes, logistic: Played) -> None:
    metrics, folder = metrics_of(nodes, logistic), kept(nodes, "bank", logistic)
    scores, alone = lines(folder / "scores.csv"), lines(folder / "alone.csv")
    part = [place for place, line in enumerate(scores) if line["split"] == "test"]
    y = np.array([int(scores[place]["y"]) for place in part])
    pd, own = (np.array([float(found[place]["pd"]) for place in part]) for found in (scores, alone))
    known = metrics["uncertainty"]["test"]
    assert (known["rows"], known["events"], known["few"]) == (len(y), int(y.sum()), False)
    expected = auc_estimate(y, pd)
    assert known["auc"]["value"] == pytest.approx(metrics["test"]["auc"])
    assert known["auc"]["low"] == pytest.approx(expected.low, abs=1e-4)
    assert known["auc"]["high"] == pytest.approx(expected.high, abs=1e-4)
    assert known["ks"]["low"] < metrics["test"]["ks"] == pytest.approx(known["ks"]["value"])
    assert known["gain"]["auc"]["p_value"] == pytest.approx(auc_difference(y, pd, own).p_value, abs=1e-3)
    assert known["gain"]["auc"]["value"] == pytest.approx(
        metrics["test"]["auc"] - metrics["alone"]["test"]["auc"]
    )
    assert known["fit"]["degrees"] == known["fit"]["groups"] == 10
    assert metrics["uncertainty"]["train"]["fit"]["degrees"] == 8


def test_grades_are_judged_by_the_rows_that_were_held_out(nodes: Nodes, logistic: Played) -> None:
    grading = metrics_of(nodes, logistic)["grading"]
    held_out = [
        line for line in lines(kept(nodes, "bank", logistic) / "scores.csv") if line["split"] == "test"
    ]
    assert grading["rows_of"] == "test"
    for one in grading["grades"]:
        mine = [line for line in held_out if line["grade"] == one["name"]]
        assert (one["rows"], one["events"]) == (len(mine), sum(line["y"] == "1" for line in mine))
        assert one["verdict"] in ("kept", "above", "below", "outside", "open", "few", "empty")
    assert [one["promised"] for one in grading["grades"]] == [[0, 0.03], [0.03, 0.08], [0.08, 0.2], [0.2, 1]]


def test_every_party_keeps_what_became_of_its_data(nodes: Nodes, logistic: Played) -> None:
    for party in PARTIES:
        folder = kept(nodes, party, logistic)
        quality = load_quality(folder)
        assert quality is not None
        assert (folder / "quality.json").stat().st_mode & 0o777 == 0o600
        assert quality["aligned"] == quality["train_rows"] + quality["test_rows"] <= quality["rows"]
        features = {name for name, use in three_party_columns()[party].items() if use == "feature"}
        assert quality["gaps"].keys() == features
        ids = {"missing": 0, "invalid": 0, "conflicting": 0, "repeated": 0}
        assert quality["ids"] == ids | ({"missing": WRONG - 1, "invalid": 1} if party == "tax" else {})
        assert quality["as_of"] == ("2024-12-31" if party == "tax" else None)
        assert quality["without_consent"] is None
        assert quality["columns_in_model"] == {name: len(features) for name in PARTIES}
    assert not (kept(nodes, "tax", logistic) / "metrics.json").exists()


def test_final_factors_are_kept_where_they_are_known(nodes: Nodes) -> None:
    params = {"max_vif": 2, "drop_wrong_signs": False, "pre_bins": 10}
    job = trained(nodes, scorecard_room.draft(nodes, params=params))
    found = {party: load_quality(kept(nodes, party, job)) for party in PARTIES}
    cards = {
        party: json.loads((kept(nodes, party, job) / "scorecard.json").read_text(encoding="utf-8"))
        for party in PARTIES
    }
    bank = found["bank"]
    assert bank is not None
    assert bank["vif"].keys() == {feature["name"] for feature in cards["bank"]["features"]}
    assert {party: len(its) for party, its in bank["vif_of_others"].items()} == {
        party: len(cards[party]["features"]) for party in PARTIES if party != "bank"
    }
    factors = [*bank["vif"].values(), *(one for its in bank["vif_of_others"].values() for one in its)]
    assert all(0.9 < one <= 2.1 for one in factors)
    for party in PARTIES:
        quality = found[party]
        assert quality is not None
        assert quality["dropped"] == cards[party]["dropped"]
        assert party == "bank" or (quality["vif"], quality["vif_of_others"]) == ({}, {})


def test_grades_alone_are_judged_by_counts_and_the_auc(nodes: Nodes) -> None:
    outputs = [{"to": party, "form": "coefficients"} for party in PARTIES]
    outputs += [{"to": "bank", "form": "grade_only"}]
    rule = {"names": ["A", "B", "C", "D"], "by": "pd", "cuts": [0.1, 0.25, 0.5]}
    job = trained(nodes, nodes.draft(three_party_columns(), "plain", outputs=outputs, grading=rule))
    metrics = metrics_of(nodes, job)
    known = metrics["uncertainty"]["test"]
    assert known["auc"]["method"] == "hanley_mcneil"
    assert known["gain"]["auc"]["method"] == "independent"
    assert known["fit"] is None
    assert known["grade_ks"]["value"] == pytest.approx(metrics["test"]["grade_ks"])
    auc, counts = known["auc"]["value"], (known["events"], known["rows"] - known["events"])
    reach = Z * hanley_mcneil(auc, *counts) ** 0.5 / (auc * (1 - auc))
    assert np.log(known["auc"]["high"] / (1 - known["auc"]["high"])) == pytest.approx(
        np.log(auc / (1 - auc)) + reach
    )
    grades = metrics["grading"]["grades"]
    assert [one["promised"] for one in grades] == [[0, 0.1], [0.1, 0.25], [0.25, 0.5], [0.5, 1]]
    assert sum(one["rows"] for one in grades) == known["rows"]
    assert all(one["mean_pd"] is None and one["surprise"] is None for one in grades)


def evaluation(y: list[int], pd: list[float], trained_on: int) -> dict[str, Any]:
    scores, scheme = np.array(pd), standard_scheme()
    points = PointScale().points(logit_from_pd(scores))
    is_train = np.arange(len(y)) < trained_on
    return Evaluation(
        ids=np.array([b"x"] * len(y)),
        is_train=is_train,
        y=np.array(y, dtype=np.int8),
        pd=scores,
        points=points,
        grades=scheme.assign(scores, points),
        scheme=scheme,
        alone=AloneFit(scores[is_train], scores[~is_train], np.zeros(0), 0.0),
        scale=PointScale(),
    ).metrics()


def test_nothing_is_concluded_from_five_defaults() -> None:
    pd = np.linspace(0.001, 0.4, 60).tolist()
    known = evaluation([0] * 35 + [1] * 5 + [0] * 15 + [1] * 5, pd, trained_on=40)["uncertainty"]
    assert (known["train"]["few"], known["test"]["few"]) == (True, True)
    assert known["test"]["gain"] == {}


def test_held_out_rows_of_one_class_leave_the_training_rows_to_judge_by() -> None:
    found = evaluation([0] * 30 + [1] * 30 + [0] * 20, np.linspace(0.001, 0.9, 80).tolist(), trained_on=60)
    assert found["uncertainty"]["test"] is None
    assert found["grading"]["rows_of"] == "train"
    assert sum(one["rows"] for one in found["grading"]["grades"]) == 60
