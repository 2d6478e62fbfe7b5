"""Sines: near enough to the true ones, and made of operations that IEEE 754 fixes."""

from __future__ import annotations

import hashlib

import numpy as np

from saferoom.ring.angle import odd_multiples, sine_cosine

EDGES = np.array(
    [0, 1, 2**29 - 1, 2**29, 2**29 + 1, 2**30, 2**31 - 1, 2**31, 3 * 2**30, 2**32 - 1], np.uint32
)
PINNED = "1a03c9bcf4fdb5ed9e5803640ecea56f4cec554aad939fe2a2a65df125c7eddb"


def turns():
    random = np.random.default_rng(0).integers(0, 2**32, 50_000, dtype=np.uint32)
    return np.concatenate([EDGES, random])


def test_sines_and_cosines():
    t = turns()
    angle = t * (2 * np.pi / 2**32)
    sin, cos = sine_cosine(t)
    assert np.abs(sin - np.sin(angle)).max() < 2e-11
    assert np.abs(cos - np.cos(angle)).max() < 2e-11


def test_odd_multiples():
    t = turns()
    angle = t * (2 * np.pi / 2**32)
    for index, (sin, cos) in enumerate(odd_multiples(t, 32)):
        assert np.abs(sin - np.sin((2 * index + 1) * angle)).max() < 1e-8
        assert np.abs(cos - np.cos((2 * index + 1) * angle)).max() < 1e-8


def test_bits_are_pinned():
    """If this fails on some machine, parties on different machines would compute noise."""
    grid = np.arange(0, 2**32, 2**20, dtype=np.uint64).astype(np.uint32)
    data = b"".join(wave.tobytes() for pair in odd_multiples(grid, 3) for wave in pair)
    assert hashlib.sha256(data).hexdigest() == PINNED
