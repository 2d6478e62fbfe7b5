"""A contract by the six stages, from the entries of one or several logs."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saferoom.audit.entries.events import (
    Actor,
    ContractRef,
    DataObject,
    Deletion,
    DisclosureRef,
    Event,
    ModelRef,
    PeerRef,
    event_dict,
)
from saferoom.audit.entries.schema import check_event
from saferoom.audit.entries.vocabulary import STAGE_OF, STAGES
from saferoom.audit.evidence.lifecycle import Lifecycle, contracts_in, kept_until, lifecycle
from saferoom.audit.formats.canonical import encode

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
JOB = "ab" * 16
Entries = list[tuple[int, bytes]]


class Log:
    """Entries of one node, a minute apart."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.entries: Entries = []

    def add(self, type_: Any, contract: str = "c-1", *, job: str = "", minute: int = 0, **more: Any) -> None:
        index = len(self.entries)
        event = Event(
            event_id=f"{index:032x}",
            type=type_,
            stage=STAGE_OF[type_],
            time=f"{NOW + timedelta(minutes=minute or index):%Y-%m-%dT%H:%M:%S.000Z}",
            node=self.node,
            software="saferoom",
            outcome=more.pop("outcome", "allowed"),
            contract=ContractRef(contract, "5f" * 32) if contract else None,
            actor=Actor(self.node),
            **more,
        )
        values = event_dict(event) | (
            {"session": {"id": job, "seq": 0, "prev_hash": "0" * 64}} if job else {}
        )
        check_event(values)
        self.entries.append((index, encode(values)))


@pytest.fixture
def bank() -> Log:
    log = Log("bank")
    log.add("dataset.registered", "", object=DataObject.of("loans", rows=3000, columns=["a", "b"]))
    log.add("dataset.registered", "", object=DataObject.of("other", rows=3))
    log.add("contract.approved", object=DataObject.of("loans", columns=["a"]))
    log.add("contract.approved", "c-10", object=DataObject.of("other"))
    log.add("transcript", job=JOB, peer=PeerRef("tax", "sent", 12, "1000-9999", "1b" * 32))
    log.add("disclosure", job=JOB, disclosure=DisclosureRef.of("score", "bank", (2500,)))
    log.add("disclosure", job=JOB, disclosure=DisclosureRef("score", "tax"), outcome="refused", reason="no")
    log.add("model.stored", job=JOB, reason=kept_until(NOW + timedelta(days=1)))
    return log


def stage(view: Lifecycle, name: str) -> list[tuple[str, str]]:
    found = next(stage for stage in view.stages if stage.stage == name)
    return [(line.type, line.what) for line in found.lines]


def test_six_stages_in_order_and_only_this_contract(bank: Log) -> None:
    view = lifecycle("c-1", bank.entries, now=NOW)
    assert tuple(stage.stage for stage in view.stages) == STAGES
    assert stage(view, "collection") == [("dataset.registered", "loans, 1000-9999 rows, 2 columns")]
    assert stage(view, "transfer") == [("transcript", "sent to tax, 12 messages, 1000-9999 bytes")]
    assert stage(view, "storage") == [("model.stored", "")]
    assert stage(view, "use") == [("contract.approved", "loans, 1 columns")]
    assert stage(view, "sharing") == [
        ("disclosure", "score to bank (1000-9999)"),
        ("disclosure", "score to tax"),
    ]
    assert stage(view, "destruction") == []
    sharing = view.stages[4]
    assert (sharing.refused, sharing.failed) == (1, 0)
    assert sharing.first_time < sharing.last_time
    assert view.stages[5].first_time == view.stages[5].last_time == ""


def test_several_logs_are_put_into_one_order(bank: Log) -> None:
    tax = Log("tax")
    tax.add("dataset.registered", "", object=DataObject.of("loans"))
    tax.add("disclosure", job=JOB, disclosure=DisclosureRef("widths", "bank"), minute=5)
    view = lifecycle("c-1", [*bank.entries, *tax.entries], now=NOW)
    assert [line.node for line in view.stages[4].lines] == ["bank", "tax", "bank"]
    assert [line.node for line in view.stages[0].lines] == ["bank"], "tax approved nothing on its loans"
    assert lifecycle("c-1", [*tax.entries, *bank.entries], now=NOW) == view


def state(log: Log, now: datetime = NOW) -> tuple[str, str]:
    (holding,) = lifecycle("c-1", log.entries, now=now).holdings
    assert (holding.node, holding.job, holding.due) == ("bank", JOB, "2027-03-02T08:00:00Z")
    return holding.state, holding.destroyed


def test_what_is_held_until_it_is_destroyed(bank: Log) -> None:
    assert state(bank) == ("held", "")
    assert state(bank, NOW + timedelta(days=2)) == ("overdue", "")
    gone = Deletion("overwrite", "models/ab: 3 files", "gone")
    bank.add("destruction.begun", job=JOB, deletion=gone)
    assert state(bank)[0] == "destroying"
    bank.add("retention.destroyed", job=JOB, deletion=gone, outcome="failed", reason="a file stayed")
    assert state(bank) == ("destroy failed", "")
    bank.add("retention.destroyed", job=JOB, deletion=gone)
    assert state(bank, NOW + timedelta(days=2)) == ("destroyed", "2027-03-01T08:10:00.000Z")


def test_copies_that_were_taken_out_are_counted(bank: Log) -> None:
    for _ in range(2):
        bank.add("model.exported", model=ModelRef(JOB))
    (holding,) = lifecycle("c-1", bank.entries, now=NOW).holdings
    assert holding.exported == 2


def test_contracts_are_listed(bank: Log) -> None:
    assert contracts_in(bank.entries) == {"c-1", "c-10"}


def test_a_contract_nobody_logged_is_empty(bank: Log) -> None:
    view = lifecycle("c", bank.entries)
    assert not any(stage.lines for stage in view.stages)
    assert view.holdings == ()


def test_as_plain_values(bank: Log) -> None:
    plain = lifecycle("c-1", bank.entries, now=NOW).to_dict()
    assert [stage["entries"] for stage in plain["stages"]] == [1, 1, 1, 1, 2, 0]
    assert set(itertools.chain(*plain["stages"][4]["lines"])) >= {"node", "index", "what", "reason"}
    assert plain["holdings"][0]["state"] == "held"
