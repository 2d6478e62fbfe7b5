"""Sines and cosines that come out the same, to the last bit, on every machine.

Parties multiply *shares* by sines of public angles. If two of them rounded one sine differently (another
C library, another vector unit), the shares would no longer add up and the result would be noise. So
these use additions and multiplications of float64 only, which IEEE 754 fixes, one numpy call each.

An angle is a uint32: a fraction of a turn, in units of 2**-32. Absolute error below 1e-11.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64

# Taylor coefficients of sin(2πx)/x in x², for |x| <= 1/8 turn, and of cos(2πx). Literals, not computed.
_SIN = (
    6.283185307179586,
    -41.341702240399755,
    81.60524927607504,
    -76.70585975306136,
    42.05869394489765,
    -15.09464257682298,
)
_COS = (
    1.0,
    -19.739208802178716,
    64.93939402266829,
    -85.45681720669371,
    60.24464137187666,
    -26.4262567833744,
    7.903536371318467,
)


def _polynomial(coefficients: tuple[float, ...], x: F64) -> F64:
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


def sine_cosine(turns: NDArray[np.uint32]) -> tuple[F64, F64]:
    """sin and cos of uint32 turns (any shape), each float64 in [-1, 1]."""
    eighth = np.uint32(1 << 29)
    quarter = (turns + eighth) >> np.uint32(30)
    rest = (turns - (quarter << np.uint32(30))).view(np.int32) * 2.0**-32
    square = rest * rest
    sine, cosine = rest * _polynomial(_SIN, square), _polynomial(_COS, square)
    odd = (quarter & np.uint32(1)).astype(bool)
    sin = np.where(odd, cosine, sine)
    cos = np.where(odd, sine, cosine)
    np.negative(sin, out=sin, where=quarter >= 2)
    np.negative(cos, out=cos, where=(quarter == 1) | (quarter == 2))
    return sin, cos


def odd_multiples(turns: NDArray[np.uint32], count: int) -> Iterator[tuple[F64, F64]]:
    """sin and cos of 1, 3, 5, … times the angle, by the Chebyshev recurrence. Callers only read them."""
    sin, cos = sine_cosine(turns)
    twice = 2.0 - 4.0 * (sin * sin)  # 2·cos of the doubled angle
    before_sin, before_cos = -sin, cos
    for _ in range(count):
        yield sin, cos
        sin, before_sin = twice * sin - before_sin, sin
        cos, before_cos = twice * cos - before_cos, cos
