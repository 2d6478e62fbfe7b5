"""The relay's book: one chain a flow, cut at marks, of the jobs that are under way and no others."""

from __future__ import annotations

import random

import pytest

from saferoom.link.cipher import FlowSealer, SealedFrame
from saferoom.link.frames import Flag, parse_header
from saferoom.link.relay.flow_book import STRAGGLERS_S, FlowBook, FlowCut
from saferoom.link.transcript import Transcript, frame_digest

JOB = bytes(range(16))
WHOLE = Flag.FIRST | Flag.LAST
FLAGS = [WHOLE, Flag.FIRST, Flag.NONE, Flag.LAST, WHOLE | Flag.MARK, WHOLE, WHOLE | Flag.MARK]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def sealed(flags: list[Flag], sender: str = "bank", receiver: str = "tax") -> list[SealedFrame]:
    sealer = FlowSealer(bytes(32), JOB, 1, sender, receiver)
    return [sealer.seal(bytes([number]) * 50, flag) for number, flag in enumerate(flags)]


def put(book: FlowBook, frame: SealedFrame, acknowledged: int = 0) -> bool:
    data = b"".join(frame.parts(acknowledged))
    return book.add(parse_header(data), len(data), frame_digest(data))


@pytest.fixture
def refusals() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def book(refusals: list[tuple[str, str]]) -> FlowBook:
    book = FlowBook(Clock())
    book.on_refused = lambda sender, reason: refusals.append((sender, reason))
    book.open(JOB.hex(), 1, ["bank", "tax"])
    return book


def chain(frames: list[SealedFrame], flags: list[Flag]) -> Transcript:
    transcript = Transcript()
    for frame, flag in zip(frames, flags, strict=True):
        transcript.add(flag, frame.size_bytes, frame_digest(b"".join(frame.parts(0))))
    return transcript


def test_marks_cut_a_flow_and_each_cut_counts_from_the_beginning(book: FlowBook) -> None:
    frames = sealed(FLAGS)
    assert all(put(book, frame) for frame in frames)
    said = [chain(frames[:end], FLAGS[:end]).said() for end in (4, 6)]
    assert [one.messages for one in said] == [2, 3]
    assert book.take() == [FlowCut(JOB.hex(), "bank", "tax", number, said[number]) for number in (0, 1)]
    assert book.take() == book.close(JOB.hex(), 1) == []


@pytest.mark.parametrize("seed", range(5))
def test_order_repeats_and_acknowledgements_change_nothing(book: FlowBook, seed: int) -> None:
    frames, orderly = sealed(FLAGS), FlowBook(Clock())
    orderly.open(JOB.hex(), 1, ["bank", "tax"])
    for frame in frames:
        put(orderly, frame)
    mixed = frames * 2
    random.Random(seed).shuffle(mixed)
    for number, frame in enumerate(mixed):
        put(book, frame, acknowledged=number)
    assert book.take() == orderly.take()


def test_other_bytes_give_another_transcript(book: FlowBook) -> None:
    frames = sealed([WHOLE, WHOLE | Flag.MARK])
    changed = SealedFrame(0, frames[0].head, bytes([frames[0].body[0] ^ 1]) + frames[0].body[1:], 170)
    put(book, changed)
    put(book, frames[1])
    (cut,) = book.take()
    assert cut.said.messages == 1 and cut.said.digest != chain(frames[:1], [WHOLE]).said().digest


def test_what_no_mark_covers_is_the_rest_of_a_closed_job(book: FlowBook) -> None:
    frames = sealed([WHOLE, WHOLE | Flag.MARK, WHOLE, WHOLE])
    for frame in frames:
        put(book, frame)
    marked, rest = book.close(JOB.hex(), 1)
    assert (marked.number, marked.said.messages, marked.is_rest) == (0, 1, False)
    assert (rest.number, rest.said.messages, rest.is_rest) == (1, 3, True)


def test_a_replayed_job_is_refused_once_and_never_passed_on(
    book: FlowBook, refusals: list[tuple[str, str]]
) -> None:
    frames, clock = sealed(FLAGS), book._clock
    for frame in frames:
        assert put(book, frame)
    book.close(JOB.hex(), 1)
    assert not any(put(book, frame) for frame in frames) and not refusals, "stragglers, in silence"
    clock.now += STRAGGLERS_S  # type: ignore[attr-defined]
    assert not any(put(book, frame) for frame in frames)
    assert refusals == [("bank", "it sent frames of a job that it has no part in now")]


def test_strangers_to_a_job_and_unknown_jobs_are_refused(
    book: FlowBook, refusals: list[tuple[str, str]]
) -> None:
    assert not put(book, sealed([WHOLE], sender="power")[0])
    assert not put(book, sealed([WHOLE], receiver="power")[0])
    assert not put(FlowBook(), sealed([WHOLE])[0])
    assert [sender for sender, _ in refusals] == ["power", "bank"]
