"""The pipe: messages of any size, both ways, across processes; a daemon never waits on it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from saferoom.errors import PeerError
from saferoom.link import pipe as pipe_module
from saferoom.link.pipe import Pipe, PipeClosedError
from tests.waiting import LIMIT_S, until

CHILD = """
import sys
from saferoom.link.pipe import Pipe, PipeClosedError
from tests.waiting import until
pipe = Pipe.from_fileno(int(sys.argv[1]))
try:
    while True:
        kind, payload = pipe.receive()
        pipe.send(kind + 1, payload[::-1])
except PipeClosedError:
    sys.exit(7)
"""


def test_a_child_process_answers_on_the_descriptor_it_was_given() -> None:
    ours, theirs = Pipe.pair()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    ) as child:
        theirs.close_fd()
        for payload in (b"", b"abc", os.urandom(5_000_000)):
            ours.send(20, payload)
            assert ours.receive() == (21, payload[::-1])
        ours.close()
        assert child.wait(LIMIT_S) == 7


def test_the_end_of_the_other_process_is_noticed() -> None:
    ours, theirs = Pipe.pair()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    ) as child:
        theirs.close_fd()
        child.kill()
        with pytest.raises(PipeClosedError):
            ours.receive()


def test_posting_never_waits_and_loses_nothing() -> None:
    ours, theirs = Pipe.pair()
    # Nobody reads yet: whoever waited here would wait for ever.
    payloads = [os.urandom(1_000_000 + number) for number in range(20)]
    for payload in payloads:
        ours.post(0, payload)
    ours.post(17, b"service")
    assert [theirs.receive() for _ in payloads] == [(0, payload) for payload in payloads]
    assert theirs.receive() == (17, b"service")
    ours.post(0, b"after")
    assert theirs.receive() == (0, b"after")


def test_a_process_that_does_not_read_is_given_up_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe_module, "BACKLOG_CAP_BYTES", 3_000_000)
    ours, _theirs = Pipe.pair()
    with pytest.raises(PeerError, match="unread"):
        for _ in range(100):
            ours.post(0, bytes(1_000_000))


def test_many_threads_write_whole_messages() -> None:
    ours, theirs = Pipe.pair()
    count, size = 50, 40_000

    def work(mark: int) -> None:
        for _ in range(count):
            ours.send(mark, bytes([mark]) * size)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    got = [theirs.receive() for _ in range(4 * count)]
    for thread in threads:
        thread.join()
    assert all(payload == bytes([kind]) * size for kind, payload in got)


def test_a_length_that_cannot_be_is_refused() -> None:
    ours, theirs = socket.socketpair()
    ours.sendall(b"\x00\xff\xff\xff\xff")
    with ours, pytest.raises(PeerError, match="limit"):
        Pipe.from_fileno(theirs.detach()).receive()


def test_closing_wakes_our_own_reader() -> None:
    ours, _theirs = Pipe.pair()
    woken: list[bool] = []

    def read() -> None:
        with pytest.raises(PipeClosedError):
            ours.receive()
        woken.append(True)

    thread = threading.Thread(target=read)
    thread.start()
    ours.close()
    until(lambda: woken)
    with pytest.raises(PipeClosedError):
        ours.post(0, b"late")
    thread.join()
