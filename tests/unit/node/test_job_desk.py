"""The coordinator's desk: who may ask for a job, and that every end reaches every party, log or no log."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from saferoom.contracts.contract import Contract
from saferoom.errors import PeerError, RefusedError, SafeRoomError, StorageError, UsageError
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.problem import Problem
from saferoom.link.relay.flow_book import FlowBook
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.daemons.job_desk import JobDesk
from saferoom.node.processes.job_keys import JobKeyring, JobTerms
from tests.node_room import PARTIES, Nodes
from tests.unit.node.test_party_jobs import Hub

BROKEN = Problem("ConfigError", "the content has changed", "tax", "load", "register it again")


@dataclass
class Office:
    """The desk without a wire and without processes."""

    nodes: Nodes
    contract: Contract
    connected: set[str] = field(default_factory=lambda: set(PARTIES))
    sent: list[tuple[str, wire.Control]] = field(default_factory=list)
    flows: FlowBook = field(default_factory=FlowBook)

    def __post_init__(self) -> None:
        self.core = self.nodes.cores[COORDINATOR]
        self.desk = JobDesk(
            self.core,
            self.nodes.helper_keys,
            threading.RLock(),
            self._send,
            lambda: self.connected,
            self.flows,
        )
        self.hub = Hub()
        self.desk.hub = self.hub  # type: ignore[assignment]

    def _send(self, party: str, message: wire.Control) -> bool:
        self.sent.append((party, message))
        return True

    def submit(self, kind: str = "train", by: str = COORDINATOR, **params: Any) -> str:
        return self.desk.submit(self.contract.id, kind, params, by=by)

    def accept(self, job: str, party: str, *, forged: bool = False) -> None:
        keys = self.nodes.cores["bank" if forged else party].keys
        envelopes = JobKeyring(keys, self.contract, JobTerms(job, 1, "train", {})).envelopes
        self.desk.runs.reply(job, party, None, {HELPER: bytes(81), **envelopes})

    def start(self) -> str:
        job = self.submit()
        for party in PARTIES:
            self.accept(job, party)
        return job

    def verdicts(self, job: str) -> dict[str, wire.JobVerdict]:
        found = {party: message.verdict for party, message in self.sent if message.verdict.job_id == job}
        return {party: verdict for party, verdict in found.items() if verdict.job_id}

    def row(self, job: str) -> dict[str, Any]:
        return self.core.state.get(tables.jobs, job, "job")


@pytest.fixture
def office(nodes: Nodes, contract: Contract) -> Office:
    return Office(nodes, nodes.activate(contract))


@pytest.fixture
def full_disk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it, and nothing can be logged any more."""

    def refuse(*_: Any, **__: Any) -> None:
        raise StorageError("the audit log cannot be written", step="log", remedy="free space")

    return lambda: monkeypatch.setattr(office.core, "record", refuse)


def test_offered_started_and_finished(office: Office) -> None:
    job = office.start()
    assert [spec.job_id for spec in office.hub.started] == [job]
    started = {party: message.start for party, message in office.sent if message.start.job_id}
    assert {party: set(start.sealed_keys) for party, start in started.items()} == {
        party: {*PARTIES, HELPER} - {party} for party in PARTIES
    }
    for endpoint in PARTIES:
        office.desk.runs.part_ended(job, endpoint, None, {})
    office.desk.job_ended(job, None, {})
    assert {party: verdict.finished for party, verdict in office.verdicts(job).items()} == dict.fromkeys(
        PARTIES, True
    )
    assert office.row(job)["state"] == "finished"


@pytest.mark.parametrize("by", ["mallory", "water", HELPER, ""])
def test_only_the_contracts_parties_may_ask(office: Office, by: str) -> None:
    with pytest.raises(RefusedError, match="does not name this party"):
        office.submit(by=by)
    assert office.sent == []


@pytest.mark.parametrize("kind", ["psi", "grade", "", "TRAIN"])
def test_unknown_kinds(office: Office, kind: str) -> None:
    with pytest.raises(RefusedError, match="does not allow a job of kind") as caught:
        office.submit(kind)
    assert caught.value.step and caught.value.remedy
    refused = [e for e in office.nodes.events(COORDINATOR) if e["type"] == "job.refused"]
    assert refused and refused[-1]["outcome"] == "refused"


@pytest.mark.parametrize("state", ["proposed", "refused", "revoked", "expired"])
def test_a_contract_that_is_not_active(office: Office, state: str) -> None:
    office.core.book.set_state(office.contract.id, state)
    with pytest.raises(RefusedError, match=state):
        office.submit()


def test_a_party_that_is_away(office: Office) -> None:
    office.connected.discard("tax")
    with pytest.raises(PeerError) as caught:
        office.submit()
    assert (caught.value.party, caught.value.step) == ("tax", "submit") and caught.value.remedy


def test_a_forged_job_key_for_the_helper_names_its_sender(office: Office) -> None:
    job = office.submit()
    office.accept(job, "bank")
    office.accept(job, "power")
    office.accept(job, "tax", forged=True)
    assert office.hub.started == []
    assert {v.problem.party for v in office.verdicts(job).values()} == {"tax"}


def test_cancelled_by_a_party_of_the_job_only(office: Office) -> None:
    job = office.start()
    with pytest.raises(RefusedError):
        office.desk.cancel(job, "mallory", "envy")
    office.desk.cancel(job, "power", "no longer wanted")
    assert office.row(job)["state"] == "cancelled"
    assert office.hub.cancelled == [job]
    with pytest.raises(UsageError):
        office.desk.cancel(job, "power", "again")


def test_a_full_disk_before_a_job(office: Office, full_disk: Any) -> None:
    full_disk()
    with pytest.raises(StorageError):
        office.submit()
    assert office.sent == []


def test_a_full_disk_at_the_start(office: Office, full_disk: Any) -> None:
    job = office.submit()
    office.accept(job, "bank")
    office.accept(job, "power")
    full_disk()
    office.accept(job, "tax")
    assert office.hub.started == []
    assert office.desk.runs.under_way() == []
    for party in PARTIES:
        problem = office.verdicts(job)[party].problem
        assert problem.error == "StorageError" and problem.remedy == "free space"


@pytest.mark.parametrize("finished", [True, False])
def test_a_full_disk_at_the_end(office: Office, full_disk: Any, finished: bool) -> None:
    """No finish that is not written down; a failure reaches the parties all the same."""
    job = office.start()
    full_disk()
    for party in PARTIES:
        office.desk.runs.part_ended(job, party, None if finished else BROKEN, {})
    office.desk.job_ended(job, None, {})
    told = office.verdicts(job)
    assert set(told) == set(PARTIES)
    for verdict in told.values():
        assert not verdict.finished
        expected = (COORDINATOR, "StorageError") if finished else ("tax", "ConfigError")
        assert (verdict.problem.party, verdict.problem.error) == expected
    assert office.row(job)["state"] != "finished"


def test_a_restart_ends_what_was_under_way_and_says_so_to_who_asks(office: Office) -> None:
    job = office.start()
    again = Office(office.nodes, office.contract)
    again.desk.end_orphans()
    assert office.row(job)["state"] == "failed"
    again.desk.tell_verdicts("tax", {job, "cd" * 16})
    assert set(again.verdicts(job)) == {"tax"}
    assert again.verdicts(job)["tax"].problem.party == COORDINATOR


def test_what_the_helper_wrote_goes_when_its_process_is_gone(office: Office) -> None:
    """A process that was told to end may make its folder after that."""
    job = office.start()
    office.desk.runs.part_ended(job, "tax", BROKEN, {})
    folder = office.core.home.job(job)
    folder.mkdir(parents=True)
    office.desk.job_ended(job, BROKEN, {})
    assert not folder.exists()


def test_a_closed_contract_ends_its_jobs_only(office: Office, nodes: Nodes) -> None:
    job = office.start()
    office.desk.contract_closed(nodes.draft({**_two_parties()}), "revoked", "tax")
    assert office.desk.runs.get(job) is not None
    office.desk.contract_closed(office.contract, "revoked", "tax")
    assert {v.problem.party for v in office.verdicts(job).values()} == {"tax"}
    with pytest.raises(SafeRoomError):
        office.desk.cancel(job, "bank", "late")


def _two_parties() -> dict[str, dict[str, str]]:
    return {
        "bank": {"uscc": "id", "y": "label", "bank_a": "feature"},
        "tax": {"uscc": "id", "tax_a": "feature"},
    }
