"""Before a job resumes an earlier one, the coordinator and every party look whether it may."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.contracts.contract import Contract
from saferoom.contracts.policy import Policy
from saferoom.data import catalogue
from saferoom.errors import RefusedError, StorageError
from saferoom.jobs.home import Home
from saferoom.jobs.problem import Problem
from saferoom.link.v1 import control_pb2 as wire
from saferoom.models.boosting.train import Grown
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.doctor import _checkpoints
from saferoom.node.operations.roles import party_operations
from saferoom.tasks.results.checkpoint import Head, Rows, TrainingCheckpoint
from tests.node_room import Nodes, three_party_columns
from tests.unit.node.test_job_desk import Office
from tests.unit.node.test_party_jobs import Hub, Tax

GONE = Problem("PeerError", "the party is gone", "power", "train", "start it")


@pytest.fixture
def contract(nodes: Nodes) -> Contract:
    task = {"kind": "boosting", "params": {"n_estimators": 3}}
    quotas = {"training_jobs": 3, "scores_per_day": 10}
    return nodes.activate(nodes.draft(three_party_columns(), task=task, quotas=quotas))


@pytest.fixture
def tax(nodes: Nodes, contract: Contract) -> Tax:
    return Tax(nodes, contract)


@pytest.fixture
def office(nodes: Nodes, contract: Contract) -> Office:
    return Office(nodes, contract)


def remember(core: Core, contract: Contract, state: str = "failed", **changes: Any) -> str:
    """A training job that a node knows; its id."""
    values = {"contract_id": contract.id, "kind": "train", "params": {}, "created": 1.0, "ended": time.time()}
    job = core.new_id()
    core.state.put(tables.jobs, **{"id": job, "state": state, **values, **changes})
    return job


def leave(core: Core, contract: Contract, job: str, **changes: str) -> None:
    """The checkpoint of a job, after one tree or none: its head is all that is looked at."""
    version = catalogue.recall("rows", core.home.data).version
    head = {"job": job, "contract": contract.id, "party": core.me, "data_version": version} | changes
    checkpoint = Head(**head, columns={}, aligned="", trained="", is_label_holder=False)
    rows = Rows(np.array([b"a"]), np.array([False]))
    TrainingCheckpoint.begin(core.home.checkpoint(job), checkpoint, rows, Grown([]))


def offer(tax: Tax, earlier: str) -> wire.JobReply:
    return tax.offer(params_json=json.dumps({"resume": earlier}))


def refused(reply: wire.JobReply) -> str:
    assert not reply.accepted
    assert (reply.problem.error, reply.problem.party, reply.problem.step) == ("RefusedError", "tax", "resume")
    assert reply.problem.remedy
    return str(reply.problem.message)


# At a party ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_job_with_a_checkpoint_is_gone_on_from(tax: Tax, state: str) -> None:
    job = remember(tax.core, tax.contract, state)
    leave(tax.core, tax.contract, job)
    reply = offer(tax, job)
    assert reply.accepted, reply.problem
    tax.begin()
    assert tax.hub.started[0].params == {"resume": job}


def test_it_counts_as_a_training_job(tax: Tax) -> None:
    jobs = [remember(tax.core, tax.contract, started=1.0) for _ in range(3)]
    leave(tax.core, tax.contract, jobs[0])
    reply = offer(tax, jobs[0])
    assert "3 training jobs are used up" in reply.problem.message


def test_it_needs_a_person_s_permit_like_any_job(tax: Tax) -> None:
    tax.policy = Policy(approval="job")
    job = remember(tax.core, tax.contract)
    leave(tax.core, tax.contract, job)
    assert "a person to permit" in offer(tax, job).problem.message
    tax.jobs.permits.grant(tax.contract, "train", 1, "officer")
    assert offer(tax, job).accepted
    assert "a person to permit" in offer(tax, job).problem.message


def test_without_a_checkpoint(tax: Tax) -> None:
    job = remember(tax.core, tax.contract)
    assert "no checkpoint of the job here" in refused(offer(tax, job))


def test_an_unknown_job(tax: Tax) -> None:
    assert "is not known here" in refused(offer(tax, "ab" * 16))
    score = remember(tax.core, tax.contract, kind="score")
    assert "is not known here" in refused(offer(tax, score))


def test_under_another_contract(tax: Tax, nodes: Nodes) -> None:
    other = nodes.activate(nodes.draft(three_party_columns()))
    job = remember(tax.core, other)
    leave(tax.core, other, job)
    assert "another contract" in refused(offer(tax, job))


def test_a_job_that_finished(tax: Tax) -> None:
    job = remember(tax.core, tax.contract, "finished")
    assert "has finished" in refused(offer(tax, job))
    assert job in tax.sent[-1].reply.problem.remedy


@pytest.mark.parametrize("state", ["offered", "running", "awaiting verdict"])
def test_a_job_that_is_under_way(tax: Tax, state: str) -> None:
    job = remember(tax.core, tax.contract, state, ended=None)
    leave(tax.core, tax.contract, job)
    assert "has not ended" in refused(offer(tax, job))
    tax.core.state.update(tables.jobs, job, state="failed", ended=time.time())


def test_data_that_were_registered_anew(tax: Tax) -> None:
    job = remember(tax.core, tax.contract)
    leave(tax.core, tax.contract, job, data_version="older")
    assert "registered anew" in refused(offer(tax, job))


def test_a_damaged_checkpoint(tax: Tax) -> None:
    job = remember(tax.core, tax.contract)
    leave(tax.core, tax.contract, job)
    (tax.core.home.checkpoint(job) / "head").write_bytes(b"{}")
    reply = offer(tax, job)
    assert (reply.problem.error, reply.problem.party) == ("StorageError", "tax")
    assert "damaged" in reply.problem.message


def test_a_checkpoint_whose_time_is_over(tax: Tax, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = tax.core.now().timestamp() - tax.contract.retention_days * 86400
    job = remember(tax.core, tax.contract, ended=ended)
    leave(tax.core, tax.contract, job)
    assert "is to be destroyed" in refused(offer(tax, job))
    monkeypatch.setattr(Hub, "running", lambda _hub: [], raising=False)
    tax.jobs.destroyer.sweep()
    message = refused(offer(tax, job))
    assert "was destroyed" in message and "days of retention are over" in message


def test_a_job_that_fails_says_until_when_its_checkpoint_is_kept(tax: Tax) -> None:
    assert tax.offer().accepted
    tax.begin()
    leave(tax.core, tax.contract, tax.last)
    tax.jobs.settle(tax.last, GONE)
    (event,) = [e for e in tax.nodes.events("tax") if e["type"] == "job.checkpointed"][-1:]
    assert event["session"]["id"] == tax.last
    until = tax.jobs.destroyer.holdings.due(tax.row())
    assert event["reason"].startswith(f"kept until {until:%Y-%m-%dT%H:%M}")
    assert tax.core.home.checkpoint(tax.last).exists()


def test_a_job_that_finishes_keeps_no_checkpoint(tax: Tax) -> None:
    assert tax.offer().accepted
    tax.begin()
    leave(tax.core, tax.contract, tax.last)
    tax.stage()
    tax.jobs.job_ended(tax.last, None, {"facts": {}})
    tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
    assert not tax.core.home.checkpoint(tax.last).exists()
    assert "job.checkpointed" not in [type_ for type_, _ in tax.events()]


def test_a_job_s_checkpoint_is_shown(tax: Tax) -> None:
    operations = party_operations(tax.core, None)
    job = remember(tax.core, tax.contract)
    (answer,) = operations.handle("job.show", {"job": job})
    assert "checkpoint" not in answer
    leave(tax.core, tax.contract, job)
    (answer,) = operations.handle("job.show", {"job": job[:12]})
    shown = answer["checkpoint"]
    assert shown["trees"] == 0 and shown["bytes"] > 100
    until = tax.jobs.destroyer.holdings.due(tax.core.state.get(tables.jobs, job, "job"))
    assert shown["kept_until"] == until.isoformat(timespec="seconds")


def test_the_doctor_counts_checkpoints(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert next(_checkpoints(home)).text == "0 jobs can be resumed, 0.0 MB"
    head = Head("job", "contract", "tax", "v1", {}, "", "", False)
    rows = Rows(np.zeros(100_000, dtype="S18"), np.zeros(100_000, dtype=bool))
    TrainingCheckpoint.begin(home.checkpoint("job"), head, rows, Grown([]))
    home.checkpoint("another").mkdir()
    found = next(_checkpoints(home))
    assert found.ok and found.text == "1 jobs can be resumed, 1.9 MB"


def test_a_checkpoint_is_destroyed_by_order(tax: Tax) -> None:
    operations = party_operations(tax.core, None)
    job = remember(tax.core, tax.contract)
    leave(tax.core, tax.contract, job)
    (answer,) = operations.handle("model.destroy", {"model": job, "reason": "a wrong label"})
    assert answer["destroyed"].startswith("2 files")
    assert not tax.core.home.checkpoint(job).exists()


# At the coordinator ----------------------------------------------------------------------------------


def test_the_coordinator_offers_it(office: Office) -> None:
    job = remember(office.core, office.contract)
    new = office.submit(resume=job)
    offers = [message.offer for _, message in office.sent if message.offer.job_id == new]
    assert {offer.params_json for offer in offers} == {json.dumps({"resume": job})}
    assert office.row(new)["params"] == {"resume": job}


@pytest.mark.parametrize(
    ("state", "message"), [("finished", "has finished"), ("running", "has not ended")], ids=str
)
def test_the_coordinator_refuses_what_cannot_be(office: Office, state: str, message: str) -> None:
    job = remember(office.core, office.contract, state)
    with pytest.raises(RefusedError, match=message) as caught:
        office.submit(resume=job)
    assert caught.value.step == "resume" and caught.value.remedy
    assert office.sent == []
    office.core.state.update(tables.jobs, job, state="failed")


def test_the_coordinator_refuses_another_contract_s_job(office: Office, nodes: Nodes) -> None:
    other = nodes.activate(nodes.draft(three_party_columns()))
    job = remember(office.core, other)
    with pytest.raises(RefusedError, match="another contract") as caught:
        office.submit(resume=job)
    assert other.id in caught.value.remedy


@pytest.mark.parametrize("resume", ["", "ab", "AB" * 16, "../" * 11, 7, None])
def test_what_is_no_id_of_a_job(office: Office, resume: Any) -> None:
    with pytest.raises(RefusedError, match="'resume' is not the id of a job"):
        office.submit(resume=resume)


def test_only_boosted_trees_can_be_resumed(nodes: Nodes) -> None:
    office = Office(nodes, nodes.activate(nodes.draft(three_party_columns())))
    job = remember(office.core, office.contract)
    with pytest.raises(RefusedError, match="only jobs of boosted trees can be resumed"):
        office.submit(resume=job)


def test_a_full_disk_while_a_job_fails(tax: Tax, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end stands; the next start writes down that there is something to resume."""
    assert tax.offer().accepted
    tax.begin()
    leave(tax.core, tax.contract, tax.last)

    def full(*_args: Any, **_more: Any) -> None:
        raise StorageError("the audit log cannot be written", step="log")

    with monkeypatch.context() as patch:
        patch.setattr(tax.core, "record", full)
        tax.jobs.settle(tax.last, GONE)
    assert ("job.checkpointed", "allowed") not in tax.events()
    tax.jobs.settle(tax.last, GONE)
    assert ("job.checkpointed", "allowed") in tax.events()
