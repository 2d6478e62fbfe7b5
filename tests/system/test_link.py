"""The link with real TLS, a relay and parties in one process: what a quiet day looks like."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from saferoom.errors import ConfigError, UsageError
from saferoom.link.frames import FrameHeader
from saferoom.link.relay.flow_book import FlowBook, FlowCut
from saferoom.link.relay.relay import Relay
from saferoom.link.settings import NetworkEmulation
from saferoom.link.switchboard import Switchboard
from saferoom.link.transcript import Mark
from tests.link_helpers import (
    JOB_ID,
    Authority,
    Coordinator,
    Daemon,
    attach_all,
    attach_job,
    running_relay,
    running_room,
)
from tests.waiting import LIMIT_S, until

MIB = 1 << 20
NAMES = ["bank", "tax", "utility"]
Room = tuple[Coordinator, dict[str, Daemon]]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def room(authority: Authority) -> Iterator[Room]:
    with running_room(authority, NAMES) as room:
        yield room


def test_three_jobs_talk_all_to_all_at_once(room: Room) -> None:
    _, daemons = room
    jobs = attach_all(daemons)
    sent = {(me, peer): os.urandom(3 * MIB) for me in NAMES for peer in NAMES if me != peer}
    for (me, peer), message in sent.items():
        jobs[me].link.send(peer, [message])
        jobs[me].link.send(peer, [b"after the bulk"])
    for (me, peer), message in sent.items():
        assert jobs[peer].link.receive(me, LIMIT_S) == message
        assert jobs[peer].link.receive(me, LIMIT_S) == b"after the bulk"
    closing = [threading.Thread(target=jobs[name].link.close) for name in NAMES]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join(LIMIT_S)
    assert not any(thread.is_alive() for thread in closing)


def test_control_messages_go_both_ways_in_order(room: Room) -> None:
    coordinator, daemons = room
    messages = [bytes([number]) * size for number, size in enumerate((0, 10, 3 * MIB, 10, 100))]
    for message in messages:
        assert coordinator.relay.send_control("tax", message)
        assert daemons["bank"].link.send_control(message)
    until(lambda: len(daemons["tax"].controls) == len(messages) == len(coordinator.controls))
    assert daemons["tax"].controls == messages
    assert coordinator.controls == [("bank", message) for message in messages]
    assert daemons["utility"].controls == []


def test_control_to_a_party_that_is_away_says_so(room: Room) -> None:
    coordinator, daemons = room
    assert coordinator.relay.connected() == set(NAMES)
    daemons["tax"].link.stop()
    until(lambda: coordinator.relay.connected() == {"bank", "utility"})
    assert not coordinator.relay.send_control("tax", b"hello")
    assert not daemons["tax"].link.send_control(b"hello")
    until(lambda: ("tax", "down") in coordinator.events)
    assert coordinator.events.index(("tax", "up")) < coordinator.events.index(("tax", "down"))


def test_the_helper_speaks_from_inside_the_coordinator(room: Room) -> None:
    coordinator, daemons = room
    relay = coordinator.relay
    board = Switchboard("helper", lambda frame: relay.submit_local("helper", frame))
    relay.attach_local("helper", board.deliver)
    board.link_up()
    for daemon in daemons.values():
        daemon.board.expect(JOB_ID, 0)
    board.expect(JOB_ID, 0)
    helper = attach_job(board, "helper", NAMES)
    bank = attach_job(daemons["bank"].board, "bank", ["helper", *NAMES])
    dealt = os.urandom(6 * MIB)
    helper.link.send("bank", [dealt])
    assert bank.link.receive("helper", LIMIT_S) == dealt
    bank.link.send("helper", [dealt])
    assert helper.link.receive("bank", LIMIT_S) == dealt
    with pytest.raises(UsageError):
        relay.submit_local("helper", FrameHeader(0, JOB_ID, 0, "bank", "tax").pack())  # type: ignore[arg-type]


def test_slow_callbacks_hold_up_nobody_else(authority: Authority) -> None:
    release = threading.Event()
    heard: list[str] = []

    def on_control(party: str, _message: bytes) -> None:
        if party == "bank":
            release.wait(LIMIT_S)
        heard.append(party)

    relay = Relay(
        "127.0.0.1:0",
        authority.issue("coordinator"),
        on_control=on_control,
        on_connect=lambda _party: None,
        on_disconnect=lambda _party: None,
        allowed=lambda _party, _serial: True,
    )
    from tests.link_helpers import start_daemon

    address = f"127.0.0.1:{relay.start()}"
    daemons = [start_daemon(name, address, authority.issue(name)) for name in ("bank", "tax")]
    for daemon in daemons:
        daemon.wait_up()
        assert daemon.link.send_control(b"hello")
    until(lambda: heard == ["tax"])
    release.set()
    until(lambda: heard == ["tax", "bank"])
    for daemon in daemons:
        daemon.link.stop()
    relay.stop()


def test_callbacks_that_fail_do_not_silence_a_party(authority: Authority) -> None:
    heard: list[bytes] = []

    def on_control(_party: str, message: bytes) -> None:
        heard.append(message)
        raise RuntimeError("a bug in the coordinator")

    with running_room(authority, ["bank"], on_control=on_control) as (_, daemons):
        for message in (b"1", b"2"):
            daemons["bank"].link.send_control(message)
        until(lambda: heard == [b"1", b"2"])


def quickest(what: Callable[[], None], enough_s: float) -> float:
    """Seconds that something takes; tried again while a busy machine makes it slow."""
    times: list[float] = []
    while len(times) < 20 and min(times, default=enough_s) >= enough_s:
        begin = time.monotonic()
        what()
        times.append(time.monotonic() - begin)
    return min(times)


def test_an_emulated_network_is_as_slow_as_asked(authority: Authority) -> None:
    emulation = NetworkEmulation(latency_ms=15, mbit_per_s=80)
    with running_room(authority, ["bank", "tax"], emulation=emulation) as (_, daemons):
        jobs = attach_all(daemons)
        jobs["bank"].link.send("tax", [b"warm"])
        jobs["tax"].link.receive("bank", LIMIT_S)

        def there_and_back() -> None:
            jobs["bank"].link.send("tax", [b"ping"])
            jobs["tax"].link.receive("bank", LIMIT_S)
            jobs["tax"].link.send("bank", [b"pong"])
            jobs["bank"].link.receive("tax", LIMIT_S)

        def four_frames() -> None:
            jobs["bank"].link.send("tax", [bytes(4 * MIB)])
            jobs["tax"].link.receive("bank", LIMIT_S)

        assert 0.060 <= quickest(there_and_back, 0.25) < 0.25
        # 4 MiB at 10 MB/s, twice one frame later: up, then down.
        assert 0.45 <= quickest(four_frames, 1.5) < 1.5


def test_a_taken_port_is_refused_and_not_shared(authority: Authority) -> None:
    with running_relay(authority) as coordinator, pytest.raises(ConfigError, match="cannot listen"):  # noqa: SIM117
        with running_relay(authority, coordinator.address):
            pass


def test_sender_receiver_and_relay_come_to_the_same_transcript(authority: Authority) -> None:
    book = FlowBook()
    book.open(JOB_ID.hex(), 0, ["bank", "tax"])
    with running_room(authority, ["bank", "tax"], book=book) as (_, daemons):
        jobs = attach_all(daemons)
        bank, tax = jobs["bank"].link, jobs["tax"].link
        for message in (b"1", bytes(3 * MIB), b"3"):
            bank.send("tax", [message])
        sent = bank.settle(LIMIT_S)["tax"]
        bank.mark("tax", b"so far")
        bank.send("tax", [b"4"])
        heard = tax.next_mark("bank", LIMIT_S)
        assert [len(tax.receive("bank", LIMIT_S)) for _ in range(4)] == [1, 3 * MIB, 1, 1]
    assert heard == Mark(sent, b"so far")
    # Six frames of 120 bytes of header and tag, and before the fragments their message's length.
    assert (sent.messages, sent.size_bytes) == (3, 3 * MIB + 2 + 8 + 6 * 120)
    first, rest = book.close(JOB_ID.hex(), 0)
    assert first == FlowCut(JOB_ID.hex(), "bank", "tax", 0, sent)
    assert (rest.number, rest.said.messages, rest.is_rest) == (1, 4, True)
