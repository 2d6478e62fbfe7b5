"""The tensor codec: round trips, and garbage refused without executing or over-reading anything."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.channel.codec import DTYPES, decode, encode
from saferoom.errors import PeerError, ShapeError


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from(DTYPES))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    if dtype == np.dtype("|b1"):
        data = bytes(b & 1 for b in data)
    return np.frombuffer(data, dtype=dtype).reshape(shape)


@given(st.text(max_size=50), st.lists(tensors(), max_size=4))
def test_round_trip(label, values):
    got_label, got = decode(b"".join(encode(label, values)))
    assert got_label == label
    assert len(got) == len(values)
    for a, b in zip(values, got, strict=True):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        assert not b.flags.writeable


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_decoded_but_never_crashes(data):
    with contextlib.suppress(PeerError):
        decode(data)


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_cut_or_prolonged_messages_are_refused(cut, extra):
    message = b"".join(encode("step", [np.arange(5, dtype=np.uint64)]))
    with pytest.raises(PeerError):
        decode(message + extra)
    if cut < len(message):
        with pytest.raises(PeerError):
            decode(message[:cut])


def test_a_huge_declared_shape_is_refused():
    message = bytearray(b"".join(encode("s", [np.zeros(1, np.uint64)])))
    message[-16:-8] = (2**61).to_bytes(8)
    with pytest.raises(PeerError):
        decode(bytes(message))


def test_objects_cannot_be_sent():
    with pytest.raises(ShapeError):
        encode("s", [np.array([object()])])
    with pytest.raises(ShapeError):
        encode("s", [np.zeros((1, 1, 1, 1, 1))])
