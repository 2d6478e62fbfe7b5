"""Outsiders and replays: what belongs to no job under way goes nowhere, and the coordinator hears of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from saferoom.link.frames import HEADER_BYTES
from saferoom.link.relay.flow_book import STRAGGLERS_S, FlowBook
from tests.link_helpers import (
    JOB_ID,
    Authority,
    Daemon,
    Job,
    attach_all,
    running_relay,
    running_room,
    start_daemon,
)
from tests.waiting import LIMIT_S, until

NAMES = ["bank", "tax"]
NO_PART = "it sent frames of a job that it has no part in now"
Refusals = list[tuple[str, str]]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def refusals() -> Refusals:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(clock: Clock) -> FlowBook:
    book = FlowBook(clock)
    book.open(JOB_ID.hex(), 0, NAMES)
    return book


@pytest.fixture
def daemons(authority: Authority, book: FlowBook, refusals: Refusals) -> Iterator[dict[str, Daemon]]:
    def hear(party: str, reason: str) -> None:
        refusals.append((party, reason))

    with running_room(authority, NAMES, book=book, on_refused=hear) as (_, daemons):
        yield daemons


def recorded_job(daemons: dict[str, Daemon]) -> tuple[list[bytes], dict[str, Job]]:
    """Ten messages from bank to tax, and the frames that carried them as they left the bank."""
    send = daemons["bank"].link.send_frame
    corpus: list[bytes] = []

    def recording(frame: bytes) -> None:
        corpus.append(bytes(frame))
        send(frame)

    daemons["bank"].board.send = recording
    jobs = attach_all(daemons)
    for number in range(10):
        jobs["bank"].link.send("tax", [bytes([number])])
        assert bytes(jobs["tax"].link.receive("bank", LIMIT_S)) == bytes([number])
    return [frame for frame in corpus if len(frame) > HEADER_BYTES], jobs


def test_a_recorded_job_that_is_replayed_reaches_nobody_and_is_told(
    daemons: dict[str, Daemon], book: FlowBook, clock: Clock, refusals: Refusals
) -> None:
    corpus, _ = recorded_job(daemons)
    assert len(corpus) >= 10, "some may have been sent again"
    book.close(JOB_ID.hex(), 0)
    clock.now += STRAGGLERS_S
    reached: list[bytes] = []
    daemons["tax"].board.deliver = reached.append  # type: ignore[method-assign]
    for frame in corpus:
        daemons["bank"].link.send_frame(frame)
    until(lambda: refusals)
    assert refusals == [("bank", NO_PART)]
    assert not [frame for frame in reached if len(frame) > HEADER_BYTES]


def test_a_replay_within_its_job_changes_no_transcript(daemons: dict[str, Daemon], book: FlowBook) -> None:
    corpus, jobs = recorded_job(daemons)
    for frame in corpus * 2:
        daemons["bank"].link.send_frame(frame)
    # On the same stream, so it comes after them.
    jobs["bank"].link.send("tax", [b"last"])
    assert bytes(jobs["tax"].link.receive("bank", LIMIT_S)) == b"last"
    cuts = {(cut.sender, cut.receiver): cut.said.messages for cut in book.close(JOB_ID.hex(), 0)}
    assert cuts == {("bank", "tax"): 11}


def test_a_frame_in_anothers_name_is_told(daemons: dict[str, Daemon], refusals: Refusals) -> None:
    corpus, _ = recorded_job(daemons)
    daemons["tax"].link.send_frame(corpus[0])
    until(lambda: refusals)
    assert refusals[0] == ("tax", "it sent a frame in another's name")


def test_who_is_not_admitted_is_told(authority: Authority, refusals: Refusals) -> None:
    def hear(party: str, reason: str) -> None:
        refusals.append((party, reason))

    with running_relay(authority, allowed=lambda _party, _serial: False, on_refused=hear) as coordinator:
        daemon = start_daemon("water", coordinator.address, authority.issue("water"))
        try:
            until(lambda: refusals)
        finally:
            daemon.link.stop()
    assert set(refusals) == {("water", "it connected without being admitted")}
