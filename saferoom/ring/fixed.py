"""Fixed point: a real number x is round(x·2**frac_bits) in two's complement, mod 2**32 or 2**64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saferoom.errors import ShapeError

_SIGNED = {4: np.int32, 8: np.int64}
_UNSIGNED: dict[int, np.dtype[Any]] = {32: np.dtype(np.uint32), 64: np.dtype(np.uint64)}


def word_bits(dtype: DTypeLike) -> int:
    """32 or 64."""
    return np.dtype(dtype).itemsize * 8


def word_type(bits: int) -> np.dtype[Any]:
    """The type of words of 32 or 64 bits."""
    return _UNSIGNED[bits]


def encode(values: Any, frac_bits: int, dtype: DTypeLike = np.uint64) -> NDArray[Any]:
    """Nearest fixed-point words of real `values` (any shape).

    Range: |value| < 2**(bits - 2 - frac_bits), so that one sum cannot wrap. Raises ShapeError
    if a value is not finite or outside (without repeating the value).
    """
    scaled = np.rint(np.asarray(values, dtype=np.float64) * 2.0**frac_bits)
    limit = 2.0 ** (word_bits(dtype) - 2)
    if scaled.size and not bool(np.max(np.abs(scaled)) < limit):
        raise ShapeError(
            f"not finite, or too large for {word_bits(dtype)} bits with {frac_bits} after the point"
        )
    return scaled.astype(_SIGNED[np.dtype(dtype).itemsize]).view(np.dtype(dtype))


def decode(words: NDArray[Any], frac_bits: int) -> NDArray[np.float64]:
    """The real numbers that `words` (uint32 or uint64) stand for, |value| < 2**(bits - 1 - frac_bits)."""
    signed = np.ascontiguousarray(words).view(_SIGNED[words.dtype.itemsize])
    return np.asarray(signed, dtype=np.float64) * 2.0**-frac_bits


def shifted_down(words: NDArray[Any], bits: int, dtype: DTypeLike) -> NDArray[Any]:
    """Drop the low `bits` of every word and keep the low word of `dtype`.

    Applied by each party to its share of x mod 2**w this gives shares of x / 2**bits mod 2**(w - bits),
    exact to one unit a party, *for any number of parties*: the modulus shrinks together with the number, so
    no carry is lost. It is not a truncation within one modulus (see protocols/truncation.py).
    """
    return np.asarray((words >> np.asarray(bits, dtype=words.dtype)).astype(dtype))


def without_low_bits(words: NDArray[Any], bits: int) -> NDArray[Any]:
    """Each word rounded to one whose low `bits` are zero: of shares, a sum that ends in so many zeros.

    It is off by half a unit of them a party at most, and by nothing on the average. What is left out is never
    sent, so that nothing of it shows in the sum.
    """
    drop = np.asarray(bits, dtype=words.dtype)
    half = np.asarray((1 << bits) >> 1, dtype=words.dtype)
    return np.asarray((words + half) >> drop << drop)
