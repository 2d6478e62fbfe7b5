"""Who reads a job's pipe: the thread that waits, and a thread of its own while none does."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from saferoom.errors import CancelledError, PeerError
from saferoom.link.cipher import FlowKeys
from saferoom.link.job.joblink import JobLink
from saferoom.link.job.reading import PipeReader
from saferoom.link.pipe import FIRST_SERVICE_KIND, Pipe, PipeClosedError, PipeKind
from tests.link_helpers import JOB_ID
from tests.waiting import LIMIT_S, until

KEYS = {"a": bytes([1]) * 32, "b": bytes([2]) * 32}


class Ends:
    """The daemon's end of a pipe, and a reader at the other that notes which thread read what."""

    def __init__(self) -> None:
        self.daemon, self.pipe = Pipe.pair()
        self.read: list[tuple[str, bytes]] = []
        self.somebody_waits = False
        self.reader = PipeReader(self.pipe, self._note, lambda: self.somebody_waits)

    def _note(self, _kind: int, payload: bytes) -> None:
        self.read.append((threading.current_thread().name, payload))

    def stand_in(self) -> threading.Thread:
        def run() -> None:
            try:
                while not self.somebody_waits:
                    self.reader.stand_in()
            except PipeClosedError:
                return

        thread = threading.Thread(target=run, name="own", daemon=True)
        thread.start()
        return thread


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.daemon.close()


def test_a_thread_that_waits_reads_for_itself(ends: Ends) -> None:
    ends.daemon.send(16, b"one")
    assert ends.reader.take_turn()
    ends.reader.read(LIMIT_S)
    assert ends.read == [(threading.current_thread().name, b"one")]


def test_only_one_thread_has_the_turn_until_it_has_read(ends: Ends) -> None:
    assert ends.reader.take_turn()
    assert not ends.reader.take_turn()
    ends.reader.read(0.01)
    assert ends.read == []
    assert ends.reader.take_turn(), "given back though nothing came"


def test_the_turn_is_given_back_when_reading_fails(ends: Ends) -> None:
    ends.daemon.close()
    assert ends.reader.take_turn()
    with pytest.raises(PipeClosedError):
        ends.reader.read(LIMIT_S)
    assert ends.reader.take_turn()


def test_while_nobody_waits_the_readers_own_thread_drains_the_pipe(ends: Ends) -> None:
    ends.stand_in()
    for number in range(100):
        ends.daemon.send(16, bytes([number]))
    until(lambda: len(ends.read) == 100)
    assert ends.read == [("own", bytes([number])) for number in range(100)]


def test_the_readers_own_thread_steps_back_for_somebody_who_waits(ends: Ends) -> None:
    thread = ends.stand_in()
    ends.daemon.send(16, b"one")
    until(lambda: ends.read)
    ends.somebody_waits = True
    ends.daemon.send(16, b"two")
    thread.join(LIMIT_S)
    assert ends.reader.take_turn()
    ends.reader.read(0.0)
    ends.daemon.send(16, b"three")
    assert ends.reader.take_turn()
    ends.reader.read(LIMIT_S)
    assert [payload for _, payload in ends.read] == [b"one", b"two", b"three"]
    assert ends.read[-1][0] == threading.current_thread().name


# -- in a job's link ---------------------------------------------------------------------------------


class Pair:
    """Two jobs' links whose daemons are two threads."""

    def __init__(self) -> None:
        self.daemons: dict[str, Pipe] = {}
        self.links: dict[str, JobLink] = {}
        self.said: dict[str, list[bytes]] = {"a": [], "b": []}
        for me, peer in (("a", "b"), ("b", "a")):
            self.daemons[me], pipe = Pipe.pair()
            keys = {peer: FlowKeys(KEYS[me], KEYS[peer])}
            said = self.said[me]
            self.links[me] = JobLink(
                pipe, me, JOB_ID, 0, keys, on_service=lambda _kind, payload, said=said: said.append(payload)
            )
        for me, peer in (("a", "b"), ("b", "a")):
            threading.Thread(target=self._carry, args=(me, peer), daemon=True).start()

    def _carry(self, me: str, peer: str) -> None:
        try:
            while True:
                kind, payload = self.daemons[me].receive()
                if kind == PipeKind.FRAME:
                    self.daemons[peer].post(kind, payload)
                elif kind == PipeKind.ATTACH:
                    self.daemons[me].post(PipeKind.LINK_UP)
                elif kind >= FIRST_SERVICE_KIND:
                    self.daemons[me].post(kind, b"answer to " + payload)
        except PeerError:
            return


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    for pipe in pair.daemons.values():
        pipe.close()


def test_answers_of_the_daemon_come_between_messages(pair: Pair) -> None:
    a, b = pair.links["a"], pair.links["b"]
    for number in range(200):
        b.send("a", [bytes([number])])
        a.send_service(16, bytes([number]))
        assert a.wait_for(lambda number=number: len(pair.said["a"]) == number + 1, LIMIT_S)
        assert a.receive("b", LIMIT_S) == bytes([number])
    assert pair.said["a"] == [b"answer to " + bytes([number]) for number in range(200)]
    assert not a.wait_for(lambda: len(pair.said["a"]) > 200, 0.01)


def test_several_threads_may_wait_at_once(pair: Pair) -> None:
    """One of them reads, and what it reads may be for the others."""
    a, b = pair.links["a"], pair.links["b"]
    rounds = 300

    def ask(number: int) -> bool:
        a.send_service(16, bytes([number]))
        wanted = b"answer to " + bytes([number])
        return a.wait_for(lambda: wanted in pair.said["a"], LIMIT_S)

    def echo() -> None:
        for _ in range(rounds):
            b.send("a", [b.receive("a", LIMIT_S)])

    def talk() -> None:
        for number in range(rounds):
            message = os.urandom(1 + number * 37 % 5000)
            a.send("b", [message])
            assert a.receive("b", LIMIT_S) == message

    with ThreadPoolExecutor(8) as pool:
        talking, echoing = pool.submit(talk), pool.submit(echo)
        assert all(pool.map(ask, range(200)))
        talking.result(LIMIT_S)
        echoing.result(LIMIT_S)


def test_whoever_waits_hears_that_the_daemon_is_gone(pair: Pair) -> None:
    a = pair.links["a"]
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(a.receive, "b", LIMIT_S) for _ in range(2)]
        waiting.append(pool.submit(a.wait_for, lambda: False, LIMIT_S))
        pair.daemons["a"].close()
        for future in waiting:
            with pytest.raises(PipeClosedError):
                future.result(LIMIT_S)


def test_whoever_waits_hears_that_another_thread_ended_the_job(pair: Pair) -> None:
    a = pair.links["a"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(a.receive, "b", LIMIT_S)
        a.abort()
        with pytest.raises(CancelledError, match="ended at this node"):
            waiting.result(LIMIT_S)
