"""Control messages that nobody should send: each is refused and logged, none stops the node or changes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from saferoom.contracts.contract import Contract
from saferoom.ids import COORDINATOR
from saferoom.link.relay.relay import Relay
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from tests.node_room import Nodes, contract_message, enterprises, opened_nodes, three_party_columns

JOB = "ab" * 16
PROBLEM = wire.Problem(error="PeerError", message="gone", party="bank", step="train", remedy="none")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("messages")) as nodes:
        _, parts = enterprises(120)
        nodes.add_data("tax", "rows", parts["tax"])
        yield nodes


@pytest.fixture
def contract(nodes: Nodes) -> Contract:
    return nodes.activate(nodes.draft(three_party_columns()))


@pytest.fixture
def coordinator(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Coordinator:
    """Its relay is not started: everybody counts as connected, and hears nothing."""
    monkeypatch.setattr(Relay, "connected", lambda self: set(nodes.homes))
    monkeypatch.setattr(Relay, "send_control", lambda self, party, message: True)
    return Coordinator(nodes.cores[COORDINATOR], nodes.helper_keys)


@pytest.fixture
def party(nodes: Nodes) -> Party:
    return Party(nodes.cores["tax"])


def kept(core: Core) -> dict[str, Any]:
    """Everything that the node remembers."""
    return {table.name: core.state.rows(table) for table in (tables.contracts, tables.decisions, tables.jobs)}


def last_event(nodes: Nodes, node: str) -> dict[str, Any]:
    return nodes.events(node)[-1]


def for_parties_only(contract: Contract) -> list[wire.Control]:
    """What only a coordinator says, and what nobody says like this."""
    return [
        wire.Control(),
        wire.Control(contract=contract_message(contract, "active", {})),
        wire.Control(offer=wire.JobOffer(job_id=JOB, contract_id=contract.id, kind="train")),
        wire.Control(start=wire.JobStart(job_id=JOB)),
        wire.Control(verdict=wire.JobVerdict(job_id=JOB, finished=True)),
        wire.Control(answer=wire.JobRequestAnswer(request_id="r", job_id=JOB)),
        wire.Control(decision=wire.Decision(contract_id="contract-of-nobody", decision="approve")),
        wire.Control(decision=wire.Decision(contract_id=contract.id, decision="approve", signature=b"x")),
        wire.Control(cancel=wire.JobCancel(job_id=JOB, by="tax", reason="envy")),
        wire.Control(request=wire.JobRequest(request_id="r", contract_id=contract.id, params_json="{")),
        wire.Control(
            request=wire.JobRequest(request_id="r", contract_id=contract.id, kind="train", params_json="7")
        ),
        wire.Control(end=wire.JobEnd(job_id=JOB, finished=True, summary_json="[[")),
    ]


@pytest.mark.parametrize("number", range(12))
def test_a_party_that_says_what_it_must_not(
    nodes: Nodes, coordinator: Coordinator, contract: Contract, number: int
) -> None:
    message = for_parties_only(contract)[number]
    before = kept(coordinator.core)
    coordinator.on_control("tax", message.SerializeToString())
    assert kept(coordinator.core) == before
    event = last_event(nodes, COORDINATOR)
    assert (event["type"], event["outcome"], event["actor"]["org"]) == ("request.refused", "refused", "tax")


def from_parties_only(contract: Contract) -> list[wire.Control]:
    """What only a party says, and what nobody says like this."""
    text = contract_message(contract, "active", {}).canonical
    return [
        wire.Control(),
        wire.Control(hello=wire.Hello(software="x")),
        wire.Control(decision=wire.Decision(contract_id=contract.id, decision="revoke")),
        wire.Control(request=wire.JobRequest(request_id="r", contract_id=contract.id)),
        wire.Control(reply=wire.JobReply(job_id=JOB, accepted=True)),
        wire.Control(progress=wire.JobProgress(job_id=JOB, party="bank")),
        wire.Control(end=wire.JobEnd(job_id=JOB, finished=True)),
        wire.Control(cancel=wire.JobCancel(job_id=JOB)),
        wire.Control(start=wire.JobStart(job_id=JOB)),
        wire.Control(offer=wire.JobOffer(job_id="../data", contract_id=contract.id, kind="train")),
        wire.Control(offer=wire.JobOffer(job_id=JOB, contract_id=contract.id, params_json="{")),
        wire.Control(contract=wire.Contract(contract_id="x", canonical=text[:-9], state="active")),
        wire.Control(contract=wire.Contract(contract_id="x", canonical=b"\xff", state="revoked")),
    ]


@pytest.mark.parametrize("number", range(13))
def test_a_coordinator_that_says_what_it_must_not(
    nodes: Nodes, party: Party, contract: Contract, number: int
) -> None:
    message = from_parties_only(contract)[number]
    before = kept(party.core)
    party.on_control(message.SerializeToString())
    assert kept(party.core) == before
    event = last_event(nodes, "tax")
    assert (event["type"], event["outcome"], event["actor"]["org"]) == (
        "request.refused",
        "refused",
        COORDINATOR,
    )


@pytest.mark.parametrize("size", [1, 2, 7, 100, 5000])
def test_noise_is_refused_by_both(nodes: Nodes, coordinator: Coordinator, party: Party, size: int) -> None:
    for _ in range(5):
        # Field 19 does not exist, and its announced length overruns the message: never a valid one.
        noise = b"\x9a\x01\xff\xff\xff\x7f" + os.urandom(size)
        before = kept(coordinator.core), kept(party.core)
        coordinator.on_control("tax", noise)
        party.on_control(noise)
        assert (kept(coordinator.core), kept(party.core)) == before
        for node in (COORDINATOR, "tax"):
            assert last_event(nodes, node)["reason"] == "a message not in the format"


def test_words_about_jobs_of_others_change_nothing(
    nodes: Nodes, coordinator: Coordinator, contract: Contract
) -> None:
    job = coordinator.submit(contract.id, "train", {}, by=COORDINATOR)
    before = kept(coordinator.core)
    for message in (
        wire.Control(reply=wire.JobReply(job_id=job, accepted=False, problem=PROBLEM)),
        wire.Control(end=wire.JobEnd(job_id=job, finished=False, problem=PROBLEM)),
        wire.Control(progress=wire.JobProgress(job_id=job, party="bank", phase="train")),
        wire.Control(cancel=wire.JobCancel(job_id=job, by="bank", reason="envy")),
        wire.Control(hello=wire.Hello(software="x", running_jobs=[])),
        wire.Control(
            request=wire.JobRequest(request_id="r", contract_id=contract.id, kind="train", params_json="{}")
        ),
    ):
        coordinator.on_control("mallory", message.SerializeToString())
    assert kept(coordinator.core) == before
    assert coordinator.jobs.runs.get(job) is not None
    coordinator.cancel(job, COORDINATOR, "the test is over")


def test_a_party_names_itself_by_its_certificate_and_not_by_its_message(
    nodes: Nodes, coordinator: Coordinator, contract: Contract
) -> None:
    job = coordinator.submit(contract.id, "train", {}, by=COORDINATOR)
    cancel = wire.Control(cancel=wire.JobCancel(job_id=job, by="bank", reason="blame the bank"))
    coordinator.on_control("tax", cancel.SerializeToString())
    row = coordinator.core.state.get(tables.jobs, job, "job")
    assert row["problem"]["party"] == "tax"
