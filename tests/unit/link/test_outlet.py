"""What waits in the relay: order, the emulated network, and giving credit back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from saferoom.link.credit import FRAME_COST_BYTES, CreditError, CreditMeter
from saferoom.link.frames import FrameHeader, Kind
from saferoom.link.relay.outlet import Line, Outlet
from saferoom.link.settings import NetworkEmulation


def test_an_emulated_line_delays_and_limits() -> None:
    line = Line(NetworkEmulation(latency_ms=20, mbit_per_s=8))
    assert line.arrival(100.0, 1_000_000) == pytest.approx(101.02)
    assert line.arrival(100.5, 500_000) == pytest.approx(101.52)
    assert line.arrival(200.0, 0) == pytest.approx(200.02)
    assert Line(NetworkEmulation(latency_ms=5)).arrival(1.0, 10**9) == pytest.approx(1.005)


def test_messages_leave_in_order_and_not_before_they_are_due() -> None:
    async def run() -> list[tuple[bytes, float]]:
        loop = asyncio.get_running_loop()
        outlet = Outlet(lambda _owner, _message: None)
        begin = loop.time()
        outlet.put(b"late", None, begin + 0.06)
        outlet.put(b"soon", None, begin + 0.02)
        for message in (b"1", b"2", b"3"):
            outlet.put(message, None)
        return [((await outlet.next())[0], loop.time() - begin) for _ in range(5)]

    got = asyncio.run(run())
    assert [message for message, _ in got] == [b"1", b"2", b"3", b"soon", b"late"]
    assert got[3][1] >= 0.02
    assert got[4][1] >= 0.06


def test_dropping_gives_the_owners_their_credit_back() -> None:
    released: list[tuple[Any, bytes]] = []
    outlet = Outlet(lambda owner, message: released.append((owner, message)))
    for owner, message in (("a", b"1"), ("b", b"22"), ("a", b"333")):
        outlet.put(message, owner)
    outlet.drop("a")
    assert released == [("a", b"1"), ("a", b"333")]
    assert outlet.waiting_bytes == 2
    outlet.drop()
    assert outlet.waiting_bytes == 0


def frame(job: int, size: int) -> bytes:
    return FrameHeader(Kind.DATA, bytes([job]) * 16, 0, "a", "b").pack() + bytes(size - 104)


def test_credit_is_counted_per_flow_and_in_all() -> None:
    meter = CreditMeter(1000, 2500 + 3 * FRAME_COST_BYTES)
    for job in (1, 2):
        meter.add(frame(job, 600))
        with pytest.raises(CreditError):
            meter.add(frame(job, 600))
    meter.add(frame(3, 900))
    with pytest.raises(CreditError):
        meter.add(frame(4, 600))
    meter.remove(frame(1, 600))
    meter.add(frame(4, 600))
    for job, size in ((2, 600), (3, 900), (4, 600)):
        meter.remove(frame(job, size))
    assert meter.total == 0
    assert not meter._flows
