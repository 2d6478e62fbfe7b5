"""A party that no contract names floods the coordinator: others' lines, logs and memory stay whole."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from google.protobuf.message import DecodeError

from saferoom.errors import PeerError
from saferoom.ids import COORDINATOR
from saferoom.link.allowance import Allowance
from saferoom.link.control_limits import (
    FROM_COORDINATOR,
    FROM_PARTIES,
    MOST_FROM_PARTIES,
    RUNNING_JOBS_MOST,
    read_control,
)
from saferoom.link.credit import CreditError, CreditMeter
from saferoom.link.frames import Flag, FrameHeader, Kind
from saferoom.link.relay.flow_book import EARLY_KEPT, RECENT_BYTES, TOO_FAR, TWO_UNDER_ONE, FlowBook
from saferoom.link.relay.open_files import allow_open_files
from saferoom.link.relay.relay import Relay
from saferoom.link.settings import MOST_CONNECTIONS
from saferoom.link.transport.streams import Control, ControlReader
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.daemons.coordinator import HELLOS_AT_ONCE, Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.refusals import OTHERS, REASON_CHARACTERS, REASONS_KEPT, Refusals
from saferoom.node.witnessing.questions import OPEN_MOST, OPEN_S, Questions
from tests.link_helpers import JOB_ID, Authority, running_relay, running_room, start_daemon
from tests.node_room import Nodes, opened_nodes
from tests.waiting import until

FLOOD = 2000


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("floods")) as nodes:
        yield nodes


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, wire.Control]]:
    """What the coordinator says, to whom; everybody counts as connected."""
    sent: list[tuple[str, wire.Control]] = []

    def send(relay: Relay, party: str, raw: bytes) -> bool:
        sent.append((party, wire.Control.FromString(raw)))
        return True

    monkeypatch.setattr(Relay, "send_control", send)
    return sent


@pytest.fixture
def coordinator(nodes: Nodes, sent: list[tuple[str, wire.Control]]) -> Coordinator:
    return Coordinator(nodes.cores[COORDINATOR], nodes.helper_keys)


def entries(nodes: Nodes, node: str) -> int:
    return len(nodes.events(node))


@pytest.mark.parametrize(
    "message",
    [
        wire.Control(decision=wire.Decision(contract_id="nobody", decision="approve")),
        wire.Control(verdict=wire.JobVerdict(job_id="00" * 16)),
        wire.Control(witness_reply=wire.WitnessReply(asker="bank", number=1, status=200, body="x")),
        wire.Control(witness_reply=wire.WitnessReply(asker=COORDINATOR, number=9, status=200, body="x")),
    ],
    ids=["decision", "verdict", "answer to another", "answer to the coordinator"],
)
def test_a_flood_of_messages_is_a_few_entries(
    nodes: Nodes, coordinator: Coordinator, sent: list[tuple[str, wire.Control]], message: wire.Control
) -> None:
    raw = message.SerializeToString()
    before = {node: entries(nodes, node) for node in (COORDINATOR, "bank", "tax")}
    for _ in range(FLOOD):
        coordinator.on_control("tax", raw)
    assert {node: entries(nodes, node) - count for node, count in before.items()} == {
        COORDINATOR: 1,
        "bank": 0,
        "tax": 0,
    }
    assert not sent
    coordinator.refusals.close()
    (counted,) = nodes.events(COORDINATOR)[before[COORDINATOR] + 1 :]
    assert counted["reason"].endswith("times more)")


def test_a_flood_of_hellos_is_answered_slowly_and_the_last_one_counts(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[set[str]] = []
    monkeypatch.setattr(coordinator.jobs, "tell_verdicts", lambda party, jobs: told.append(jobs))
    for number in range(FLOOD):
        hello = wire.Hello(software="x", running_jobs=[f"{number:032x}"])
        coordinator.on_control("tax", wire.Control(hello=hello).SerializeToString())
    assert len(told) <= HELLOS_AT_ONCE + 10
    coordinator.start()
    try:
        until(lambda: {f"{FLOOD - 1:032x}"} in told)
    finally:
        coordinator.stop()


def test_a_long_reason_is_cut() -> None:
    said: list[str] = []
    Refusals(lambda party, reason: said.append(reason)).add("tax", "x" * 10_000)
    assert said == ["x" * REASON_CHARACTERS]


def test_reasons_made_up_anew_each_time_are_counted_together() -> None:
    said: list[tuple[str, str]] = []
    refusals = Refusals(lambda party, reason: said.append((party, reason)))
    for number in range(FLOOD):
        refusals.add("tax", f"no contract is called {number}")
    assert len(said) == REASONS_KEPT + 1
    refusals.close()
    assert said[-1] == ("tax", f"{OTHERS} (and {FLOOD - REASONS_KEPT - 1} times more)")


def test_answers_of_a_witness_that_nobody_asked_do_not_fill_a_log(nodes: Nodes) -> None:
    party = Party(nodes.cores["tax"])
    raw = wire.Control(witness_reply=wire.WitnessReply(asker="tax", witness="bank", number=7))
    before = entries(nodes, "tax")
    for _ in range(FLOOD):
        party.on_control(raw.SerializeToString())
    assert entries(nodes, "tax") - before <= 1


def test_an_answer_passes_once_and_only_to_who_asked(
    coordinator: Coordinator, sent: list[tuple[str, wire.Control]]
) -> None:
    ask = wire.Control(witness_ask=wire.WitnessAsk(witness="tax", number=5, request=b"x"))
    coordinator.on_control("bank", ask.SerializeToString())
    assert [(to, message.WhichOneof("body")) for to, message in sent] == [("tax", "witness_ask")]
    reply = wire.Control(witness_reply=wire.WitnessReply(asker="bank", number=5, status=200))
    for _ in range(3):
        coordinator.on_control("tax", reply.SerializeToString())
    assert [(to, message.WhichOneof("body")) for to, message in sent[1:]] == [("bank", "witness_reply")]


def test_a_party_that_asks_on_and_on_reaches_no_witness(sent: list[tuple[str, wire.Control]]) -> None:
    """Under ever new numbers or one and the same: the line carries a few, until they are given up."""
    now = [0.0]
    passed: list[int] = []

    def send(to: str, message: wire.Control) -> bool:
        passed.append(message.witness_ask.number)
        return True

    questions = Questions(send, lambda: now[0])
    for round_ in range(2):
        for numbers in (range(FLOOD), [7] * FLOOD):
            passed.clear()
            refused = 0
            for number in numbers:
                try:
                    questions.asked(wire.WitnessAsk(asker="tax", witness="bank", number=number))
                except PeerError:
                    refused += 1
            assert (len(passed), refused) == (OPEN_MOST, FLOOD - OPEN_MOST), round_
            now[0] += OPEN_S


@pytest.mark.parametrize("kind", sorted(FROM_COORDINATOR.keys() - FROM_PARTIES.keys()))
def test_what_only_the_coordinator_says_is_not_parsed_from_a_party(kind: str) -> None:
    """A contract of endless signatures would take many times its bytes."""
    number = wire.Control.DESCRIPTOR.fields_by_name[kind].number
    with pytest.raises(PeerError, match=kind):
        read_control(bytes([number << 3 | 2]) + bytes(100), FROM_PARTIES)


def test_a_message_larger_than_a_party_may_say_is_not_put_together() -> None:
    reader = ControlReader(MOST_FROM_PARTIES)
    assert reader.feed(bytes([Control.LAST]) + bytes(MOST_FROM_PARTIES)) == bytes(MOST_FROM_PARTIES)
    with pytest.raises(PeerError):
        reader.feed(bytes([Control.PART]) + bytes(MOST_FROM_PARTIES + 1))


@pytest.mark.parametrize("kind", sorted(FROM_PARTIES))
def test_a_message_too_large_for_its_kind_is_not_parsed(kind: str) -> None:
    number = wire.Control.DESCRIPTOR.fields_by_name[kind].number
    tag = bytes([number << 3 & 0x7F | 2 | (0x80 if number > 15 else 0)]) + (b"\x01" if number > 15 else b"")
    with pytest.raises(PeerError, match=kind):
        read_control(tag + bytes(FROM_PARTIES[kind]), FROM_PARTIES)


def test_a_hello_names_a_bounded_number_of_jobs() -> None:
    def hello(jobs: int) -> bytes:
        return wire.Control(hello=wire.Hello(running_jobs=["ab" * 16] * jobs)).SerializeToString()

    assert len(read_control(hello(RUNNING_JOBS_MOST), FROM_PARTIES).hello.running_jobs) == RUNNING_JOBS_MOST
    with pytest.raises(PeerError, match="hello"):
        read_control(hello(RUNNING_JOBS_MOST + 1), FROM_PARTIES)


@pytest.mark.parametrize("extra", [b"\x0a\x00", b"\x00", b"\x9a\x01\x00"])
def test_a_message_is_one_body(extra: bytes) -> None:
    raw = wire.Control(hello=wire.Hello(software="x")).SerializeToString()
    assert read_control(raw, FROM_PARTIES).hello.software == "x"
    with pytest.raises(DecodeError):
        read_control(raw + extra, FROM_PARTIES)


def test_a_control_message_in_crumbs_is_refused() -> None:
    for crumb in (bytes([Control.PART]), bytes([Control.PART]) + b"x"):
        with pytest.raises(PeerError, match="crumbs"):
            ControlReader().feed(crumb)


def test_small_frames_are_not_free() -> None:
    meter = CreditMeter(1 << 30, 1 << 20)
    with pytest.raises(CreditError):
        for _ in range(4000):
            meter.add(bytes(104))
    assert meter.total <= 1 << 20


def header(number: int, kind: Kind = Kind.DATA, sender: str = "tax", job_id: bytes = JOB_ID) -> FrameHeader:
    return FrameHeader(kind, job_id, 0, sender, "bank", number, flags=Flag.FIRST | Flag.LAST)


def test_two_frames_under_one_number_are_the_senders_fault() -> None:
    """What the relay booked first stays, junk or not; the other frame is refused and stands in its log."""
    book, refused = FlowBook(), []
    book.on_refused = lambda sender, reason: refused.append((sender, reason))
    book.open(JOB_ID.hex(), 0, ["bank", "tax"])
    junk, real, later = (os.urandom(32) for _ in range(3))
    assert book.add(header(0), 200, junk)
    assert not book.add(header(0), 200, real)
    assert book.add(header(0), 200, junk)
    assert book.add(header(2), 200, later)
    assert not book.add(header(2), 200, real)
    assert refused == [("tax", TWO_UNDER_ONE)]
    assert book.close(JOB_ID.hex(), 0)[0].said.messages == 1


def test_nothing_passes_unbooked() -> None:
    """Neither far ahead of a frame that is held back, nor under a number whose digest is forgotten."""
    book, refused = FlowBook(), []
    book.on_refused = lambda sender, reason: refused.append((sender, reason))
    book.open(JOB_ID.hex(), 0, ["bank", "tax"])
    digest = bytes(32)
    assert all(book.add(header(number), 120, digest) for number in range(1, EARLY_KEPT + 1))
    assert not book.add(header(EARLY_KEPT + 1), 120, digest)
    assert book.add(header(0), 120, digest)
    last = EARLY_KEPT + 1
    for _ in range(RECENT_BYTES // (1 << 20) + 1):
        assert book.add(header(last), 1 << 20, digest)
        last += 1
    assert book.add(header(last - 1), 1 << 20, digest)
    assert not book.add(header(0), 120, os.urandom(32))
    assert refused == [("tax", TOO_FAR)]


def test_frames_without_data_pass_in_a_job_alone() -> None:
    book = FlowBook()
    acknowledgement = header(0, Kind.ACKNOWLEDGE)
    assert not book.knows(acknowledgement)
    book.open(JOB_ID.hex(), 0, ["bank", "tax"])
    assert book.knows(acknowledgement)
    assert not book.knows(header(0, Kind.ACKNOWLEDGE, "power"))
    book.close(JOB_ID.hex(), 0)
    assert not book.knows(acknowledgement)


def test_who_is_in_no_job_reaches_nobody() -> None:
    """Acknowledgements and ends of an invented job: what comes to another party is the frame after them."""
    book = FlowBook()
    book.open(JOB_ID.hex(), 0, ["bank", "tax"])
    authority = Authority()
    with running_relay(authority, book=book) as relay, ExitStack() as stack:
        bank, tax = (
            start_daemon(name, relay.address, authority.issue(name), keep_frames=True)
            for name in ("bank", "tax")
        )
        for daemon in (bank, tax):
            stack.callback(daemon.link.stop)
            daemon.wait_up()
        for number in range(FLOOD):
            kind = Kind.ACKNOWLEDGE if number % 2 else Kind.ABORT
            tax.link.send_frame(header(number, kind, job_id=bytes(16)).pack())
        honest = header(0).pack() + bytes(16)
        tax.link.send_frame(honest)
        until(lambda: bank.frames)
        assert bank.frames == [honest]


def test_connections_that_say_nothing_are_closed() -> None:
    """More than the relay takes, none with a certificate: all are let go, and parties stay connected."""
    if not allow_open_files(4 * MOST_CONNECTIONS):
        pytest.skip("this machine lets no process open that many connections")
    with running_room(Authority(), ["bank", "tax"]) as (coordinator, daemons):
        host, _, port = coordinator.address.rpartition(":")
        idle = [
            socket.create_connection((host, int(port)), timeout=10) for _ in range(MOST_CONNECTIONS + 100)
        ]
        try:
            until(lambda: all(is_closed(one) for one in idle))
            assert all(daemon.link.state.is_up for daemon in daemons.values())
        finally:
            for one in idle:
                one.close()


def is_closed(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_an_allowance_gives_its_burst_and_then_its_rate() -> None:
    now = [0.0]
    allowance = Allowance(2, 3, lambda: now[0])
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 1.0
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    assert allowance.owe(4) == 2.0
    now[0] = 100.0
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
