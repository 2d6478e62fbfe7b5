"""Against the link: wrong certificates, forged and replayed frames, floods, and strangers."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from saferoom.errors import PeerError, VerificationError
from saferoom.link.credit import CreditError, CreditMeter
from saferoom.link.frames import Flag, FrameHeader, Kind, parse_header
from saferoom.link.settings import RelayLimits
from saferoom.link.transport.connection import Connection
from saferoom.link.transport.tls import TlsMaterial
from tests.link_helpers import (
    JOB_ID,
    Authority,
    Coordinator,
    Daemon,
    attach_all,
    attach_job,
    running_relay,
    running_room,
    start_daemon,
)
from tests.waiting import LIMIT_S, until, until_still

MIB = 1 << 20
NAMES = ["bank", "tax"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def coordinator(authority: Authority) -> Iterator[Coordinator]:
    with running_relay(authority) as coordinator:
        yield coordinator


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A party that does not look at its own certificate, as an attacker's would not."""
    monkeypatch.setattr("saferoom.link.transport.connection.check_material", lambda *_: None)


def refusal(address: str, party: str, tls: TlsMaterial) -> tuple[str, str]:
    """Why a party with this certificate does not get in."""
    daemon = start_daemon(party, address, tls)
    until(lambda: daemon.states)
    state = daemon.states[0]
    daemon.link.stop()
    assert not state.is_up
    assert state.remedy
    return state.reason, state.remedy


def test_our_own_bad_certificate_is_found_before_we_dial(
    authority: Authority, coordinator: Coordinator
) -> None:
    reason, remedy = refusal(coordinator.address, "bank", authority.issue("bank", valid_days=(-3, -1)))
    assert "expired" in reason
    assert "enrol" in remedy


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("kind", ["expired", "another authority", "not yet valid"])
def test_a_bad_certificate_does_not_get_in(authority: Authority, coordinator: Coordinator, kind: str) -> None:
    made: dict[str, Callable[[], TlsMaterial]] = {
        "expired": lambda: authority.issue("bank", valid_days=(-3, -1)),
        "not yet valid": lambda: authority.issue("bank", valid_days=(1, 2)),
        "another authority": lambda: replace(Authority().issue("bank"), ca_pem=authority.pem),
    }
    refusal(coordinator.address, "bank", made[kind]())
    assert coordinator.events == []
    assert coordinator.relay.connected() == set()


def test_a_false_coordinator_is_refused_by_the_party(authority: Authority) -> None:
    with running_relay(Authority()) as impostor:
        reason, _ = refusal(impostor.address, "bank", authority.issue("bank"))
        assert "TLS" in reason
        assert impostor.events == []


def test_a_party_of_the_same_authority_cannot_play_the_coordinator(authority: Authority) -> None:
    class Playing(Authority):
        def __init__(self) -> None:
            self.__dict__ = authority.__dict__

        def issue(self, _name: str, **_rest: object) -> TlsMaterial:  # type: ignore[override]
            return authority.issue("tax")

    with running_relay(Playing()) as impostor:
        reason, _ = refusal(impostor.address, "bank", authority.issue("bank"))
        assert "TLS" in reason


def test_an_unknown_or_revoked_party_is_turned_away_with_a_reason(authority: Authority) -> None:
    with running_relay(authority, allowed=lambda party, _serial: party != "bank") as coordinator:
        reason, remedy = refusal(coordinator.address, "bank", authority.issue("bank"))
        assert "does not admit bank" in reason
        assert "revoked" in remedy


def test_a_party_is_cut_off_when_it_is_revoked(authority: Authority) -> None:
    admitted = {"bank"}
    with running_relay(authority, allowed=lambda party, _serial: party in admitted) as coordinator:
        bank = start_daemon("bank", coordinator.address, authority.issue("bank"))
        bank.wait_up()
        admitted.clear()
        coordinator.relay.disconnect("bank", "the certificate was revoked")
        until(lambda: not bank.link.state.is_up)
        assert "revoked" in bank.states[1].reason
        until(lambda: bank.states[2:], "it tries again")
        assert "does not admit bank" in bank.states[2].reason
        assert coordinator.relay.connected() == set()
        bank.link.stop()


def test_a_second_node_with_the_same_certificate_is_explained(
    authority: Authority, coordinator: Coordinator
) -> None:
    tls = authority.issue("bank")
    first = start_daemon("bank", coordinator.address, tls)
    first.wait_up()
    second = start_daemon("bank", coordinator.address, tls)
    until(lambda: any("newer connection" in state.reason for state in first.states))
    assert any("second node" in state.remedy for state in first.states)
    first.link.stop()
    until(lambda: second.link.state.is_up)
    second.link.stop()


@pytest.fixture
def pair(authority: Authority) -> Iterator[tuple[Coordinator, dict[str, Daemon]]]:
    with running_room(authority, NAMES) as room:
        yield room


def data(sender: str, receiver: str, sequence: int = 0, body: bytes = b"x" * 50) -> bytes:
    return (
        FrameHeader(
            Kind.DATA, JOB_ID, 0, sender, receiver, sequence=sequence, flags=Flag.FIRST | Flag.LAST
        ).pack()
        + body
    )


def waiting_bytes(coordinator: Coordinator) -> int:
    """What waits inside the relay for parties to take it."""
    connections = coordinator.relay._service.connections.values()
    return sum(outlet.waiting_bytes for connection in connections for outlet in connection.outlets.values())


def raw(daemon: Daemon) -> Connection:
    """The connection under a daemon, to send what no honest daemon would."""
    connection = daemon.link._connection
    assert connection is not None
    return connection


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (b"garbage", "bytes"),
        (b"\xff" * 500, "version"),
        (data("bank", "tax", body=bytes(MIB)), "bytes; allowed"),
        (data("tax", "bank"), "another's name"),
        (data("bank", "tax")[:1] + b"\x09" + data("bank", "tax")[2:], "unknown kind"),
    ],
    ids=["short", "garbage", "too large", "forged sender", "unknown kind"],
)
def test_a_party_that_sends_what_it_must_not_is_cut_off(
    pair: tuple[Coordinator, dict[str, Daemon]], frame: bytes, complaint: str
) -> None:
    coordinator, daemons = pair
    job = attach_all(daemons)["tax"]
    raw(daemons["bank"]).put_frame(frame)
    until(lambda: any(complaint in state.reason for state in daemons["bank"].states))
    until(lambda: ("bank", "down") in coordinator.events)
    assert daemons["tax"].link.state.is_up
    job.link.send("bank", [b"the job goes on"])
    until(lambda: coordinator.relay.connected() == set(NAMES))


def test_garbage_on_the_control_stream_cuts_off(pair: tuple[Coordinator, dict[str, Daemon]]) -> None:
    coordinator, daemons = pair
    raw(daemons["bank"]).put_control([b"\x77 what is this"])
    until(lambda: any("no known kind" in state.reason for state in daemons["bank"].states))
    assert coordinator.controls == []


def test_a_frame_forged_by_the_relay_fails_the_job_loudly(
    pair: tuple[Coordinator, dict[str, Daemon]],
) -> None:
    _, daemons = pair
    jobs = attach_all(daemons)
    jobs["bank"].link.send("tax", [b"honest"])
    assert jobs["tax"].link.receive("bank", LIMIT_S) == b"honest"
    daemons["tax"].board.deliver(data("bank", "tax", sequence=1))
    with pytest.raises(VerificationError, match="does not open") as caught:
        jobs["tax"].link.receive("bank", LIMIT_S)
    assert caught.value.party == "bank"


def test_replayed_and_shuffled_frames_change_nothing(pair: tuple[Coordinator, dict[str, Daemon]]) -> None:
    _, daemons = pair
    passed: list[bytes] = []
    board = daemons["tax"].board
    honest = board.deliver

    def keep(frame: bytes) -> None:
        passed.append(frame)
        honest(frame)

    board.deliver = keep  # type: ignore[method-assign]
    jobs = attach_all(daemons)
    for number in range(20):
        jobs["bank"].link.send("tax", [bytes([number]) * 1000])
    until(lambda: len(passed) >= 20)
    for frame in [*passed[::-1], *passed, *passed[::2]]:
        honest(frame)
    for number in range(20):
        assert jobs["tax"].link.receive("bank", LIMIT_S) == bytes([number]) * 1000
    jobs["bank"].link.send("tax", [b"and on it goes"])
    assert jobs["tax"].link.receive("bank", LIMIT_S) == b"and on it goes"


def test_an_unknown_job_is_answered_across_the_relay(pair: tuple[Coordinator, dict[str, Daemon]]) -> None:
    _, daemons = pair
    job = attach_job(daemons["bank"].board, "bank", NAMES)
    with pytest.raises(PeerError, match="does not know this job"):
        job.link.receive("tax", LIMIT_S)


def test_two_nodes_do_not_answer_each_others_answers(pair: tuple[Coordinator, dict[str, Daemon]]) -> None:
    _, daemons = pair
    sent: list[bytes] = []
    for daemon in daemons.values():
        send = daemon.board.send
        daemon.board.send = lambda frame, send=send: (sent.append(frame), send(frame))  # type: ignore[misc]
    for number in range(2):
        daemons["bank"].board.send(data("bank", "tax", number))
        until(lambda number=number: len(sent) >= 2 * number + 2, "an answer")
    # Frames keep their order: an answer to the first answer would stand before the second.
    assert [parse_header(frame).kind for frame in sent] == [Kind.DATA, Kind.ABORT] * 2


def test_a_party_past_its_credit_is_cut_off_and_the_relay_stays_small(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tax bureau's line stands still; the bank floods it with flows of its own making."""
    limits = RelayLimits(flow_bytes=4 * MIB, sender_bytes=24 * MIB)
    monkeypatch.setattr("saferoom.link.transport.connection.CreditMeter", _Boundless)
    with running_room(authority, NAMES, limits=limits) as (coordinator, daemons):
        relay = coordinator.relay
        block = _block_reader(daemons["tax"])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        frame = data("bank", "tax", body=bytes(MIB - 104))
        connection = raw(daemons["bank"])
        for _ in range(60):
            connection.put_frame(frame)
        until(lambda: any("acknowledgement" in state.reason for state in daemons["bank"].states))
        assert waiting_bytes(coordinator) <= 24 * MIB
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 250 * MIB
        block.append(True)
        assert daemons["tax"].link.state.is_up
        until(lambda: relay.connected() == set(NAMES))


class _Boundless(CreditMeter):
    def add(self, _frame: bytes) -> None:
        """A daemon that does not mind its credit."""

    def remove(self, _frame: bytes) -> None:
        """Nothing was counted."""


def _block_reader(daemon: Daemon) -> list[bool]:
    """Let a party's reading threads stand still until the returned list has something in it."""
    release: list[bool] = []

    def stand_still(_frame: bytes) -> None:
        until(lambda: release)

    daemon.board.deliver = stand_still  # type: ignore[method-assign]
    return release


def test_many_flows_do_not_multiply_a_senders_credit() -> None:
    meter = CreditMeter(8 * MIB, 24 * MIB)
    with pytest.raises(CreditError):
        for number in range(100):
            header = FrameHeader(Kind.DATA, number.to_bytes(16, "big"), 0, "bank", "tax").pack()
            meter.add(header + bytes(MIB - 104))
    assert meter.total <= 24 * MIB


def test_an_honest_sender_to_a_party_that_does_not_read_stays_within_its_window(
    authority: Authority,
) -> None:
    with running_room(authority, NAMES) as (coordinator, daemons):
        jobs = attach_all(daemons)
        deliver = daemons["tax"].board.deliver
        block = _block_reader(daemons["tax"])
        jobs["bank"].link.send("tax", [bytes(64 * MIB)])
        until_still(lambda: jobs["bank"].link.standing()["tax"])
        assert jobs["bank"].link.standing()["tax"][0].size_bytes <= 4 * MIB
        assert waiting_bytes(coordinator) <= 4 * MIB
        assert daemons["bank"].link.state.is_up
        daemons["tax"].board.deliver = deliver  # type: ignore[method-assign]
        block.append(True)
        assert len(jobs["tax"].link.receive("bank", LIMIT_S)) == 64 * MIB


def test_a_job_past_its_credit_is_cut_off_by_its_own_daemon(
    pair: tuple[Coordinator, dict[str, Daemon]],
) -> None:
    _, daemons = pair
    job = attach_all(daemons)["bank"]

    def refuse(_frame: bytes) -> None:
        raise CreditError("over its credit")

    daemons["bank"].board.send = refuse
    job.pipe.send(0, data("bank", "tax"))
    until(lambda: job.ended == [False])


def test_a_crowd_of_strangers_does_not_stop_the_relay(authority: Authority, coordinator: Coordinator) -> None:
    import socket

    host, _, port = coordinator.address.rpartition(":")
    strangers = [socket.create_connection((host, int(port))) for _ in range(50)]
    for number, stranger in enumerate(strangers):
        stranger.sendall(b"GET / HTTP/1.0\r\n\r\n" if number % 2 else b"\x16\x03\x01\x02\x00\x01")
    bank = start_daemon("bank", coordinator.address, authority.issue("bank"))
    bank.wait_up()
    bank.link.stop()
    for stranger in strangers:
        stranger.close()
