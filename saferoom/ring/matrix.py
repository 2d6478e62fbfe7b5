"""Products of matrices of uint32 or uint64 words, wrapping mod 2**32 or 2**64.

numpy multiplies a matrix by a vector at memory speed. Two integer matrices it multiplies without BLAS:
`einsum`'s loops take 0.4 ns a term, good enough for all but large ones. Those `matmul` splits into limbs
of w bits held in float64, such that a sum of `inner` products stays below 2**53 and is exact:
w = (53 - log2(inner)) / 2. Only pairs of limbs that reach below the modulus are multiplied.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import ShapeError
from saferoom.ring.fixed import word_bits

_LARGE = 1 << 25  # products of terms from which limbs are quicker
_MAX_INNER = 1 << 17


def matmul(left: NDArray[Any], right: NDArray[Any], bits: int | None = None) -> NDArray[Any]:
    """(a, i) @ (i, b) -> (a, b), exact in the low `bits` (default: all); higher bits are arbitrary."""
    inner = left.shape[1]
    if inner != right.shape[0] or left.dtype != right.dtype:
        raise ShapeError(f"cannot multiply {left.shape} {left.dtype} by {right.shape} {right.dtype}")
    if left.shape[0] * inner * right.shape[1] < _LARGE:
        return np.asarray(np.einsum("ij,jk->ik", left, right))
    total = np.zeros((left.shape[0], right.shape[1]), dtype=left.dtype)
    for start in range(0, inner, _MAX_INNER):
        rows = slice(start, start + _MAX_INNER)
        _add_product(total, left[:, rows], right[rows], bits or word_bits(left.dtype))
    return total


def _add_product(total: NDArray[Any], left: NDArray[Any], right: NDArray[Any], bits: int) -> None:
    width = (53 - math.ceil(math.log2(left.shape[1]))) // 2
    count = math.ceil(bits / width)
    lefts, rights = _limbs(left, width, count), _limbs(right, width, count)
    for level in range(count):
        for i in range(level + 1):
            part = (lefts[i] @ rights[level - i]).astype(np.uint64).astype(total.dtype)
            total += part << np.asarray(width * level, dtype=total.dtype)


def _limbs(words: NDArray[Any], width: int, count: int) -> list[NDArray[np.float64]]:
    mask = np.asarray((1 << width) - 1, dtype=words.dtype)
    shifts = [np.asarray(width * i, dtype=words.dtype) for i in range(count)]
    return [((words >> shift) & mask).astype(np.float64) for shift in shifts]


def matvec(matrix: NDArray[Any], vector: NDArray[Any]) -> NDArray[Any]:
    """(n, d) @ (d,) -> (n,)."""
    return np.asarray(matrix @ vector)


def block_sums(matrix: NDArray[Any], vector: NDArray[Any], block_rows: int) -> NDArray[Any]:
    """Weighted column sums over blocks of rows, the last may be short: (n, d), (n,) -> (blocks, d)."""
    rows, columns = matrix.shape
    whole = rows // block_rows
    cut = whole * block_rows
    out = np.zeros((-(-rows // block_rows), columns), dtype=matrix.dtype)
    if whole:
        blocks = matrix[:cut].reshape(whole, block_rows, columns)
        np.einsum("bi,bij->bj", vector[:cut].reshape(whole, block_rows), blocks, out=out[:whole])
    if cut < rows:
        np.einsum("i,ij->j", vector[cut:], matrix[cut:], out=out[whole])
    return out


def column_sums(matrix: NDArray[Any], vector: NDArray[Any]) -> NDArray[Any]:
    """matrixᵀ·vector: (n, d), (n,) -> (d,)."""
    return np.asarray(block_sums(matrix, vector, 256).sum(axis=0, dtype=matrix.dtype))
