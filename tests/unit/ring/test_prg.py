"""Streams: deterministic, advancing, different for different labels and seeds; uniform."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from saferoom.errors import ShapeError
from saferoom.ring.prg import Expander, Stream, random_rows

SEED = bytes(range(32))
KNOWN = [11695605844281830722, 15301687060050915018]


def test_stream_is_deterministic_and_advances():
    first, second = Stream(SEED, "a"), Stream(SEED, "a")
    whole = first.words(100)
    assert np.array_equal(whole, np.concatenate([second.words(40), second.words((30, 2)).ravel()]))
    assert not np.array_equal(whole, first.words(100))


def test_labels_and_seeds_differ():
    words = [Stream(SEED, "a"), Stream(SEED, "b"), Stream(bytes(32), "a")]
    drawn = [tuple(stream.words(4)) for stream in words]
    assert len(set(drawn)) == 3


def test_a_known_answer():
    assert [int(x) for x in Stream(bytes(32), "known").words(2)] == KNOWN


def test_expander_short_and_long_draws_agree():
    """Short draws go through ECB of counters, long ones through CTR: they must be the same words."""
    expander = Expander(SEED)
    nonce = expander.nonce("label")
    long = expander.words(nonce, 10_000)
    assert np.array_equal(expander.words(nonce, 100), long[:100])
    assert np.array_equal(expander.words(nonce, (8, 2), np.uint32), long[:8].view(np.uint32).reshape(8, 2))
    reference = Cipher(expander._algorithm, modes.CTR(nonce + bytes(8))).encryptor().update(bytes(80))
    assert long[:10].tobytes() == reference
    assert isinstance(expander._algorithm, algorithms.AES)


@pytest.mark.parametrize("shape", [0, (0, 3), (2, 0)])
def test_nothing_can_be_drawn(shape):
    assert Stream(SEED, "a").words(shape).size == 0
    assert Expander(SEED).words(bytes(8), shape).size == 0


def test_a_seed_has_32_bytes():
    for kind in (lambda s: Stream(s, "a"), Expander):
        with pytest.raises(ShapeError):
            kind(bytes(31))


@pytest.mark.parametrize(("rows", "count"), [(10, 10), (1000, 7), (5, 1), (100_000, 6_000)])
def test_random_rows_are_distinct_and_the_same_everywhere(rows, count):
    drawn = random_rows(SEED, rows, count)
    assert len(set(drawn.tolist())) == count
    assert drawn.min() >= 0
    assert drawn.max() < rows
    assert np.array_equal(drawn, random_rows(SEED, rows, count))


def test_prefixes_of_random_rows_are_spread():
    drawn = random_rows(SEED, 100_000, 6_000)[:1500]
    assert abs(drawn.mean() - 50_000) < 4_000
