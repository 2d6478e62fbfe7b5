"""Products mod 2**64 and 2**32 by limbs, against numpy's own wrapping integers."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import ShapeError
from saferoom.ring.matrix import block_sums, column_sums, matmul, matvec


@pytest.mark.parametrize("dtype", [np.uint64, np.uint32])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (5, 24, 7), (5, 25, 7), (40, 3000, 12), (16, 140_000, 16), (0, 30, 4)]
)
def test_matmul(dtype, shape):
    rng = np.random.default_rng(shape[1])
    bits = np.dtype(dtype).itemsize * 8
    left = rng.integers(0, 2**bits, shape[:2], dtype=dtype)
    right = rng.integers(0, 2**bits, shape[1:], dtype=dtype)
    assert np.array_equal(matmul(left, right), left @ right)


def test_matmul_of_the_largest_words():
    """All ones in every limb: the sum of products must still be exact in float64."""
    left = np.full((16, 1 << 17), 2**64 - 1, dtype=np.uint64)
    right = np.full((1 << 17, 17), 2**64 - 1, dtype=np.uint64)
    assert np.array_equal(matmul(left, right), left @ right)


@pytest.mark.parametrize("bits", [20, 54, 56])
def test_low_bits_only(bits):
    rng = np.random.default_rng(0)
    left, right = (rng.integers(0, 2**64, s, dtype=np.uint64) for s in ((300, 500), (500, 300)))
    difference = matmul(left, right, bits) ^ (left @ right)
    assert not (difference & np.uint64((1 << bits) - 1)).any()


def test_vectors_and_block_sums():
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 2**32, (1000, 13), dtype=np.uint32)
    v, u = rng.integers(0, 2**32, 1000, dtype=np.uint32), rng.integers(0, 2**32, 13, dtype=np.uint32)
    assert np.array_equal(matvec(matrix, u), (matrix * u).sum(axis=1, dtype=np.uint32))
    expected = np.stack([v[i : i + 128] @ matrix[i : i + 128] for i in range(0, 1000, 128)])
    assert np.array_equal(block_sums(matrix, v, 128), expected)
    assert np.array_equal(column_sums(matrix, v), v @ matrix)
    assert block_sums(matrix[:0], v[:0], 128).shape == (0, 13)


def test_shapes_must_fit():
    with pytest.raises(ShapeError):
        matmul(np.zeros((2, 3), np.uint64), np.zeros((4, 2), np.uint64))
