"""Fixed point: round trips, refusals, and local shifts for any number of shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ShapeError
from saferoom.ring.fixed import decode, encode, shifted_down

numbers = st.lists(st.floats(-1000, 1000), min_size=1, max_size=20)


@given(numbers, st.integers(0, 30), st.sampled_from([np.uint64]))
def test_round_trip(values, bits, dtype):
    assert np.abs(decode(encode(values, bits, dtype), bits) - values).max() <= 2.0 ** -(bits + 1)


@given(numbers, st.integers(0, 19))
def test_round_trip_in_32_bits(values, bits):
    assert np.abs(decode(encode(values, bits, np.uint32), bits) - values).max() <= 2.0 ** -(bits + 1)


@given(numbers, numbers)
def test_sums_of_words_are_words_of_sums(a, b):
    size = min(len(a), len(b))
    total = encode(a[:size], 20) + encode(b[:size], 20)
    assert np.abs(decode(total, 20) - (np.array(a[:size]) + b[:size])).max() <= 2.0**-19


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**43])
def test_refuses_what_does_not_fit(bad):
    with pytest.raises(ShapeError) as error:
        encode([1.0, bad], 20)
    assert "8796093022208" not in str(error.value)


@given(st.integers(2, 8), st.integers(1, 40), st.integers(0, 2**32))
def test_shifting_shares_is_exact_to_one_unit_a_party(k, bits, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2**64, 50, dtype=np.uint64)
    shares = [rng.integers(0, 2**64, 50, dtype=np.uint64) for _ in range(k - 1)]
    shares.append(x - np.sum(shares, axis=0, dtype=np.uint64))
    modulus = np.uint64((1 << (64 - bits)) - 1)
    total = np.sum([shifted_down(s, bits, np.uint64) for s in shares], axis=0, dtype=np.uint64)
    low = ((x >> np.uint64(bits)) - total) & modulus
    assert low.max() <= k - 1
