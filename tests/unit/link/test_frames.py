"""Headers: every field lies where the picture says, and garbage is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import PeerError
from saferoom.link.frames import (
    FLOW,
    HEADER_BYTES,
    RECEIVER,
    SENDER,
    Flag,
    FrameHeader,
    Kind,
    Reason,
    check_frame,
    endpoint_bytes,
    parse_header,
)

names = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
numbers = st.integers(0, 2**64 - 1)
headers = st.builds(
    FrameHeader,
    kind=st.sampled_from(Kind),
    job_id=st.binary(min_size=16, max_size=16),
    session=st.integers(0, 2**32 - 1),
    sender=names,
    receiver=names,
    sequence=numbers,
    acknowledged=numbers,
    flags=st.integers(0, 15).map(Flag),
    reason=st.sampled_from(Reason),
)


@given(headers)
def test_a_header_comes_back_as_it_was(header: FrameHeader) -> None:
    assert parse_header(header.pack()) == header


@given(headers)
def test_the_fields_lie_where_the_picture_shows_them(header: FrameHeader) -> None:
    data = header.pack()
    assert len(data) == HEADER_BYTES == 104
    assert (data[0], data[1], data[2], data[3]) == (1, header.kind, header.flags, header.reason)
    assert data[4:20] == header.job_id
    assert int.from_bytes(data[20:24], "big") == header.session
    assert data[SENDER] == data[24:56] == endpoint_bytes(header.sender)
    assert data[RECEIVER] == data[56:88] == endpoint_bytes(header.receiver)
    assert data[FLOW] == data[4:88]
    assert int.from_bytes(data[88:96], "big") == header.sequence
    assert int.from_bytes(data[96:104], "big") == header.acknowledged


@given(st.binary(max_size=300))
def test_garbage_never_does_anything_but_raise_peer_error(data: bytes) -> None:
    try:
        check_frame(data, max_bytes=200)
        header = parse_header(data)
    except PeerError:
        return
    assert header.pack()[:24] == data[:24]


GOOD = FrameHeader(Kind.DATA, bytes(16), 0, "a", "b").pack()


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        GOOD[:-1],
        GOOD + bytes(100),
        b"\x02" + GOOD[1:],
        GOOD[:1] + b"\x07" + GOOD[2:],
        GOOD[:1] + bytes([Kind.ACKNOWLEDGE]) + GOOD[2:] + b"body",
    ],
    ids=["empty", "short", "too large", "version", "kind", "body on a notice"],
)
def test_a_frame_that_must_not_be_is_refused(frame: bytes) -> None:
    with pytest.raises(PeerError):
        check_frame(frame, max_bytes=HEADER_BYTES + 50)
