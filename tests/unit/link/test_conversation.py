"""The state of a conversation, without threads or clocks: whatever the network does, messages arrive
exactly once, in order, and never more than a window is under way."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saferoom.errors import CancelledError, PeerError, PeerFailedError, SafeRoomError, VerificationError
from saferoom.link.frames import OVERHEAD_BYTES, Flag, FrameHeader, Kind, Reason, parse_header
from saferoom.link.job.conversation import Conversation
from saferoom.link.settings import FlowLimits
from tests.link_helpers import pair_keys
from tests.property import examples

LIMITS = FlowLimits(frame_bytes=400, window_bytes=1600, inbox_pause_bytes=5000, inbox_cap_bytes=100_000)
JOB = (bytes(16), 0)


def conversations(limits: FlowLimits = LIMITS) -> tuple[Conversation, Conversation]:
    there, back = pair_keys("a", "b")
    return Conversation("a", "b", JOB, there, limits), Conversation("b", "a", JOB, back, limits)


def frames_of(sender: Conversation, now: float = 0.0) -> list[bytes]:
    frames = []
    while (parts := sender.next_frame(now)) is not None:
        frames.append(b"".join(parts))
    return frames


def feed(receiver: Conversation, frame: bytes, now: float = 0.0) -> None:
    receiver.on_frame(parse_header(frame), frame, now)


def read_all(receiver: Conversation) -> list[bytes]:
    messages = []
    while receiver.inbox:
        messages.append(bytes(receiver.read(0.0)))
    return messages


@examples(60)
@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=12),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.1, 0.4]),
)
@example(sizes=[2973, 0], seed=1, loss=0.4)
def test_messages_arrive_once_and_in_order_over_a_network_that_loses_repeats_and_reorders(
    sizes: list[int], seed: int, loss: float
) -> None:
    dice = random.Random(seed)
    a, b = conversations()
    sent = {side: [dice.randbytes(size) for size in sizes] for side in "ab"}
    for message in sent["a"]:
        a.put([message[:100], message[100:]])
    for message in sent["b"]:
        b.put([message])
    got: dict[str, list[bytes]] = {"a": [], "b": []}
    network: list[tuple[Conversation, bytes]] = []
    now = 0.0
    for _ in range(20_000):
        now += 0.5
        for me, peer in ((a, b), (b, a)):
            network += [(peer, frame) for frame in frames_of(me, now)]
            assert me.out.under_way_bytes <= LIMITS.window_bytes
            if me.must_acknowledge_now(now):
                network.append((peer, me.notice()))
            if (overdue := me.overdue_frame(now)) is not None:
                network.append((peer, b"".join(overdue)))
        dice.shuffle(network)
        for receiver, frame in [network.pop() for _ in range(min(len(network), 6))]:
            if dice.random() >= loss:
                feed(receiver, frame, now)
            if dice.random() < 0.1:
                network.append((receiver, frame))
        got["a"] += read_all(b)
        got["b"] += read_all(a)
        if a.out.is_taken and b.out.is_taken:
            break
    assert got == sent
    assert now < 10_000


def test_a_large_message_is_cut_into_frames_that_fit_and_comes_back_whole() -> None:
    limits = FlowLimits(frame_bytes=400, window_bytes=1 << 20)
    a, b = conversations(limits)
    message = random.Random(1).randbytes(10_000)
    a.put([message[:1], b"", message[1:4000], message[4000:]])
    frames = frames_of(a)
    assert max(map(len, frames)) == 400
    for frame in frames:
        feed(b, frame)
    assert read_all(b) == [message]


def test_four_full_frames_fill_the_default_window() -> None:
    limits = FlowLimits()
    a, _ = conversations(limits)
    a.put([bytes(16 << 20)])
    assert [len(frame) for frame in frames_of(a)] == [1 << 20] * 4


def test_the_window_closes_and_opens_with_acknowledgements() -> None:
    a, b = conversations()
    a.put([bytes(5000)])
    first = frames_of(a)
    assert sum(map(len, first)) <= LIMITS.window_bytes
    assert frames_of(a) == []
    feed(b, first[0])
    feed(a, b.notice())
    assert sum(map(len, frames_of(a))) == 400


def test_buffers_are_cut_lazily() -> None:
    a, _ = conversations()
    a.put([bytes(5000)])
    frames_of(a)
    assert a.out.under_way_bytes <= LIMITS.window_bytes
    assert a.out.unsealed_bytes > 5000 - LIMITS.window_bytes


def test_an_acknowledgement_goes_alone_after_20_ms_or_a_quarter_window_or_on_our_next_frame() -> None:
    a, b = conversations()
    a.put([b"x"])
    feed(b, frames_of(a)[0], now=10.0)
    assert not b.must_acknowledge_now(10.019)
    assert b.must_acknowledge_now(10.021)
    b.put([b"answer"])
    (answer,) = frames_of(b, 10.01)
    assert parse_header(answer).acknowledged == 1
    assert not b.must_acknowledge_now(11.0)
    a.put([bytes(5000)])
    feed(b, frames_of(a)[0], now=20.0)
    assert b.must_acknowledge_now(20.0)


def test_what_is_sent_again_is_the_same_ciphertext() -> None:
    a, _ = conversations()
    a.put([b"once"])
    first = frames_of(a)
    a.link_is_up(1.0)
    again = frames_of(a, 1.0)
    assert first == again


def test_a_peer_that_asks_gets_everything_unacknowledged_again() -> None:
    a, b = conversations()
    for number in range(3):
        a.put([bytes([number])])
    lost = frames_of(a)
    question = b.link_is_up(1.0)
    assert parse_header(question).flags & Flag.RESEND
    feed(a, question)
    assert frames_of(a) == lost


def test_without_any_acknowledgement_the_oldest_frame_is_sent_again_with_growing_waits() -> None:
    a, _ = conversations()
    a.put([bytes(1000)])
    (first, *_) = frames_of(a, 0.0)
    assert a.overdue_frame(1.9) is None
    times = []
    now = 0.0
    while now < 130:
        now += 0.1
        if (frame := a.overdue_frame(now)) is not None:
            assert b"".join(frame) == first
            times.append(now)
    waits = [round(later - earlier, 1) for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(4, abs=0.2)
    assert waits[-1] == pytest.approx(30, abs=0.2)


def test_on_a_slow_line_hardly_anything_is_sent_twice() -> None:
    """Each frame needs 7 s to be acknowledged: late, not lost."""
    a, b = conversations(FlowLimits(frame_bytes=400, window_bytes=1600))
    a.put([bytes(200 * 250)])
    now, twice, on_the_way = 0.0, 0, frames_of(a, 0.0)
    while not a.out.is_taken:
        now += 0.5
        twice += a.overdue_frame(now) is not None
        if now % 7 == 0:
            feed(b, on_the_way.pop(0), now)
            feed(a, b.notice(), now)
            on_the_way += frames_of(a, now)
    assert now > 1000
    assert twice <= 3


def test_a_sender_whose_messages_stay_unread_is_not_acknowledged_until_they_are_read() -> None:
    a, b = conversations()
    for _ in range(200):
        a.put([bytes(200)])
    delivered = 0
    for _ in range(100):
        frames = frames_of(a)
        delivered += len(frames)
        for frame in frames:
            feed(b, frame)
        feed(a, b.notice())
    assert b.unread_bytes <= LIMITS.inbox_pause_bytes + LIMITS.window_bytes
    assert delivered < 200
    while b.inbox:
        b.read(5.0)
    assert b.must_acknowledge_now(5.0)
    feed(a, b.notice())
    assert frames_of(a)


def test_one_message_larger_than_the_pause_still_gets_through() -> None:
    a, b = conversations()
    message = bytes(4 * LIMITS.inbox_pause_bytes)
    a.put([message])
    for _ in range(200):
        for frame in frames_of(a):
            feed(b, frame)
        feed(a, b.notice())
    assert read_all(b) == [message]


def test_after_a_goodbye_everything_is_acknowledged_and_waiting_for_more_fails() -> None:
    a, b = conversations()
    a.put([b"last"])
    feed(b, frames_of(a)[0])
    feed(a, b.goodbye())
    assert a.out.is_taken
    with pytest.raises(PeerError, match="nothing more"):
        a.check_not_ended()


def test_a_peer_that_ended_without_taking_everything_is_named() -> None:
    a, b = conversations()
    a.put([b"never taken"])
    frames_of(a)
    feed(a, b.goodbye())
    with pytest.raises(PeerError, match="without taking everything") as caught:
        a.check_not_ended()
    assert caught.value.party == "b"


def test_an_empty_message_that_waits_for_the_window_counts_as_not_sealed_and_not_taken() -> None:
    """It has no bytes: whoever counts those alone ends the job, or commits to what was said, without it."""
    a, b = conversations()
    full = bytes(
        4 * (LIMITS.frame_bytes - OVERHEAD_BYTES) - 8
    )  # exactly the window, with its length before it
    a.put([full])
    a.put([b""])
    frames = frames_of(a)
    assert a.out.under_way_bytes == LIMITS.window_bytes
    assert a.said is None
    for frame in frames:
        feed(b, frame)
    feed(a, b.notice())
    assert not a.out.outstanding_bytes
    assert a.said is None
    assert not a.out.is_taken
    feed(a, b.goodbye())
    with pytest.raises(PeerError, match="without taking everything"):
        a.check_not_ended()
    for frame in frames_of(a):
        feed(b, frame)
    feed(a, b.notice())
    assert a.out.is_taken
    assert a.said is not None
    assert a.said.messages == 2
    assert read_all(b) == [full, b""]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [(Reason.UNKNOWN_JOB, PeerError), (Reason.FAILED, PeerFailedError), (Reason.CANCELLED, CancelledError)],
)
def test_an_abort_names_the_peer(reason: Reason, kind: type[PeerError]) -> None:
    a, b = conversations()
    with pytest.raises(kind) as caught:
        feed(a, b.abort(reason))
    assert caught.value.party == "b"


def _replaced(frame: bytes, **fields: object) -> bytes:
    header = parse_header(frame)
    changed = {name: getattr(header, name) for name in FrameHeader.__slots__} | fields
    return FrameHeader(**changed).pack() + frame[104:]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda f: _replaced(f, acknowledged=99), PeerError),
        (lambda f: _replaced(f, flags=Flag.LAST), VerificationError),
        (lambda f: f[:-1] + bytes([f[-1] ^ 1]), VerificationError),
        (lambda f: f[:104], VerificationError),
    ],
    ids=["acknowledges the future", "flags", "tag", "no body"],
)
def test_a_forged_frame_ends_the_conversation(
    spoil: Callable[[bytes], bytes], error: type[SafeRoomError]
) -> None:
    a, b = conversations()
    a.put([b"message"])
    with pytest.raises(error) as caught:
        feed(b, spoil(frames_of(a)[0]))
    assert caught.value.party == "a"


def test_a_peer_that_sends_far_ahead_of_a_gap_is_stopped() -> None:
    limits = FlowLimits(frame_bytes=400, window_bytes=10_000)
    a, _ = conversations(limits)
    _, b = conversations(LIMITS)
    a.put([bytes(9000)])
    frames = frames_of(a)
    with pytest.raises(PeerError, match="ahead of frame 0"):
        for frame in frames[1:]:
            feed(b, frame)


def test_a_replayed_frame_is_dropped_and_acknowledged_again() -> None:
    a, b = conversations()
    a.put([b"one"])
    (frame,) = frames_of(a)
    feed(b, frame)
    read_all(b)
    b.notice()
    feed(b, frame, now=3.0)
    assert not b.inbox
    assert b.must_acknowledge_now(3.0)


def test_kinds_without_a_body_carry_no_authority_over_data() -> None:
    a, b = conversations()
    a.put([b"one"])
    frames_of(a)
    bare = FrameHeader(Kind.ACKNOWLEDGE, *JOB, "b", "a", sequence=0, acknowledged=0, flags=Flag.RESEND).pack()
    feed(a, bare)
    assert len(frames_of(a)) == 1
    assert not b.inbox
