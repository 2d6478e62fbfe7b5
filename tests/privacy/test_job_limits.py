"""What bounds a job from within: rows to train on, enterprises asked for, the version of the data."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from saferoom.channel.session import Session
from saferoom.data import catalogue
from saferoom.errors import RefusedError
from saferoom.jobs.context import JobContext
from saferoom.protocols import psi
from saferoom.tasks.steps import scoring, training_rows
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns, write_rows
from tests.task_room import play

ROWS = 400


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("limits")) as nodes:
        for party, columns in enterprises(ROWS)[1].items():
            nodes.add_data(
                party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {})
            )
            few = {**columns, "split": ["train" if row < 24 else "test" for row in range(ROWS)]}
            nodes.add_data(party, "few", few if party == "bank" else columns, **label_of(party))
        yield nodes


def label_of(party: str) -> dict[str, str]:
    return {"label": "y", "split": "split"} if party == "bank" else {}


@pytest.fixture(scope="module")
def model(nodes: Nodes) -> tuple[Any, str]:
    contract = nodes.activate(nodes.draft(three_party_columns()))
    trained = play(nodes, contract)
    assert trained.error is None
    return contract, trained.job_id


def test_the_minimum_of_rows_holds_for_those_trained_on(nodes: Nodes) -> None:
    """Hundreds are aligned, and two dozen would be trained on: their labels would show in coefficients."""
    contract = nodes.activate(nodes.draft(three_party_columns(), "few", minimum_rows=300))
    job = play(nodes, contract)
    assert isinstance(job.error, RefusedError)
    assert "only 24 rows are for training; the contract's minimum is 300" in job.error.message
    assert job.error.party == "bank" and job.error.step == "split"
    assert not {kind for kind, _ in job.learnt()} & {"split", "widths", "coefficients", "score"}


@pytest.mark.parametrize("party", ["tax", "power"])
def test_every_feature_holder_counts_the_training_rows_itself(
    nodes: Nodes, party: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label holder that runs another program tells a split that its own node would not allow."""
    honest = training_rows.check_training_rows
    contract = nodes.activate(nodes.draft(three_party_columns(), "few", minimum_rows=300))
    who: dict[int, str] = {}
    asked: list[str] = []

    def bent(contract: Any, rows: int) -> None:
        me = who[threading.get_ident()]
        asked.append(me)
        if me == party:
            honest(contract, rows)

    def remember(context: JobContext) -> None:
        who[threading.get_ident()] = context.me

    monkeypatch.setattr(training_rows, "check_training_rows", bent)
    job = play(nodes, contract, on_context=remember)
    assert party in asked
    assert isinstance(job.error, RefusedError)
    assert "coefficients" not in {kind for kind, _ in job.learnt()}


def asked_list(nodes: Nodes, rows: int) -> Path:
    columns = enterprises(ROWS)[1]["bank"]
    picked = {name: columns[name][:rows] for name in ("uscc", "bank_a", "bank_b")}
    return write_rows(nodes.folder / f"asked-{rows}.csv", picked)


@pytest.mark.parametrize("params", [{"rows": 1}, {"rows": 1, "mode": "one"}, {}])
@pytest.mark.parametrize("is_bent", [False, True])
def test_who_asks_for_one_enterprise_does_not_learn_who_else_is_held(
    nodes: Nodes, model: Any, params: dict[str, Any], is_bent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of 300 brought to a job of one: the job would fail at the score, after 300 memberships."""
    contract, trained = model
    if is_bent:
        monkeypatch.setattr(scoring, "align", align_without_checks)
        monkeypatch.setattr(psi.Query, "check", check_unless_loading)
        monkeypatch.setattr(nodes.cores["bank"], "disclose", lambda *_, **__: None)
    job = play(
        nodes,
        contract,
        "score",
        params={"model": trained, **params},
        local={"bank": {"input": str(asked_list(nodes, 300))}},
    )
    assert isinstance(job.error, RefusedError), job.error
    said = [message for message in job.messages if message.sender == "helper"]
    assert not [message for message in said if message.label.endswith(("positions", "verdict"))]


honest_check = psi.Query.check


def check_unless_loading(query: psi.Query, size: int, step: str) -> None:
    if step != "load":
        honest_check(query, size, step)


def align_without_checks(session: Session, ids: Any, *, query: psi.Query) -> Any:
    """What a bank would do that wants to know."""
    return psi.align(session, ids, query=None if session.me == "bank" else query)


def test_data_registered_between_offer_and_start_are_not_used(nodes: Nodes) -> None:
    contract = nodes.activate(nodes.draft(three_party_columns()))
    home = nodes.homes["tax"]
    checked = catalogue.recall("rows", home.data).version

    def as_offered(context: JobContext) -> None:
        if context.me == "tax":
            context.spec = replace(context.spec, dataset_version=checked)

    assert play(nodes, contract, on_context=as_offered).error is None
    columns = enterprises(ROWS, seed=1)[1]["tax"] | {"uscc": enterprises(ROWS)[0]}
    nodes.add_data("tax", "rows", columns)
    job = play(nodes, contract, on_context=as_offered)
    assert isinstance(job.error, RefusedError)
    assert "registered anew between the offer of this job and its start" in job.error.message
    assert (job.error.party, job.error.step) == ("tax", "load")
    assert not [message for message in job.messages if message.sender == "tax"]
