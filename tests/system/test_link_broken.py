"""The link on a bad day: relays killed, lines cut, silent peers. Nothing is lost, doubled or reordered."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from saferoom.errors import SafeRoomError
from saferoom.link.settings import FlowLimits, LinkSettings
from tests.link_helpers import (
    QUICK,
    Authority,
    Coordinator,
    Daemon,
    Job,
    Proxy,
    RelayProcess,
    attach_all,
    attach_job,
    running_relay,
    start_daemon,
)
from tests.waiting import LIMIT_S, until

NAMES = ["bank", "tax"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def numbered(number: int, dice: random.Random) -> bytes:
    """A message that knows its number: mostly small, some of several frames."""
    size = dice.choice([0, 30, 30, 500, 5_000, 50_000, 300_000, 2_500_000 if number % 40 == 0 else 100])
    return number.to_bytes(4, "big") + bytes([number % 251]) * size


class Traffic:
    """Sends numbered messages one way in a thread, and checks them at the other end in another."""

    def __init__(self, sender: Job, receiver: Job, me: str, peer: str, count: int, pace_s: float) -> None:
        self.arrived = 0
        self.errors: list[str] = []
        self._ends = (sender, receiver, me, peer)
        self._count = count
        self._pace_s = pace_s
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self) -> None:
        sender, _, me, peer = self._ends
        dice = random.Random(f"{me}>{peer}")
        try:
            for number in range(self._count):
                sender.link.send(peer, [numbered(number, dice)])
                time.sleep(self._pace_s)
        except SafeRoomError as error:
            self.errors.append(str(error))

    def _receive(self) -> None:
        _, receiver, me, peer = self._ends
        dice = random.Random(f"{me}>{peer}")
        try:
            for number in range(self._count):
                if bytes(receiver.link.receive(me, LIMIT_S)) != numbered(number, dice):
                    self.errors.append(f"message {number} from {me} is not what was sent")
                    return
                self.arrived += 1
        except SafeRoomError as error:
            self.errors.append(str(error))


def mixed_traffic(jobs: dict[str, Job], count: int, pace_s: float) -> list[Traffic]:
    bank, tax = jobs["bank"], jobs["tax"]
    return [
        Traffic(bank, tax, "bank", "tax", count, pace_s),
        Traffic(tax, bank, "tax", "bank", count, pace_s),
    ]


def finish(traffic: list[Traffic], count: int) -> None:
    for one in traffic:
        for thread in one.threads:
            thread.join(LIMIT_S)
    assert [one.errors for one in traffic] == [[], []]
    assert [one.arrived for one in traffic] == [count, count]


def test_the_relay_may_be_killed_again_and_again(authority: Authority, tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path, authority)
    relay.start()
    daemons = {name: start_daemon(name, f"127.0.0.1:{relay.port}", authority.issue(name)) for name in NAMES}
    jobs = attach_all(daemons)
    count = 600
    traffic = mixed_traffic(jobs, count, pace_s=0.005)
    try:
        for _ in range(4):
            before = traffic[0].arrived
            until(lambda before=before: traffic[0].arrived > min(before + 20, count - 1))
            relay.kill()
            relay.start()
        finish(traffic, count)
        assert sum(state.is_up for state in daemons["bank"].states) >= 4
        closing = [threading.Thread(target=job.link.close) for job in jobs.values()]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(LIMIT_S)
        until(lambda: not any(thread.is_alive() for thread in closing))
    finally:
        for daemon in daemons.values():
            daemon.link.stop()
        relay.kill()


@dataclass
class Line:
    """The bank reaches the relay through a proxy that can be cut; the tax bureau directly."""

    proxy: Proxy
    coordinator: Coordinator
    daemons: dict[str, Daemon]
    jobs: dict[str, Job]


@contextmanager
def line_through_proxy(authority: Authority, settings: LinkSettings) -> Iterator[Line]:
    with running_relay(authority, settings=settings) as coordinator:
        proxy = Proxy(coordinator.address)
        addresses = {"bank": proxy.address, "tax": coordinator.address}
        daemons = {
            name: start_daemon(name, address, authority.issue(name), settings=settings)
            for name, address in addresses.items()
        }
        for daemon in daemons.values():
            daemon.wait_up()
        yield Line(proxy, coordinator, daemons, attach_all(daemons))
        for daemon in daemons.values():
            daemon.link.stop()
        proxy.close()


@pytest.fixture
def line(authority: Authority) -> Iterator[Line]:
    with line_through_proxy(authority, QUICK) as line:
        yield line


def test_a_line_may_be_cut_again_and_again(line: Line) -> None:
    proxy, jobs = line.proxy, line.jobs
    count = 400
    traffic = mixed_traffic(jobs, count, pace_s=0.004)
    for _ in range(6):
        before = traffic[0].arrived
        until(lambda before=before: traffic[0].arrived > min(before + 40, count - 1))
        proxy.cut()
    finish(traffic, count)
    assert proxy.connections >= 4


def test_a_large_message_survives_a_cut_in_its_middle(line: Line) -> None:
    proxy, jobs = line.proxy, line.jobs
    message = random.Random(5).randbytes(40_000_000)
    jobs["bank"].link.send("tax", [message])
    until(lambda: jobs["tax"].link.standing()["bank"][1].size_bytes > 5_000_000)
    proxy.cut()
    assert jobs["tax"].link.receive("bank", LIMIT_S) == message


def test_a_peer_that_falls_silent_is_noticed_at_both_ends(authority: Authority) -> None:
    with line_through_proxy(authority, replace(QUICK, dead_after_s=0.8)) as line:
        line.proxy.is_swallowing = True
        until(lambda: any("was silent for" in state.reason for state in line.daemons["bank"].states))
        until(lambda: line.coordinator.relay.connected() == {"tax"})
        line.jobs["bank"].link.send("tax", [b"said into the void"])
        line.proxy.is_swallowing = False
        line.proxy.cut()
        assert line.jobs["tax"].link.receive("bank", LIMIT_S) == b"said into the void"


def test_keepalive_alone_notices_a_black_hole_too(authority: Authority) -> None:
    """Our heartbeats are set aside: gRPC ignores misspelt options, so these are held to their effect."""
    patient = LinkSettings(
        heartbeat_s=60, dead_after_s=600, back_off_s=(0.05,), keepalive_time_ms=1000, keepalive_timeout_ms=500
    )
    with running_relay(authority, settings=patient) as coordinator:
        proxy = Proxy(coordinator.address)
        bank = start_daemon("bank", proxy.address, authority.issue("bank"), settings=patient)
        bank.wait_up()
        proxy.is_swallowing = True
        until(lambda: not bank.link.state.is_up)
        until(lambda: coordinator.relay.connected() == set())
        proxy.is_swallowing = False
        proxy.cut()
        bank.wait_up()
        bank.link.stop()
        proxy.close()


def test_coming_back_is_quick_and_then_patient(authority: Authority) -> None:
    bank = start_daemon("bank", "127.0.0.1:9", authority.issue("bank"))
    until(lambda: bank.states)
    state = bank.states[-1]
    assert not state.is_up
    assert "cannot be reached" in state.reason
    assert state.remedy
    bank.link.stop()
    assert LinkSettings().back_off_s == (0.2, 1.0, 3.0)


def test_frames_the_relay_loses_without_a_broken_line_are_sent_again(authority: Authority) -> None:
    quick = FlowLimits(resend_after_s=0.2)
    with running_relay(authority) as coordinator:
        bank = start_daemon("bank", coordinator.address, authority.issue("bank"))
        bank.wait_up()
        job = attach_job(bank.board, "bank", NAMES, limits=quick)
        sent: list[bytes] = []
        bank.board.send = lambda frame: (sent.append(frame), bank.link.send_frame(frame))  # type: ignore[assignment, return-value]
        job.link.send("tax", [b"nobody is there yet"])
        until(lambda: len(sent) > 1, "it is sent again")
        tax = start_daemon("tax", coordinator.address, authority.issue("tax"))
        tax.board.expect(bytes(range(16)), 0)
        tax.wait_up()
        other = attach_job(tax.board, "tax", NAMES, limits=quick)
        assert other.link.receive("bank", LIMIT_S) == b"nobody is there yet"
        for daemon in (bank, tax):
            daemon.link.stop()
