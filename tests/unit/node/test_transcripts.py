"""Transcripts: two ends of a conversation, their daemons' entries and receipts, without a network."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from saferoom.audit.reconcile.receipts import receipt_body
from saferoom.channel.memory import run_together
from saferoom.channel.session import Disclosure
from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.errors import PeerError, SafeRoomError, VerificationError
from saferoom.identity.signing import sign_statement
from saferoom.jobs.conversations import Conversations
from saferoom.link.job.joblink import JobLink
from saferoom.link.pipe import Pipe, PipeClosedError, PipeKind
from saferoom.node.processes.transcripts import write_cut
from tests.link_helpers import job_keys
from tests.node_room import Nodes, opened_nodes, three_party_columns

ENDS = ("bank", "tax")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("transcripts"), ENDS) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def contract(nodes: Nodes) -> Contract:
    return nodes.activate(nodes.draft({party: three_party_columns()[party] for party in ENDS}))


@dataclass
class Desk:
    """The daemon's side of one end. `bend` changes the receipts it gives out."""

    nodes: Nodes
    contract: Contract
    job: str
    me: str
    bend: Callable[[dict[str, str]], dict[str, str]] = lambda receipts: receipts
    asked: list[Disclosure] = field(default_factory=list)

    def disclose(self, disclosure: Disclosure) -> None:
        self.asked.append(disclosure)

    def write_cut(self, cut: dict[str, Any]) -> dict[str, str]:
        core = self.nodes.cores[self.me]
        return self.bend(write_cut(core, self.contract, self.job, self.me, core.keys.signing, cut))

    def entries(self) -> list[dict[str, Any]]:
        mine = [event for event in self.nodes.events(self.me) if "session" in event]
        return [event for event in mine if event["session"]["id"] == self.job]


@dataclass
class End:
    link: JobLink
    talk: Conversations
    desk: Desk


@pytest.fixture
def bank_and_tax(nodes: Nodes, contract: Contract) -> Iterator[tuple[End, End]]:
    """Both ends, their pipes joined: what one writes the other reads."""
    job = secrets.token_bytes(16)
    with ExitStack() as stack:
        pipes = {me: Pipe.pair() for me in ENDS}
        for me, other in (ENDS, ENDS[::-1]):
            carry = threading.Thread(target=_carry, args=(pipes[me][0], pipes[other][0]), daemon=True)
            carry.start()
        ends = []
        for me in ENDS:
            link = JobLink(pipes[me][1], me, job, 1, job_keys(me, list(ENDS)))
            desk = Desk(nodes, contract, job.hex(), me)
            talk = Conversations(link, desk, [o for o in ENDS if o != me], 10)  # type: ignore[arg-type]
            ends.append(End(link, talk, desk))
            for pipe in pipes[me]:
                stack.callback(pipe.close)
        for me in ENDS:
            pipes[me][0].send(PipeKind.LINK_UP)
        yield ends[0], ends[1]


def _carry(source: Pipe, target: Pipe) -> None:
    try:
        while True:
            kind, payload = source.receive()
            if kind == PipeKind.FRAME:
                target.send(kind, payload)
    except PipeClosedError:
        return


def end_together(*ends: End) -> None:
    """Both ends end their job; who fails tells the other, as a job process does. Raises the first error."""
    errors: list[SafeRoomError] = []

    def end_job(end: End) -> None:
        try:
            end.talk.end_job()
        except SafeRoomError as error:
            errors.append(error)
            end.link.abort()

    run_together({end.desk.me: partial(end_job, end) for end in ends})
    if errors:
        raise errors[0]


def test_both_ends_log_one_transcript_a_phase_and_the_receipt_is_the_senders(
    bank_and_tax: tuple[End, End], contract: Contract
) -> None:
    bank, tax = bank_and_tax
    for phase, count in (("align", 2), ("train", 3)):
        for number in range(count):
            bank.link.send("tax", [f"{phase} {number}".encode()])
            tax.link.receive("bank", 10)
        bank.talk.end_phase(phase)
        tax.talk.end_phase("its own")
    end_together(bank, tax)
    sent = [event["peer"] for event in bank.desk.entries()]
    received = [event["peer"] for event in tax.desk.entries()]
    assert [(p["direction"], p["org"], p["cut"], p["phase"], p["messages"]) for p in sent] == [
        ("sent", "tax", 0, "align", 2),
        ("sent", "tax", 1, "train", 5),
    ]
    key = bank.desk.nodes.cores["bank"].keys.signing
    for said, heard in zip(sent, received, strict=True):
        body = receipt_body(contract_hash(contract).hex(), tax.desk.job, "bank", "tax", said)
        receipt = sign_statement(key, "saferoom/transcript/v1", body).hex()
        assert heard == said | {"direction": "received", "org": "bank", "receipt": receipt}


def test_who_learns_logs_it_as_well_as_who_discloses(bank_and_tax: tuple[End, End]) -> None:
    bank, tax = bank_and_tax
    bank.talk.disclose(Disclosure("split", "tax", (20_000,), "split"))
    bank.link.send("tax", [b"the split"])
    bank.talk.end_phase("prepare")
    end_together(bank, tax)
    learnt, transcript = tax.desk.entries()
    assert bank.desk.asked == [Disclosure("split", "tax", (20_000,), "split")]
    assert learnt["disclosure"] == {
        "kind": "split",
        "to": "tax",
        "protocol": "split",
        "shape": ["10000-99999"],
    }
    assert learnt["peer"] == {"org": "bank", "direction": "received"}
    assert transcript["type"] == "transcript"


def test_a_phase_without_a_word_leaves_no_entry_and_no_mark(bank_and_tax: tuple[End, End]) -> None:
    bank, tax = bank_and_tax
    for end in (bank, tax):
        end.talk.end_phase("load")
    end_together(bank, tax)
    assert bank.desk.entries() == tax.desk.entries() == []


@pytest.mark.parametrize("receipt", ["00" * 64, "", "no hex"])
def test_a_receipt_that_is_not_the_senders_is_refused_and_logged(
    bank_and_tax: tuple[End, End], receipt: str
) -> None:
    bank, tax = bank_and_tax
    bank.desk.bend = lambda receipts: dict.fromkeys(receipts, receipt)
    bank.link.send("tax", [b"x"])
    bank.talk.end_phase("align")
    with pytest.raises(VerificationError, match="party bank"):
        end_together(bank, tax)
    (refused,) = tax.desk.entries()
    assert (refused["type"], refused["outcome"]) == ("transcript", "refused")
    assert refused["peer"] == {"org": "bank", "direction": "received", "cut": 0, "messages": 1}


def test_a_receipt_for_more_than_was_sent_is_refused(bank_and_tax: tuple[End, End]) -> None:
    """A sender that signs another transcript than its own is found out at once."""
    bank, tax = bank_and_tax
    honest = bank.desk.write_cut
    bank.desk.write_cut = lambda cut: honest(  # type: ignore[method-assign]
        cut | {"sent": [item | {"messages": 2} for item in cut["sent"]]}
    )
    bank.link.send("tax", [b"x"])
    bank.talk.end_phase("align")
    with pytest.raises(VerificationError, match="party bank"):
        end_together(bank, tax)


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"\xff"])
def test_a_mark_that_is_none_ends_the_job(bank_and_tax: tuple[End, End], body: bytes) -> None:
    bank, tax = bank_and_tax
    bank.link.mark("tax", body)
    with pytest.raises((PeerError, VerificationError)):
        end_together(bank, tax)


def test_a_broken_job_logs_how_far_it_came(bank_and_tax: tuple[End, End]) -> None:
    bank, tax = bank_and_tax
    bank.link.send("tax", [b"x"])
    tax.link.receive("bank", 10)
    bank.talk.break_off()
    tax.talk.break_off()
    (sent,), (received,) = bank.desk.entries(), tax.desk.entries()
    assert sent["outcome"] == received["outcome"] == "failed"
    assert sent["peer"]["transcript"] == received["peer"]["transcript"]
    assert "cut" not in sent["peer"] and "receipt" not in received["peer"]
