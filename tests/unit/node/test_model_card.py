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


def test_elsewhere_without_metrics(nodes: Nodes, job: str) -> None:
    card = card_of(nodes, "tax", job)
    assert card["metrics"] is None and card["intercept"] is None
    assert "Metrics" not in "\n".join(_card_lines(card))


def test_no_model_no_card(nodes: Nodes) -> None:
    with pytest.raises(UsageError):
        card_of(nodes, "bank", "f" * 32)
