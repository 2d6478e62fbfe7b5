"""Job processes' links, joined by switchboards without a network between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from saferoom.channel.codec import encode
from saferoom.channel.session import Session
from saferoom.errors import CancelledError, PeerError, PeerTimeout, UsageError
from saferoom.link.frames import OVERHEAD_BYTES, FrameHeader, Kind, Reason, parse_header
from saferoom.link.pipe import Pipe
from saferoom.link.settings import FlowLimits
from saferoom.link.switchboard import Switchboard
from tests.link_helpers import JOB_ID, Job, attach_job
from tests.waiting import LIMIT_S, until, until_still

MIB = 1 << 20


class Wire:
    """Switchboards whose frames reach each other at once, or are swallowed."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.is_down = False
        self.muted = ""
        self.frames: list[bytes] = []
        self.boards = {name: Switchboard(name, self.carry) for name in names}
        for board in self.boards.values():
            board.expect(JOB_ID, 0)
            board.link_up()

    def carry(self, frame: bytes) -> None:
        self.frames.append(frame)
        header = parse_header(frame)
        if not self.is_down and header.sender != self.muted:
            self.boards[header.receiver].deliver(frame)

    def come_up(self) -> None:
        """After `is_down`: both daemons notice that the line was broken and is whole again."""
        self.is_down = False
        for board in self.boards.values():
            board.link_down("test")
            board.link_up()

    def job(self, name: str, limits: FlowLimits | None = None) -> Job:
        return attach_job(self.boards[name], name, self.names, limits=limits or FlowLimits())


@pytest.fixture
def wire() -> Iterator[Wire]:
    yield Wire(["a", "b"])


def test_messages_of_all_sizes_arrive_whole_and_in_order(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    messages = [os.urandom(size) for size in (0, 1, 100, 65_000, MIB, MIB - 120, MIB - 119, 3, 5 * MIB, 0)]
    for message in messages:
        a.link.send("b", [message[: len(message) // 3], message[len(message) // 3 :]])
    for message in messages:
        assert b.link.receive("a", LIMIT_S) == message


def test_both_may_send_8_mb_before_either_receives(wire: Wire) -> None:
    jobs = {"a": wire.job("a"), "b": wire.job("b")}
    message = os.urandom(8 * MIB)
    wire.is_down = True  # Whoever waited for the peer would wait for ever.
    for me, peer in (("a", "b"), ("b", "a")):
        jobs[me].link.send(peer, [message])
    wire.come_up()
    assert jobs["a"].link.receive("b", LIMIT_S) == message
    assert jobs["b"].link.receive("a", LIMIT_S) == message


def test_a_session_speaks_over_it(wire: Wire) -> None:
    sessions = {name: Session(wire.job(name).link, ["a", "b"], timeout_s=LIMIT_S) for name in "ab"}
    values = np.arange(300_000, dtype=np.uint64)
    sessions["a"].disclose("numbers", "b", values, kind="test")
    (got,) = sessions["b"].receive("a", "numbers")
    np.testing.assert_array_equal(got, values)


def test_nothing_of_the_plain_text_passes_the_daemon(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    a.link.send("b", [b"91350100M000100Y43" * 10_000])
    b.link.receive("a", LIMIT_S)
    assert not any(b"91350100M000100Y43" in frame for frame in wire.frames)


def test_what_is_lost_while_the_line_is_down_comes_when_it_is_up(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    a.link.send("b", [b"one"])
    assert b.link.receive("a", LIMIT_S) == b"one"
    wire.is_down = True
    for number in range(50):
        a.link.send("b", [bytes([number]) * 100_000])
        b.link.send("a", [bytes([number])])
    until_still(lambda: len(wire.frames))
    wire.come_up()
    for number in range(50):
        assert b.link.receive("a", LIMIT_S) == bytes([number]) * 100_000
        assert a.link.receive("b", LIMIT_S) == bytes([number])


def test_a_lost_frame_is_sent_again_without_any_hint(wire: Wire) -> None:
    quick = FlowLimits(resend_after_s=0.1)
    a, b = wire.job("a", quick), wire.job("b", quick)
    a.link.send("b", [b"first"])
    b.link.receive("a", LIMIT_S)
    wire.is_down = True
    for number in range(5):
        a.link.send("b", [bytes([number])])
    wire.is_down = False
    for number in range(5):
        assert b.link.receive("a", LIMIT_S) == bytes([number])


def test_a_late_process_gets_what_was_sent_before_it_started(wire: Wire) -> None:
    a = wire.job("a")
    a.link.send("b", [b"early"])
    until(lambda: wire.frames, "it has left")
    b = wire.job("b")
    assert b.link.receive("a", LIMIT_S) == b"early"


def test_an_unknown_job_fails_the_sender_at_once() -> None:
    wire = Wire(["a", "b"])
    wire.boards["b"].forget(JOB_ID, 0)
    a = wire.job("a")
    with pytest.raises(PeerError, match="does not know this job") as caught:
        a.link.receive("b", LIMIT_S)
    assert caught.value.party == "b"
    with pytest.raises(PeerError):
        a.link.send("b", [b"more"])


def test_a_process_that_dies_fails_its_peers_at_once(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    b.link.send("a", [b"hello"])
    a.link.receive("b", LIMIT_S)
    b.pipe.close()
    with pytest.raises(PeerError, match="failed there"):
        a.link.receive("b", LIMIT_S)
    until(lambda: b.ended == [False])


def test_an_abort_reaches_all_peers(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    b.link.send("a", [b"ready"])
    a.link.receive("b", LIMIT_S)
    a.link.abort(Reason.CANCELLED)
    with pytest.raises(CancelledError):
        b.link.receive("a", LIMIT_S)
    with pytest.raises(CancelledError):
        a.link.send("b", [b""])


def test_a_process_that_starts_after_its_peer_failed_is_told_so(wire: Wire) -> None:
    a = wire.job("a")
    a.pipe.close()
    until(lambda: a.ended == [False])
    b = wire.job("b")
    with pytest.raises(PeerError, match="failed there"):
        b.link.receive("a", LIMIT_S)


def test_a_daemon_that_goes_away_fails_the_job() -> None:
    wire = Wire(["a", "b"])
    a = wire.job("a")
    a.port.close()
    with pytest.raises(PeerError):
        a.link.receive("b", LIMIT_S)


def test_close_waits_for_the_acknowledgement_and_the_peer_still_reads(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    a.link.send("b", [bytes(6 * MIB)])
    a.link.close(LIMIT_S)
    assert a.ended == []
    assert len(b.link.receive("a", LIMIT_S)) == 6 * MIB
    with pytest.raises(PeerError, match="nothing more"):
        b.link.receive("a", LIMIT_S)


def test_close_waits_for_an_empty_message_behind_a_full_window(wire: Wire) -> None:
    limits = FlowLimits(frame_bytes=400, window_bytes=400)
    a, b = wire.job("a", limits), wire.job("b", limits)
    for _ in range(20):
        a.link.send("b", [bytes(400 - OVERHEAD_BYTES)])
        a.link.send("b", [b""])
    a.link.close(LIMIT_S)
    assert [len(b.link.receive("a", LIMIT_S)) for _ in range(40)] == [400 - OVERHEAD_BYTES, 0] * 20


def test_close_gives_up_on_a_peer_that_takes_nothing(wire: Wire) -> None:
    a = wire.job("a")
    a.link.send("b", [b"unheard"])
    with pytest.raises(PeerTimeout) as caught:
        a.link.close(0.2)
    assert caught.value.party == "b"


def test_a_job_that_ended_well_acknowledges_from_the_grave(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    a.link.send("b", [b"first"])
    b.link.receive("a", LIMIT_S)
    wire.muted = "b"
    a.link.send("b", [b"last word"])
    b.link.receive("a", LIMIT_S)
    b.link.close(1)
    b.pipe.close()
    until(lambda: b.ended == [True])
    with pytest.raises(PeerTimeout):
        a.link.wait_unsent_below(1, 0.05)
    wire.muted = ""
    wire.boards["a"].link_down("test")
    wire.boards["a"].link_up()
    a.link.close(LIMIT_S)


def test_services_pass_both_ways_also_after_the_goodbye(wire: Wire) -> None:
    heard: list[tuple[int, bytes]] = []
    ours, theirs = Pipe.pair()
    port = wire.boards["a"].attach(
        JOB_ID,
        0,
        ours,
        on_service=lambda kind, payload: heard.append((kind, payload)),
        on_ended=lambda _well: None,
    )
    from saferoom.link.job.joblink import JobLink

    said: list[tuple[int, bytes]] = []
    link = JobLink(theirs, "a", JOB_ID, 0, {}, on_service=lambda kind, payload: said.append((kind, payload)))
    port.send_service(16, b"question")
    link.send_service(17, b"progress")
    until(lambda: said == [(16, b"question")])
    link.close()
    link.send_service(18, b"result")
    until(lambda: heard == [(17, b"progress"), (18, b"result")])
    with pytest.raises(UsageError):
        link.send_service(3, b"")


def labelled(step: str, size: int) -> list[bytes | bytearray | memoryview]:
    return encode(step, [np.zeros(size, dtype=np.uint8)])


def test_an_outbox_past_its_cap_names_the_step() -> None:
    wire = Wire(["a", "b"])
    a = wire.job("a", FlowLimits(outbox_cap_bytes=3 * MIB))
    with pytest.raises(PeerError) as caught:
        for _ in range(10):
            a.link.send("b", labelled("train/pass=3", MIB))
    assert caught.value.step == "train/pass=3"
    assert caught.value.party == "b"


def test_an_inbox_past_its_cap_names_the_step() -> None:
    wire = Wire(["a", "b"])
    a = wire.job("a")
    b = wire.job("b", FlowLimits(inbox_cap_bytes=6 * MIB))
    for _ in range(10):
        a.link.send("b", labelled("align/tokens", MIB))

    def refusal() -> PeerError | None:
        try:
            b.link.send("a", [b""])
        except PeerError as error:
            return error
        return None

    error = until(refusal)
    assert error is not None
    assert (error.party, error.step) == ("a", "align/tokens")


def test_a_message_larger_than_the_inbox_is_refused_before_it_is_stored() -> None:
    wire = Wire(["a", "b"])
    a, b = wire.job("a"), wire.job("b", FlowLimits(inbox_cap_bytes=MIB))
    a.link.send("b", [bytes(20 * MIB)])
    with pytest.raises(PeerError, match="inbox holds"):
        b.link.receive("a", LIMIT_S)


def test_a_dealer_stops_running_ahead_of_a_party_that_does_not_read() -> None:
    wire = Wire(["a", "b"])
    limits = FlowLimits(inbox_pause_bytes=8 * MIB)
    a, b = wire.job("a", limits), wire.job("b", limits)
    dealt: list[int] = []

    def deal() -> None:
        for number in range(60):
            a.link.wait_unsent_below(4 * MIB, LIMIT_S)
            a.link.send("b", [bytes([number]) * MIB])
            dealt.append(number)

    dealer = threading.Thread(target=deal)
    dealer.start()
    until_still(lambda: len(dealt))
    for number in range(60):
        assert len(dealt) < number + 30, "the dealer did not stop"
        assert b.link.receive("a", LIMIT_S)[0] == number
    dealer.join()


def test_receive_gives_up_after_its_time_and_says_that_the_line_is_down(wire: Wire) -> None:
    a = wire.job("a")
    with pytest.raises(PeerTimeout) as caught:
        a.link.receive("b", 0.05)
    assert caught.value.party == "b"
    wire.boards["a"].link_down("somebody pulled the plug")

    def complaint() -> str:
        with pytest.raises(PeerTimeout) as caught:
            a.link.receive("b", 0.05)
        return str(caught.value)

    until(lambda: "pulled the plug" in complaint())


LIVELY = FlowLimits(alive_every_s=0.05)
SILENT_S, LONGER = 3.0, 80
"""When a peer of which nothing is heard is given up; and so many signs of life take longer than that."""
COMPUTES = f"""
import sys, time
from saferoom.link.job.joblink import JobLink
from saferoom.link.pipe import Pipe
from saferoom.link.settings import FlowLimits
from tests.link_helpers import JOB_ID, job_keys
limits = FlowLimits(alive_every_s={LIVELY.alive_every_s}, inbox_pause_bytes=0)
link = JobLink(Pipe.from_fileno(int(sys.argv[1])), "b", JOB_ID, 0, job_keys("b", ["a", "b"]), limits=limits)
time.sleep({LIMIT_S})
"""
"""A job process that has much to do before it says anything."""


@pytest.fixture
def computing(wire: Wire) -> Iterator[subprocess.Popen[bytes]]:
    """`b` as a process of its own, whose frames have begun to come."""
    ours, theirs = Pipe.pair()
    wire.boards["b"].attach(JOB_ID, 0, ours, on_service=lambda *_: None, on_ended=lambda _: None)
    process = subprocess.Popen(
        [sys.executable, "-c", COMPUTES, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    )
    theirs.close_fd()
    until(lambda: signs_of(wire, "b") > 0)
    yield process
    process.kill()
    process.wait()


def signs_of(wire: Wire, name: str) -> int:
    return sum(parse_header(frame).sender == name for frame in list(wire.frames))


class Waiting:
    """A receive under way in a thread."""

    def __init__(self, job: Job, timeout_s: float) -> None:
        self.error: PeerError | None = None
        self._thread = threading.Thread(target=self._receive, args=(job, timeout_s), daemon=True)
        self._thread.start()

    def _receive(self, job: Job, timeout_s: float) -> None:
        try:
            job.link.receive("b", timeout_s)
        except PeerError as error:
            self.error = error

    def end(self) -> PeerError | None:
        self._thread.join(LIMIT_S)
        return self.error


def test_a_peer_that_computes_is_waited_for_and_one_that_is_frozen_is_not(
    wire: Wire, computing: subprocess.Popen[bytes]
) -> None:
    a = wire.job("a", LIVELY)
    waiting = Waiting(a, SILENT_S)
    seen = signs_of(wire, "b")
    until(lambda: signs_of(wire, "b") > seen + LONGER)
    assert waiting.error is None
    computing.send_signal(signal.SIGSTOP)
    error = waiting.end()
    assert isinstance(error, PeerTimeout)
    assert error.party == "b" and "nothing came for 3 s" in error.message


def test_a_peer_that_is_alive_and_takes_nothing_is_waited_for_as_well(
    wire: Wire, computing: subprocess.Popen[bytes]
) -> None:
    """It reads its inbox when it has computed: until then little is acknowledged."""
    a = wire.job("a", LIVELY)
    for _ in range(16):
        a.link.send("b", [bytes(MIB)])
    error: list[PeerError] = []

    def settle() -> None:
        try:
            a.link.settle(SILENT_S)
        except PeerError as caught:
            error.append(caught)

    thread = threading.Thread(target=settle, daemon=True)
    thread.start()
    seen = signs_of(wire, "b")
    until(lambda: signs_of(wire, "b") > seen + LONGER)
    assert not error
    computing.send_signal(signal.SIGSTOP)
    thread.join(LIMIT_S)
    assert isinstance(error[0], PeerTimeout) and "not everything was taken" in error[0].message


def test_a_limit_on_progress_is_kept_where_one_is_set(wire: Wire, computing: subprocess.Popen[bytes]) -> None:
    a = attach_job(wire.boards["a"], "a", wire.names, limits=LIVELY, most_wait_s=0.8)
    with pytest.raises(PeerTimeout, match=r"nothing came for 0\.8 s, though the peer is alive") as caught:
        a.link.receive("b", LIMIT_S)
    assert "progress_s" in caught.value.remedy


def test_a_peer_that_has_ended_is_told_nothing_more(wire: Wire) -> None:
    a, b = wire.job("a", LIVELY), wire.job("b", LIVELY)
    until(lambda: signs_of(wire, "a") > 5 and signs_of(wire, "b") > 5)
    b.link.close()
    until_still(lambda: signs_of(wire, "a"))
    with pytest.raises(PeerError, match="ended its part"):
        a.link.receive("b", LIMIT_S)


def test_a_party_outside_the_job_cannot_disturb_it(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    for kind in Kind:
        wire.boards["a"].deliver(FrameHeader(kind, JOB_ID, 0, "mallory", "a").pack())
    b.link.send("a", [b"still here"])
    assert a.link.receive("b", LIMIT_S) == b"still here"


def test_strangers_are_not_peers(wire: Wire) -> None:
    a = wire.job("a")
    with pytest.raises(UsageError):
        a.link.send("mallory", [b""])
    with pytest.raises(UsageError):
        a.link.receive("mallory", 1)


def test_a_job_that_speaks_in_anothers_name_is_cut_off(wire: Wire) -> None:
    a = wire.job("a")
    for header in (
        FrameHeader(Kind.ABORT, JOB_ID, 0, "b", "a"),
        FrameHeader(Kind.ABORT, bytes(16), 0, "a", "b"),
    ):
        wire.frames.clear()
        a = wire.job("a")
        a.pipe.send(0, header.pack())
        until(lambda a=a: a.ended == [False])
        assert header.pack() not in wire.frames


def test_sending_a_large_array_does_not_copy_it(wire: Wire) -> None:
    a, b = wire.job("a"), wire.job("b")
    a.link.send("b", [b"warm"])
    b.link.receive("a", LIMIT_S)
    wire.is_down = True
    wire.frames = _Forgetful()
    array = np.zeros(64 * MIB, dtype=np.uint8)
    tracemalloc.start()
    try:
        a.link.send("b", encode("big", [array]))
        until_still(lambda: a.link.standing()["b"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * MIB


class _Forgetful(list[bytes]):
    def append(self, _frame: bytes) -> None:
        """Keep nothing."""
