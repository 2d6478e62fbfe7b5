"""A model card shows what its party may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from saferoom.cli.model_commands import _card_lines
from saferoom.errors import UsageError
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.operations.roles import party_operations
from tests.node_room import Nodes, three_party_columns

MODEL = {"kind": "logistic", "columns": ["a", "b"], "coefficients": [0.25, -1.5], "points": {"pdo": 20.0}}
METRICS = {"train": {"auc": 0.8}, "test": {"auc": 0.75}, "alone": {"train": {"auc": 0.6}, "test": None}}


@pytest.fixture
def job(nodes: Nodes) -> Iterator[str]:
    """A finished job at the bank and at the tax bureau; only the bank evaluated it."""
    contract, job = nodes.activate(nodes.draft(three_party_columns())), Core.new_id()
    for party, files in (
        ("bank", {"model.json": MODEL | {"intercept": 0.5}, "metrics.json": METRICS}),
        ("tax", {"model.json": MODEL}),
    ):
        core = nodes.cores[party]
        folder = core.home.model(job)
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        now = core.now().timestamp()
        core.state.put(
            tables.jobs,
            id=job,
            contract_id=contract.id,
            kind="train",
            params={},
            state="finished",
            created=now,
            ended=now,
            summary={"facts": {"rows": 3, "aligned": 900}},
        )
    yield job
    for party in ("bank", "tax"):
        nodes.cores[party].state.update(tables.jobs, job, state="failed")


def card_of(nodes: Nodes, party: str, job: str) -> dict[str, Any]:
    (card,) = party_operations(nodes.cores[party], None).handle("model.card", {"model": job})
    return card


def test_at_the_party_that_evaluated_it(nodes: Nodes, job: str) -> None:
    card = card_of(nodes, "bank", job)
    assert card["coefficients"] == {"a": 0.25, "b": -1.5}
    assert (card["intercept"], card["metrics"]["test"]["auc"], card["rows"]) == (0.5, 0.75, {"aligned": 900})
    assert [row["party"] for row in card["parties"]] == ["bank", "power", "tax"]
    text = "\n".join(_card_lines(card))
    words = (
        "- auc: 0.75",
        "## Metrics: alone, train",
        "- intercept: 0.5",
        "| power |",
        "kept until 20",
    )
    for word in words:
        assert word in text


GRADE = {
    "name": "A",
    "rows": 1483,
    "share": 0.9,
    "mean_pd": 0.009,
    "events": 53,
    "default_rate": 53 / 1483,
    "promised": [0.0, 0.03],
    "low": 0.0274,
    "high": 0.0465,
    "verdict": "outside",
    "p_value": 0.11,
    "surprise": 1e-14,
}
KNOWN = {
    "rows": 1483,
    "events": 53,
    "few": False,
    "auc": {"value": 0.75, "low": 0.7, "high": 0.79, "method": "delong"},
    "alone": {"ks": {"value": 0.3, "low": 0.2, "high": 0.4, "method": "bootstrap"}},
    "gain": {"auc": {"value": 0.05, "low": 0.01, "high": 0.09, "p_value": 0.01, "method": "delong"}},
    "fit": {"statistic": 12.5, "groups": 10, "degrees": 10, "p_value": 0.25},
}
JUDGED = METRICS | {
    "uncertainty": {"level": 0.95, "train": None, "test": KNOWN},
    "grading": {
        "rows_of": "test",
        "grades": [GRADE],
        "rising": {"verdict": "open", "steps": []},
        "suits": {"ok": False, "empty": [], "crowded": "A", "share": 0.9, "targets": []},
    },
}
QUALITY = {
    "dataset": "rows",
    "as_of": "2024-12-31",
    "ids": {"missing": 0, "invalid": 4, "conflicting": 0, "repeated": 0},
    "rows": 1000,
    "aligned": 900,
    "gaps": {"a": 0.25, "b": 0.0},
    "dropped": {"c": "constant in the training rows"},
    "vif": {"a": 1.5},
    "vif_of_others": {"tax": [1.25, 2.0]},
}


def test_with_what_the_figures_bear_and_what_became_of_the_data(nodes: Nodes, job: str) -> None:
    folder = nodes.cores["bank"].home.model(job)
    (folder / "metrics.json").write_text(json.dumps(JUDGED), encoding="utf-8")
    (folder / "quality.json").write_text(json.dumps(QUALITY), encoding="utf-8")
    text = "\n".join(_card_lines(card_of(nodes, "bank", job)))
    for words in (
        "- test, joint auc: 0.7500, 0.7000 to 0.7900 (delong)",
        "- test, gain of auc: 0.0500, 0.0100 to 0.0900, p = 0.010 (delong)",
        "- test, Hosmer-Lemeshow: 12.50, 10 degrees of freedom, p = 0.250",
        "| A | 1483 | 53 | 3.57 % | 2.74 % to 4.65 % | 0.90 % | 0.0 % to 3.0 % | outside |",
        "Grade A promises a default rate of at most 3.0 % and shows 3.57 % on 1,483 rows",
        "- as of: 2024-12-31",
        "- rejected ids: invalid 4",
        "- a: 25.0%",
        "- c: constant in the training rows",
        "- others: tax: 1.25, 2",
    ):
        assert words in text
    assert "- b: 0.0%" not in text


def test_elsewhere_without_metrics(nodes: Nodes, job: str) -> None:
    card = card_of(nodes, "tax", job)
    assert card["metrics"] is None and card["intercept"] is None
    assert "Metrics" not in "\n".join(_card_lines(card))


def test_no_model_no_card(nodes: Nodes) -> None:
    with pytest.raises(UsageError):
        card_of(nodes, "bank", "f" * 32)
