"""A party's jobs, message by message: what is offered is checked with all we know, and settled once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.contracts.policy import Policy
from saferoom.data import catalogue
from saferoom.errors import PeerError, RefusedError, SafeRoomError, StorageError, UsageError
from saferoom.ids import HELPER
from saferoom.jobs.problem import HEARSAY_S, Problem
from saferoom.jobs.spec import JobSpec
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.daemons.party_jobs import PartyJobs
from saferoom.node.processes.job_keys import JobKeyring, JobTerms
from tests.node_room import Nodes, three_party_columns

HEARSAY = Problem("PeerFailedError", "the job failed there", "power", "train", "look there")
GONE = Problem("PeerError", "the party is gone", "power", "train", "start it")


class Hub:
    """Stands for the hub: notes what it is told."""

    def __init__(self) -> None:
        self.started: list[JobSpec] = []
        self.cancelled: list[str] = []
        self.waiting: set[str] = set()

    def expect(self, job: str, session: int) -> None:
        self.waiting.add(job)

    def forget(self, job: str, session: int) -> None:
        self.waiting.discard(job)

    def start(self, spec: JobSpec) -> None:
        self.started.append(spec)

    def cancel(self, job: str, problem: Problem) -> None:
        self.cancelled.append(job)


@dataclass
class Tax:
    """The tax bureau's jobs, without a wire and without processes."""

    nodes: Nodes
    contract: Contract
    policy: Policy = field(default_factory=Policy)
    sent: list[wire.Control] = field(default_factory=list)
    is_up: bool = True

    def __post_init__(self) -> None:
        self.core: Core = self.nodes.cores["tax"]
        self.hub = Hub()
        self.jobs = PartyJobs(self.core, lambda: self.policy, threading.RLock(), self._send)
        self.jobs.hub = self.hub  # type: ignore[assignment]
        self.last = ""

    def _send(self, message: wire.Control) -> bool:
        self.sent.append(message)
        return self.is_up

    def offer(self, kind: str = "train", *, job: str = "", **changes: Any) -> wire.JobReply:
        """Offer a job; the answer. `changes` are fields of the offer."""
        self.last = job or self.core.new_id()
        fields: dict[str, Any] = {
            "job_id": self.last,
            "session": 1,
            "contract_id": self.contract.id,
            "contract_hash": contract_hash(self.contract),
            "kind": kind,
            "params_json": "{}",
        }
        self.jobs.offered(wire.JobOffer(**(fields | changes)))
        return self.sent[-1].reply

    def begin(self) -> None:
        """Start the job offered last."""
        others = {
            "bank": self.nodes.cores["bank"].keys,
            "power": self.nodes.cores["power"].keys,
            HELPER: self.nodes.helper_keys,
        }
        terms = JobTerms(self.last, 1, self.row()["kind"], self.row()["params"])
        sealed = {
            peer: JobKeyring(keys, self.contract, terms).envelopes["tax"] for peer, keys in others.items()
        }
        self.jobs.started(wire.JobStart(job_id=self.last, sealed_keys=sealed))

    def row(self) -> dict[str, Any]:
        return self.core.state.get(tables.jobs, self.last, "job")

    def events(self) -> list[tuple[str, str]]:
        found = self.nodes.events("tax")
        return [
            (event["type"], event["outcome"])
            for event in found
            if event.get("session", {}).get("id") == self.last
        ]

    def stage(self) -> None:
        """What a job process leaves in its folder."""
        folder = self.core.home.job(self.last)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text("{}", encoding="utf-8")


@pytest.fixture
def tax(nodes: Nodes, contract: Contract) -> Tax:
    return Tax(nodes, nodes.activate(contract))


def test_a_good_offer_is_accepted_started_and_kept(tax: Tax) -> None:
    reply = tax.offer()
    assert reply.accepted, reply.problem
    assert set(reply.sealed_keys) == {"bank", "power", HELPER}
    tax.begin()
    assert [spec.job_id for spec in tax.hub.started] == [tax.last]
    tax.stage()
    tax.jobs.job_ended(tax.last, None, {"facts": {"rows": 3}, "rounds": 2})
    end = tax.sent[-1].end
    assert end.finished and "facts" not in json.loads(end.summary_json)
    assert not tax.core.home.model(tax.last).exists(), "nothing is kept before the verdict"
    tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
    assert tax.row()["state"] == "finished"
    assert (tax.core.home.model(tax.last) / "model.json").exists()
    assert [type_ for type_, _ in tax.events()] == [
        "job.accepted",
        "job.started",
        "model.stored",
        "job.finished",
    ]


def test_a_failed_verdict_destroys_what_was_staged(tax: Tax) -> None:
    tax.offer()
    tax.begin()
    tax.stage()
    tax.jobs.job_ended(tax.last, None, {})
    tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=False, problem=GONE.to_wire()))
    assert not tax.core.home.job(tax.last).exists()
    assert not tax.core.home.model(tax.last).exists()
    assert tax.row()["problem"] == GONE.to_dict()


def test_a_coordinator_that_calls_a_job_finished_too_early_releases_nothing(tax: Tax) -> None:
    tax.offer()
    for step in (tax.begin, tax.stage):
        with pytest.raises(PeerError, match="not done here"):
            tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
        step()
    with pytest.raises(PeerError, match="not done here"):
        tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
    assert not tax.core.home.model(tax.last).exists()
    assert tax.row()["state"] == "running"


def assert_refused(tax: Tax, reply: wire.JobReply, words: str, *, waiting: Iterable[str] = ()) -> None:
    assert not reply.accepted and not reply.sealed_keys
    assert words in reply.problem.message, reply.problem
    assert reply.problem.party == "tax"
    assert reply.problem.step and reply.problem.remedy
    assert tax.row()["state"] == "refused"
    assert tax.events() == [("job.refused", "refused")]
    assert tax.hub.waiting == set(waiting)


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("psi", {}, "does not allow a job of kind"),
        ("", {}, "does not allow a job of kind"),
        ("train", {"contract_hash": bytes(32)}, "not active here in this form"),
        ("train", {"params_json": '{"l2": 99}'}, "differs from the contract's"),
        ("score", {"params_json": '{"model": "m", "rows": 100000000}'}, "scores a day"),
        ("score", {"params_json": '{"model": "../data", "rows": 1}'}, "not the id of a model"),
        ("score", {"params_json": '{"model": "m", "rows": 1}'}, "model to score with is not here"),
        ("score", {"params_json": '{"model": "m", "rows": 1, "mode": "all"}'}, "does not name this mode"),
    ],
)
def test_what_the_contract_does_not_name_is_refused(
    tax: Tax, kind: str, changes: dict[str, Any], words: str
) -> None:
    assert_refused(tax, tax.offer(kind, **changes), words)


def test_a_contract_nobody_knows_is_refused(tax: Tax) -> None:
    reply = tax.offer(contract_id="contract-of-nobody")
    assert not reply.accepted and reply.problem.remedy


def test_policy_may_change_its_mind_before_each_job(tax: Tax) -> None:
    assert tax.offer().accepted
    tax.policy = Policy.model_validate({"minimum_rows": 10_000})
    first = {tax.last}
    assert_refused(tax, tax.offer(), "the policy forbids it", waiting=first)


@pytest.mark.parametrize("state", ["proposed", "refused", "revoked", "expired"])
def test_a_contract_that_is_not_active_is_refused(tax: Tax, state: str) -> None:
    tax.core.book.set_state(tax.contract.id, state)
    assert_refused(tax, tax.offer(), "not active here")


def test_an_expired_contract_is_refused_even_before_it_was_closed(
    tax: Tax, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tax.core, "now", lambda: tax.contract.expires)
    assert_refused(tax, tax.offer(), "expired")


def test_a_signature_that_was_exchanged_in_the_book_is_found(tax: Tax) -> None:
    tax.core.book.decide(tax.contract.id, "bank", "approve", "", bytes(64))
    assert not tax.offer().accepted


def test_a_data_set_that_is_not_the_contracts(nodes: Nodes, contract: Contract) -> None:
    tax = Tax(nodes, nodes.activate(nodes.draft(three_party_columns(), dataset="never registered")))
    assert_refused(tax, tax.offer(), "is no name of a data set")
    parties = contract.to_plain()["parties"]
    parties["tax"]["version"] = "sha256:" + "0" * 64
    pinned = contract.model_validate(contract.to_plain() | {"id": "pinned", "parties": parties})
    tax = Tax(nodes, nodes.activate(pinned))
    assert_refused(tax, tax.offer(), "another version")


def test_a_job_is_told_which_version_of_the_data_its_offer_was_checked_with(tax: Tax) -> None:
    assert tax.offer().accepted
    registered = catalogue.recall("rows", tax.core.home.data).version
    tax.begin()
    assert tax.hub.started[-1].dataset_version == registered


def test_a_failed_score_job_has_used_up_what_it_asked_for(tax: Tax) -> None:
    """Whoever is in the list may have been told by then."""
    job = tax.core.new_id()
    tax.core.state.put(
        tables.jobs,
        id=job,
        contract_id=tax.contract.id,
        kind="score",
        params={"model": "m", "rows": 700},
        state="running",
        created=time.time(),
        started=time.time(),
    )
    tax.core.state.end_job(job, "failed", {}, None)
    assert tax.core.usage(tax.contract.id).scores_today == 700


def test_a_used_up_quota_stays_used_up_whoever_asks_again(nodes: Nodes) -> None:
    quotas = {"training_jobs": 1, "scores_per_day": 10}
    tax = Tax(nodes, nodes.activate(nodes.draft(three_party_columns(), quotas=quotas)))
    assert tax.offer().accepted
    first = tax.last
    tax.begin()
    tax.jobs.job_ended(first, None, {})
    tax.jobs.verdict(wire.JobVerdict(job_id=first, finished=True))
    assert_refused(tax, tax.offer(), "used up", waiting=[first])
    # A finished job offered once more as nonsense would be forgotten, and its quota free again.
    with pytest.raises(PeerError, match="known already"):
        tax.offer("psi", job=first)
    assert_refused(tax, tax.offer(), "used up", waiting=[first])


@pytest.mark.parametrize("job", ["", "../data", "AB" * 16, "ab" * 15, "ab" * 17, "g" * 32, "ab" * 16 + "\n"])
def test_a_job_id_is_not_a_path(tax: Tax, job: str) -> None:
    sent = len(tax.sent)
    offer = wire.JobOffer(job_id=job, contract_id=tax.contract.id, kind="train", params_json="{}")
    with pytest.raises(PeerError, match="job id"):
        tax.jobs.offered(offer)
    tax.jobs.verdict(wire.JobVerdict(job_id=job, finished=False, problem=GONE.to_wire()))
    assert len(tax.sent) == sent
    assert list(tax.core.home.data.iterdir())


def test_keys_that_do_not_open_end_the_job_by_name(tax: Tax) -> None:
    tax.offer()
    tax.jobs.started(wire.JobStart(job_id=tax.last, sealed_keys={"bank": b"x", "power": b"y", HELPER: b"z"}))
    problem = tax.sent[-1].end.problem
    assert tax.hub.started == []
    assert (problem.party, problem.step) == ("bank", "start")


def test_a_start_that_was_not_offered_starts_nothing(tax: Tax) -> None:
    with pytest.raises(UsageError):
        tax.jobs.started(wire.JobStart(job_id="ab" * 16))
    tax.offer()
    tax.jobs.settle(tax.last, GONE)
    tax.begin()
    assert tax.hub.started == []
    assert tax.hub.waiting == set()


def test_a_closed_contract_ends_its_jobs_here(tax: Tax) -> None:
    tax.offer()
    tax.begin()
    tax.jobs.contract_closed(tax.contract.id, "revoked", "a complaint")
    assert tax.hub.cancelled == [tax.last]
    assert tax.row()["problem"]["error"] == "RefusedError"


def test_the_second_end_changes_nothing(tax: Tax) -> None:
    tax.offer()
    tax.jobs.settle(tax.last, GONE)
    before = tax.row()
    tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
    tax.jobs.settle(tax.last, None)
    assert tax.row() == before


def test_a_job_that_failed_elsewhere_ends_with_the_cause(tax: Tax) -> None:
    tax.offer()
    tax.begin()
    tax.jobs.job_ended(tax.last, HEARSAY, {})
    assert tax.sent[-1].end.problem.error == "PeerFailedError"
    assert tax.row()["state"] == "running"
    tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=False, problem=GONE.to_wire()))
    assert tax.row()["problem"]["message"] == GONE.message


def test_a_job_that_failed_elsewhere_does_not_wait_for_ever(tax: Tax) -> None:
    tax.offer()
    tax.begin()
    before = time.monotonic()
    tax.jobs.job_ended(tax.last, HEARSAY, {})
    tax.jobs.tick(before + 2 * HEARSAY_S - 1)
    assert tax.row()["state"] == "running"
    tax.jobs.tick(time.monotonic() + 2 * HEARSAY_S + 1)
    assert tax.row()["problem"]["message"] == HEARSAY.message


def test_a_cancelled_job_says_who_cancelled(tax: Tax) -> None:
    tax.offer()
    tax.jobs.cancel(tax.last[:10], "no longer wanted")
    assert tax.sent[-1].cancel.by == "tax"
    assert tax.row()["state"] == "cancelled"
    with pytest.raises(UsageError, match="cancelled already"):
        tax.jobs.cancel(tax.last, "again")


def test_a_coordinator_that_does_not_answer_a_request(tax: Tax) -> None:
    with pytest.raises(UsageError, match="does not answer"):
        tax.jobs.request(tax.contract.id, "score", {}, {}, wait_s=0.01)
    tax.is_up = False
    with pytest.raises(UsageError) as caught:
        tax.jobs.request(tax.contract.id, "score", {}, {}, wait_s=60)
    assert caught.value.remedy


class TestFullDisk:
    """A node whose log cannot be written refuses to act, says so, and goes on when the disk is mended."""

    @pytest.fixture(autouse=True)
    def full(self, tax: Tax, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes = True
        record = tax.core.record

        def full(type_: str, **fields: Any) -> None:
            if not self.writes:
                raise StorageError("the audit log cannot be written", step="log", remedy="free space")
            record(type_, **fields)

        monkeypatch.setattr(tax.core, "record", full)

    def test_an_offer_is_refused_with_the_reason(self, tax: Tax) -> None:
        self.writes = False
        reply = tax.offer()
        assert not reply.accepted and not reply.sealed_keys
        assert (reply.problem.error, reply.problem.party) == ("StorageError", "tax")
        assert reply.problem.remedy == "free space"

    def test_a_start_is_refused_with_the_reason(self, tax: Tax) -> None:
        tax.offer()
        self.writes = False
        tax.begin()
        assert tax.hub.started == []
        assert tax.sent[-1].end.problem.error == "StorageError"

    def test_no_disclosure(self, tax: Tax) -> None:
        tax.offer()
        self.writes = False
        with pytest.raises(StorageError):
            tax.jobs.disclose(
                tax.last, {"kind": "score", "to": "bank", "shape": [100], "step": "evaluate/score"}
            )

    def test_nothing_is_kept_until_it_can_be_written(self, tax: Tax) -> None:
        tax.offer()
        tax.begin()
        tax.stage()
        tax.jobs.job_ended(tax.last, None, {})
        self.writes = False
        with pytest.raises(StorageError):
            tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
        assert not tax.core.home.model(tax.last).exists()
        self.writes = True
        tax.jobs.verdict(wire.JobVerdict(job_id=tax.last, finished=True))
        assert (tax.core.home.model(tax.last) / "model.json").exists()

    def test_a_failure_still_ends_the_job(self, tax: Tax) -> None:
        tax.offer()
        tax.begin()
        tax.stage()
        self.writes = False
        tax.jobs.job_ended(tax.last, GONE, {})
        assert tax.sent[-1].end.problem.message == GONE.message
        assert tax.hub.cancelled == [tax.last]
        assert not tax.core.home.job(tax.last).exists()
        self.writes = True
        tax.jobs.fail_running(GONE)
        assert tax.row()["state"] == "failed"


def test_disclosures_are_logged_before_the_answer_and_refusals_as_well(tax: Tax) -> None:
    tax.offer()
    tax.jobs.disclose(tax.last, {"kind": "score", "to": "bank", "shape": [150], "step": "evaluate/score"})
    with pytest.raises(RefusedError) as caught:
        tax.jobs.disclose(
            tax.last, {"kind": "score", "to": "power", "shape": [150], "step": "evaluate/score"}
        )
    assert caught.value.party == "tax" and caught.value.remedy
    with pytest.raises(SafeRoomError):
        tax.jobs.disclose(tax.last, {"kind": "rows", "to": "bank", "shape": [150, 2], "step": "x"})
    assert [event for event in tax.events() if event[0] == "disclosure"] == [
        ("disclosure", "allowed"),
        ("disclosure", "refused"),
        ("disclosure", "refused"),
    ]
