"""What the relay turns away stands in the coordinator's own log, and cannot fill it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from saferoom.identity.register import Enrolled, Register
from saferoom.ids import COORDINATOR
from saferoom.link.relay.flow_book import FlowBook
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.refusals import AGAIN_S
from tests.adversary.test_audit_completeness import NO_PART, recorded_job
from tests.link_helpers import JOB_ID, Authority, Daemon, running_room, start_daemon
from tests.node_room import Nodes, opened_nodes
from tests.waiting import until

NAMES = ["bank", "tax"]
OTHER_NAME = "it sent a frame in another's name"
NOT_ADMITTED = "it connected without being admitted"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def corpus() -> list[bytes]:
    """The frames of a job between bank and tax, recorded on their way."""
    book = FlowBook()
    book.open(JOB_ID.hex(), 0, NAMES)
    with running_room(Authority(), NAMES, book=book) as (_, daemons):
        return recorded_job(daemons)[0]


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with opened_nodes(tmp_path) as nodes:
        yield nodes


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def coordinator(nodes: Nodes, clock: Clock) -> Coordinator:
    return Coordinator(nodes.cores[COORDINATOR], nodes.helper_keys, clock=clock)


@pytest.fixture
def address(coordinator: Coordinator) -> Iterator[str]:
    yield f"127.0.0.1:{coordinator.start()}"
    coordinator.stop()


def refused(nodes: Nodes) -> list[tuple[str, str]]:
    """(who, reason) of the coordinator's entries."""
    return [
        (event["actor"]["org"], event["reason"])
        for event in nodes.events(COORDINATOR)
        if (event["type"], event["outcome"]) == ("request.refused", "refused")
    ]


def connected(nodes: Nodes, name: str, address: str) -> Daemon:
    return start_daemon(name, address, nodes.cores[name].tls())


@pytest.mark.parametrize(("party", "reason"), [("bank", NO_PART), ("tax", OTHER_NAME)])
def test_what_is_replayed_is_in_the_log(
    nodes: Nodes, address: str, corpus: list[bytes], party: str, reason: str
) -> None:
    """By the sender of then, whose job is over, and by another in its name."""
    daemon = connected(nodes, party, address)
    try:
        daemon.wait_up()
        for frame in corpus:
            daemon.link.send_frame(frame)
        until(lambda: refused(nodes))
    finally:
        daemon.link.stop()
    assert refused(nodes) == [(party, reason)]


def test_who_was_put_out_is_in_the_log(nodes: Nodes, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its certificate is still of the room's authority, and it tries again and again."""
    tries, check = [], Register.check_admitted

    def counted(register: Register, node_id: str, serial: int) -> Enrolled:
        tries.append(node_id)
        return check(register, node_id, serial)

    monkeypatch.setattr(Register, "check_admitted", counted)
    core = nodes.cores[COORDINATOR]
    Register.load(core.home.register).without("tax", core.now()).save(core.home.register)
    daemon = connected(nodes, "tax", address)
    try:
        until(lambda: refused(nodes) and len(tries) > 1)
    finally:
        daemon.link.stop()
    assert refused(nodes) == [("tax", NOT_ADMITTED)]


def test_a_party_and_reason_stand_in_the_log_once_an_hour(
    coordinator: Coordinator, nodes: Nodes, clock: Clock
) -> None:
    said: list[tuple[str, str]] = []
    for now_s, party, reason, is_said in (
        (0.0, "tax", NO_PART, [NO_PART]),
        (0.0, "tax", NO_PART, []),
        (1.0, "bank", NO_PART, [NO_PART]),
        (2.0, "tax", OTHER_NAME, [OTHER_NAME]),
        (AGAIN_S - 1, "tax", NO_PART, []),
        (AGAIN_S, "tax", NO_PART, [f"{NO_PART} (and 2 times more)", NO_PART]),
        (AGAIN_S + 1, "bank", NO_PART, [NO_PART]),
        (2 * AGAIN_S - 1, "tax", NO_PART, []),
    ):
        clock.now_s = now_s
        coordinator.refusals.add(party, reason)
        said += [(party, each) for each in is_said]
        assert refused(nodes) == said
