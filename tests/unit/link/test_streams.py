"""Greetings, lanes, and control messages in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import PeerError, UsageError
from saferoom.link.transport import streams
from saferoom.link.transport.streams import (
    Control,
    ControlReader,
    Lane,
    down_lane,
    hello,
    read_hello,
    up_lane,
    wrap_control,
)


@given(st.lists(st.integers(0, 5_000_000), max_size=4))
def test_control_messages_of_any_size_come_back_whole_and_in_order(sizes: list[int]) -> None:
    reader = ControlReader()
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]
    got = []
    for message in messages:
        for piece in wrap_control(message):
            assert len(piece) <= (1 << 20) + 1
            got.append(reader.feed(bytes([Control.HEARTBEAT])))
            got.append(reader.feed(piece))
    assert [message for message in got if message is not None] == messages


def test_an_endless_control_message_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_CONTROL_BYTES", 3_000_000)
    with pytest.raises(UsageError):
        list(wrap_control(bytes(3_000_001)))
    reader = ControlReader()
    with pytest.raises(PeerError):
        for _ in range(10):
            reader.feed(bytes([Control.PART]) + bytes(1_000_000))


@pytest.mark.parametrize("piece", [b"", b"\x09hello"])
def test_garbage_on_the_control_stream_is_refused(piece: bytes) -> None:
    with pytest.raises(PeerError):
        ControlReader().feed(piece)


@pytest.mark.parametrize("greeting", [b"", bytes(17), b"\x02" + bytes(16), b"\x01" + bytes(15)])
def test_a_stream_begins_with_a_greeting_we_know(greeting: bytes) -> None:
    assert read_hello(hello(b"0123456789abcdef")) == b"0123456789abcdef"
    with pytest.raises(PeerError):
        read_hello(greeting)


def test_small_frames_do_not_stand_behind_bulk() -> None:
    assert up_lane(bytes(64 * 1024)) is Lane.SMALL_UP
    assert up_lane(bytes(64 * 1024 + 1)) is Lane.BULK_UP
    assert down_lane(bytes(100)) is Lane.SMALL_DOWN
    assert down_lane(bytes(1 << 20)) is Lane.BULK_DOWN
