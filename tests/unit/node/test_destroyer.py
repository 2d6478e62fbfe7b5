"""What jobs left is destroyed when its time is over, ordered or not, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit.evidence.lifecycle import lifecycle
from saferoom.audit.evidence.verify import verify_log
from saferoom.contracts.contract import Contract
from saferoom.contracts.retention import sign_order
from saferoom.contracts.signatures import sign_decision
from saferoom.errors import RefusedError, StorageError, UsageError, VerificationError
from saferoom.ids import COORDINATOR
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.retention import destroyer as module
from saferoom.node.retention.destroy_orders import DestroyOrders, OrderDesk, give_order
from saferoom.node.retention.destroyer import Destroyer
from saferoom.node.state import State
from tests.node_room import Nodes, three_party_columns

CANARY = "canary-of-a-score-91"
DAY = timedelta(days=1)


class Clock:
    """The time of one node, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


class Keeper:
    """One node's holdings under a contract of ten days of retention."""

    def __init__(self, nodes: Nodes, contract: Contract, clock: Clock, party: str = "bank") -> None:
        self.nodes, self.contract, self.clock = nodes, contract, clock
        self.core: Core = nodes.cores[party]
        self.ended: list[tuple[str, str]] = []
        self.running: list[str] = []
        self.destroyer = self.anew()

    def anew(self) -> Destroyer:
        """As after a restart."""
        self.destroyer = Destroyer(
            self.core, lambda model, why: self.ended.append((model, why)), lambda: self.running
        )
        return self.destroyer

    def keep(self, kind: str = "train", **params: Any) -> str:
        """A finished job with results on disk and in the state; its id."""
        job = self.core.new_id()
        folder = self.core.home.model(job)
        folder.mkdir(parents=True)
        for name in ("model.json", "scores.csv"):
            (folder / name).write_text(CANARY * 100, encoding="utf-8")
        now = self.clock.now.timestamp()
        self.core.state.put(
            tables.jobs,
            id=job,
            contract_id=self.contract.id,
            kind=kind,
            params=params,
            state="finished",
            created=now,
            ended=now,
            summary={"facts": {"note": CANARY}},
        )
        return job

    def events(self, job: str) -> list[tuple[str, str]]:
        found = self.nodes.events(self.core.me)
        return [
            (event["type"], event["outcome"]) for event in found if event.get("session", {}).get("id") == job
        ]

    def row(self, job: str) -> dict[str, Any]:
        return self.core.state.get(tables.jobs, job, "job")

    def assert_kept(self, *jobs: str) -> None:
        for job in jobs:
            assert (self.core.home.model(job) / "scores.csv").exists()
            assert self.row(job)["summary"]
            assert self.events(job) == []

    def assert_gone(self, job: str, type_: str = "retention.destroyed") -> None:
        assert not self.core.home.model(job).exists()
        assert self.row(job)["summary"] is None
        assert self.events(job)[-1] == (type_, "allowed")
        known = self.destroyer.holdings.destruction(job)
        assert known and known["state"] == "destroyed"


@pytest.fixture
def clock(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    for core in nodes.cores.values():
        monkeypatch.setattr(core, "_clock", clock)
    yield clock
    for core in nodes.cores.values():  # what one test left behind is no other's
        for row in core.state.rows(tables.jobs):
            core.state.update(tables.jobs, row["id"], state="failed")
        for row in core.state.rows(tables.destructions):
            core.state.update(tables.destructions, row["job_id"], state="destroyed")


@pytest.fixture
def bank(nodes: Nodes, clock: Clock) -> Keeper:
    drafted = nodes.draft(three_party_columns(), retention_days=10)
    return Keeper(nodes, nodes.activate(drafted), clock)


def test_retention_ends_to_the_day(bank: Keeper) -> None:
    first = bank.keep()
    bank.clock.now += 5 * DAY
    second = bank.keep()
    bank.clock.now += 5 * DAY - timedelta(seconds=1)
    bank.destroyer.sweep()
    bank.assert_kept(first, second)
    bank.clock.now += timedelta(seconds=1)
    bank.destroyer.sweep()
    bank.assert_gone(first)
    bank.assert_kept(second)
    assert bank.events(first) == [("destruction.begun", "allowed"), ("retention.destroyed", "allowed")]
    bank.destroyer.sweep()
    assert len(bank.events(first)) == 2, "once is enough"


def test_what_is_logged(bank: Keeper) -> None:
    job = bank.keep()
    bank.clock.now += 10 * DAY
    bank.destroyer.sweep()
    begun, gone = (e for e in bank.nodes.events("bank") if e.get("session", {}).get("id") == job)
    assert begun["deletion"]["scope"] == "2 files and the results in the job's row"
    assert begun["deletion"]["scope"] == gone["deletion"]["scope"]
    assert begun["deletion"]["check"] == "to follow"
    assert "no file is left" in gone["deletion"]["check"]
    assert gone["reason"] == "10 days of retention are over"
    assert begun["stage"] == gone["stage"] == "destruction"
    assert gone["contract"]["id"] == bank.contract.id
    assert verify_log(bank.core.home.log, [bank.core.log_verifier_key()]).ok
    stages = lifecycle(bank.contract.id, bank.core.log.entries()).stages
    assert [line.type for line in stages[5].lines] == ["destruction.begun", "retention.destroyed"]


def test_no_byte_is_left_in_the_home(bank: Keeper) -> None:
    job = bank.keep()
    assert holding(bank.core.home.root, CANARY)
    bank.clock.now += 10 * DAY
    bank.destroyer.sweep()
    bank.assert_gone(job)
    assert holding(bank.core.home.root, CANARY) == []


def holding(folder: Path, canary: str) -> list[str]:
    return [
        path.name for path in folder.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()
    ]


def test_nothing_outlives_its_contract(nodes: Nodes, clock: Clock) -> None:
    contract = nodes.activate(nodes.draft(three_party_columns(), retention_days=900))
    bank = Keeper(nodes, contract, clock)
    job = bank.keep()
    clock.now = contract.expires
    bank.destroyer.sweep()
    bank.assert_gone(job)
    assert bank.destroyer.holdings.destruction(job)["reason"] == "the contract has expired"  # type: ignore[index]


def test_a_party_s_signed_revocation_destroys_and_the_coordinators_word_does_not(bank: Keeper) -> None:
    job = bank.keep()
    bank.core.book.set_state(bank.contract.id, "revoked", "coordinator: because")
    bank.destroyer.sweep()
    bank.assert_kept(job)
    said = sign_decision(bank.nodes.cores["tax"].keys.signing, bank.contract, "tax", "revoke", "new advice")
    bank.core.book.decide(bank.contract.id, "tax", "revoke", said.reason, said.signature)
    bank.destroyer.sweep()
    bank.assert_gone(job)
    event = next(e for e in bank.nodes.events("bank") if e.get("session", {}).get("id") == job)
    assert (event["actor"]["org"], event["reason"]) == ("tax", "the contract was revoked: new advice")


def test_a_destroyed_model_is_refused(bank: Keeper) -> None:
    job = bank.keep()
    bank.destroyer.holdings.check_usable(bank.row(job))
    bank.clock.now += 10 * DAY
    for _ in range(2):
        with pytest.raises(RefusedError, match="destroyed") as caught:
            bank.destroyer.holdings.check_usable(bank.row(job))
        assert caught.value.remedy and caught.value.party == "bank"
        bank.destroyer.sweep()


class TestCrash:
    """The node dies between two steps; the next start finishes what was begun."""

    @pytest.mark.parametrize("step", ["_record", "_wipe", "_check"])
    def test_between_any_two_steps(self, bank: Keeper, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
        job = bank.keep()
        bank.clock.now += 10 * DAY

        def dies(*_args: Any, **_more: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Destroyer, step, dies)
            with pytest.raises(KeyboardInterrupt):
                bank.destroyer.sweep()
        assert bank.events(job) == [] if step == "_record" else [("destruction.begun", "allowed")]
        bank.anew().sweep(at_start=True)
        bank.assert_gone(job)
        (begun, *_, gone) = (e for e in bank.nodes.events("bank") if e.get("session", {}).get("id") == job)
        assert gone["deletion"]["scope"] == begun["deletion"]["scope"], "of what there was at first"

    def test_nothing_is_touched_before_it_is_logged(
        self, bank: Keeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = bank.keep()
        bank.clock.now += 10 * DAY

        def full(*_args: Any, **_more: Any) -> None:
            raise StorageError("the audit log cannot be written", step="log")

        with monkeypatch.context() as patch:
            patch.setattr(bank.core, "record", full)
            bank.destroyer.sweep()
        bank.assert_kept(job)
        bank.anew().sweep(at_start=True)
        bank.assert_gone(job)


class TestFailure:
    """What cannot be destroyed is logged as failed and tried again, later and later."""

    @pytest.fixture(autouse=True)
    def stuck(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_stuck = True
        honest = module.wipe_tree

        def wipe(folder: Path) -> int:
            if self.is_stuck:
                raise StorageError("scores.csv cannot be destroyed: Read-only file system", step="destroy")
            return honest(folder)

        monkeypatch.setattr(module, "wipe_tree", wipe)

    def test_it_is_logged_and_tried_again(self, bank: Keeper) -> None:
        job = bank.keep()
        bank.clock.now += 10 * DAY
        bank.destroyer.sweep()
        failed = [("destruction.begun", "allowed"), ("retention.destroyed", "failed")]
        assert bank.events(job) == failed
        last = bank.nodes.events("bank")[-1]
        assert "Read-only file system" in last["reason"]
        assert last["deletion"]["check"] == "something is left"
        bank.destroyer.sweep()
        assert bank.events(job) == failed, "not before its time"
        bank.clock.now += timedelta(seconds=61)
        bank.destroyer.sweep()
        assert bank.events(job) == failed * 2
        bank.clock.now += timedelta(seconds=61)
        bank.destroyer.sweep()
        assert bank.events(job) == failed * 2, "the second wait is longer"
        self.is_stuck = False
        bank.clock.now += timedelta(hours=1)
        bank.destroyer.sweep()
        bank.assert_gone(job)

    def test_nobody_can_use_it_meanwhile_and_a_start_tries_at_once(self, bank: Keeper) -> None:
        job = bank.keep()
        bank.clock.now += 10 * DAY
        bank.destroyer.sweep()
        with pytest.raises(RefusedError, match="is being destroyed"):
            bank.destroyer.holdings.check_usable(bank.row(job))
        self.is_stuck = False
        bank.anew().sweep(at_start=True)
        bank.assert_gone(job)

    def test_what_pretends_to_be_gone_is_found_out(
        self, bank: Keeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "wipe_tree", lambda _folder: 0)
        job = bank.keep()
        bank.clock.now += 10 * DAY
        bank.destroyer.sweep()
        assert bank.events(job)[-1] == ("retention.destroyed", "failed")

    def test_a_row_that_stays_is_found_out(self, bank: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_stuck = False
        monkeypatch.setattr(State, "forget_results", lambda *_: None)
        job = bank.keep()
        bank.clock.now += 10 * DAY
        bank.destroyer.sweep()
        assert bank.events(job)[-1] == ("retention.destroyed", "failed")


class TestOrder:
    def test_a_model_goes_with_its_scores_and_no_other(self, bank: Keeper) -> None:
        model, other = bank.keep(), bank.keep()
        scores, others = bank.keep("score", model=model), bank.keep("score", model=other)
        give_order(bank.core, bank.destroyer, bank.row(model), "the quarter is over", "officer")
        bank.assert_gone(model, "model.destroyed")
        bank.assert_gone(scores, "model.destroyed")
        bank.assert_kept(other, others)
        assert (model, "the quarter is over") in bank.ended
        event = next(e for e in bank.nodes.events("bank") if e.get("session", {}).get("id") == model)
        assert event["actor"] == {"org": "bank", "on_behalf_of": "officer"}
        assert event["model"] == {"id": model}

    def test_the_others_obey_once_it_is_verified(self, bank: Keeper) -> None:
        model = bank.keep()
        tax = Keeper(bank.nodes, bank.contract, bank.clock, "tax")
        tax.core.home.model(model).mkdir(parents=True)
        (tax.core.home.model(model) / "model.json").write_text(CANARY, encoding="utf-8")
        tax.core.state.put(tables.jobs, **bank.row(model))
        give_order(bank.core, bank.destroyer, bank.row(model), "over", "officer")
        known = DestroyOrders(bank.core, bank.destroyer).known()
        (message,) = [message for message in known if message.destroy.job_id == model]
        obeying = DestroyOrders(tax.core, tax.destroyer)
        for change in ({"party": "power"}, {"reason": "another"}, {"signature": b"x"}, {"job_id": "0" * 32}):
            forged = wire.DestroyOrder()
            forged.CopyFrom(message.destroy)
            for name, value in change.items():
                setattr(forged, name, value)
            with pytest.raises(VerificationError):
                obeying.obey(forged)
        assert (tax.core.home.model(model) / "model.json").exists()
        for _ in range(2):
            obeying.obey(message.destroy)
        tax.assert_gone(model, "model.destroyed")
        assert len(tax.events(model)) == 2

    def test_the_coordinator_obeys_passes_on_and_says_it_again(self, bank: Keeper) -> None:
        model = bank.keep()
        desk_core = bank.nodes.cores[COORDINATOR]
        desk_core.state.put(tables.jobs, **bank.row(model))
        sent: list[tuple[str, str]] = []

        def send(party: str, message: wire.Control) -> bool:
            sent.append((party, message.destroy.job_id))
            return True

        at_desk = Keeper(bank.nodes, bank.contract, bank.clock, COORDINATOR)
        desk = OrderDesk(DestroyOrders(desk_core, at_desk.destroyer), desk_core, send)
        order = sign_order(bank.core.keys.signing, bank.contract, model, "bank", "over")
        message = wire.DestroyOrder(
            job_id=model,
            contract_id=bank.contract.id,
            party="bank",
            reason="over",
            signature=order.signature,
        )
        with pytest.raises(RefusedError):
            desk.received("tax", message)
        assert not sent
        desk.received("bank", message)
        assert sent == [("power", model), ("tax", model)]
        at_desk.assert_gone(model, "model.destroyed")
        desk.tell("power")
        assert sent[2:] == [("power", model)]

    def test_an_order_needs_a_reason(self, bank: Keeper) -> None:
        model = bank.keep()
        with pytest.raises(UsageError):
            give_order(bank.core, bank.destroyer, bank.row(model), "", "officer")
        bank.assert_kept(model)


class TestUnfinished:
    def test_what_a_job_staged_goes_and_is_logged(self, bank: Keeper) -> None:
        job = bank.keep()
        bank.core.home.model(job).rename(bank.core.home.job(job))
        bank.core.state.update(tables.jobs, job, state="failed", summary=None)
        bank.destroyer.discard(job, bank.contract.id)
        assert not bank.core.home.job(job).exists()
        assert bank.events(job) == [("destruction.begun", "allowed"), ("staging.destroyed", "allowed")]

    def test_an_empty_folder_goes_without_a_word(self, bank: Keeper) -> None:
        job = bank.core.new_id()
        bank.core.home.job(job).mkdir(parents=True)
        bank.destroyer.discard(job, bank.contract.id)
        assert not bank.core.home.job(job).exists()
        assert bank.events(job) == []

    def test_a_sweep_finds_leftovers_but_not_of_a_running_job(self, bank: Keeper) -> None:
        lost, running, unknown = bank.keep(), bank.keep(), "ab" * 16
        for job in (lost, running):
            bank.core.state.update(tables.jobs, job, state="failed")
        bank.core.home.job(unknown).mkdir(parents=True)
        bank.running = [running]
        bank.destroyer.sweep()
        bank.assert_gone(lost, "staging.destroyed")
        assert bank.core.home.model(running).exists()
        assert not bank.core.home.job(unknown).exists()
        bank.running = []
        bank.destroyer.sweep()
        bank.assert_gone(running, "staging.destroyed")


def test_the_entry_that_stores_says_until_when(bank: Keeper) -> None:
    due = bank.destroyer.holdings.due(bank.row(bank.keep()))
    assert due == datetime.fromtimestamp(bank.clock.now.timestamp(), UTC) + 10 * DAY


def test_results_leave_no_older_copy_in_the_database(tmp_path: Path) -> None:
    """Rows written before a node had secure deletion lie in free pages and in the write-ahead log."""
    state = State(f"sqlite:///{tmp_path / 'state.db'}")
    values = {"contract_id": "c", "kind": "train", "params": {}, "state": "finished", "created": 0.0}
    for number in range(40):
        state.put(tables.jobs, id=f"{number:032x}", summary={"note": CANARY}, **values)
    state.put(tables.jobs, id="kept", summary={"note": "kept"}, **values)
    assert holding(tmp_path, CANARY)
    for number in range(40):
        state.forget_results(f"{number:032x}")
    assert holding(tmp_path, CANARY) == []
    assert json.dumps(state.get(tables.jobs, "kept", "job")["summary"]) == '{"note": "kept"}'
    state.close()
