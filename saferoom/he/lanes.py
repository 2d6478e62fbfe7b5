"""Products by the vectorised machine code of `lanes_code`: numbers in Montgomery form, digit by digit.

A table of numbers is (count, limbs) of 52-bit digits, lowest first, each number times R modulo n. Picks are
dealt to the eight lanes in one stretch each, so that all have equally much to do; a run that is torn by the
edge of a stretch is joined afterwards.
"""

from __future__ import annotations

from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.errors import ProtocolError
from saferoom.he.lanes_code import BLOCK, DIGIT_BITS, LANES, MOST_ENTRIES
from saferoom.he.lanes_kernel import kernel
from saferoom.he.products import Numbers, numbers_of, pairwise, values_of, width_of

_MASK = np.uint64((1 << DIGIT_BITS) - 1)
_WINDOW_BITS = MOST_ENTRIES.bit_length() - 1
_PAIR_BYTES = 2 * DIGIT_BITS // 8
"""Two digits are 13 bytes."""
_checked: set[int] = set()
"""Sizes whose code was seen to work in this process."""


def limbs_for(modulus: mpz) -> int:
    """Digits for numbers up to 4 times the modulus, in whole blocks."""
    return -(-int(modulus.bit_length() + 2) // (DIGIT_BITS * BLOCK)) * BLOCK


class Lanes:
    """`Products` eight at a time, modulo an odd number above 4. Raises UsageError where that cannot run."""

    def __init__(self, modulus: mpz) -> None:
        self.modulus, self._limbs = modulus, limbs_for(modulus)
        self._kernel = kernel(self._limbs)
        self._inverse = int(-gmpy2.invert(modulus, 1 << DIGIT_BITS) % (1 << DIGIT_BITS))
        self._digits = self._digits_of(modulus)
        r = mpz(1) << (DIGIT_BITS * self._limbs)
        self._one, self._to_form = self._digits_of(r % modulus), self._digits_of(r * r % modulus)
        self._from_form = self._digits_of(mpz(1))
        if self._limbs not in _checked:
            self._check()
            _checked.add(self._limbs)

    def _check(self) -> None:
        """(n - 1)(n - 2) = 2, and its square 4: a processor or a compiler that errs is found before use."""
        product = pairwise(self, *(numbers_of(self, [self.modulus - less]) for less in (1, 2)))
        if values_of(self, np.append(product, self.squares(product, 1), axis=0)) != [2, 4]:
            raise ProtocolError(
                "the vectorised products are wrong on this machine", remedy="uninstall llvmlite"
            )

    def read(self, data: bytes) -> Numbers:
        return self._times(_digits(data, width_of(self.modulus), self._limbs), self._to_form)

    def write(self, numbers: Numbers) -> bytes:
        plain = self._times(numbers, self._from_form)
        plain[(plain == self._digits).all(axis=1)] = 0  # of a multiple of n it leaves n
        return _bytes(plain, width_of(self.modulus))

    def runs(self, numbers: Numbers, picks: NDArray[Any], ends: NDArray[Any]) -> Numbers:
        count, steps = len(ends), -(-len(picks) // LANES)
        lengths = np.diff(ends, prepend=0)
        filled = np.flatnonzero(lengths)
        out = np.full(LANES * steps, -1, dtype=np.int32)
        out[ends[filled] - 1] = filled
        edges = np.arange(steps - 1, len(picks) - 1, max(steps, 1))  # where a lane ends and the next goes on
        torn = edges[out[edges] < 0]
        out[torn] = count + np.arange(len(torn))
        found = self._multiplied(numbers, picks, out, self._one, count + len(torn))
        if len(filled) < count:
            found[:count][lengths == 0] = self._one
        if len(torn):
            self._join(found, count, np.searchsorted(ends, torn, side="right"))
        return found[:count]

    def squares(self, numbers: Numbers, times: int) -> Numbers:
        return self._raised(numbers, [1, 0], times, 2)

    def powers(self, numbers: Numbers, exponent: mpz) -> Numbers:
        """Window by window, the same steps whatever the exponent's digits are."""
        places = reversed(range(-(-exponent.bit_length() // _WINDOW_BITS)))
        digits = [int(exponent >> (place * _WINDOW_BITS)) % MOST_ENTRIES for place in places]
        return self._raised(numbers, digits or [0], _WINDOW_BITS, MOST_ENTRIES)

    def _raised(self, numbers: Numbers, digits: list[int], bits: int, entries: int) -> Numbers:
        """Each to the power of which these are the digits, highest first, of so many bits each."""
        eights, windows = -(-len(numbers) // LANES), np.array(digits, dtype=np.uint64)
        found = np.zeros((eights * LANES, self._limbs), dtype=np.uint64)
        found[: len(numbers)] = numbers
        arguments = _at(found), eights, _at(windows), len(windows), bits, entries, _at(self._one)
        self._kernel.powers(*arguments, _at(self._digits), self._inverse)
        return found[: len(numbers)]

    def _times(self, numbers: Numbers, factor: Numbers) -> Numbers:
        """Each number times the factor, divided by R."""
        count = len(numbers)
        out = np.full(-(-count // LANES) * LANES, -1, dtype=np.int32)
        out[:count] = every = np.arange(count, dtype=np.int32)
        return self._multiplied(numbers, every, out, factor, count)

    def _join(self, found: Numbers, count: int, owners: NDArray[Any]) -> None:
        """Multiply found[count + i] into found[owners[i]]: one an inner edge, so fewer than lanes."""
        which = np.unique(owners)
        table = np.concatenate([found[which], found[count:], self._one[None]])
        pieces = [[i, *(len(which) + np.flatnonzero(owners == run))] for i, run in enumerate(which)]
        steps = max(map(len, pieces))
        picks = [piece + [len(table) - 1] * (steps - len(piece)) for piece in pieces]
        out = np.full((LANES, steps), -1, dtype=np.int32)
        out[: len(which), -1] = np.arange(len(which))
        found[which] = self._multiplied(table, np.ravel(picks), out.ravel(), self._one, len(which))

    def _multiplied(
        self, numbers: Numbers, picks: NDArray[Any], out: NDArray[np.int32], start: Numbers, count: int
    ) -> Numbers:
        """start times picks, divided by R for each; from the start again after each that has an `out`.

        `out`, a multiple of lanes of places among `count` results or -1, may be longer than `picks`.
        """
        found, steps = np.empty((count, self._limbs), dtype=np.uint64), len(out) // LANES
        dealt = np.zeros(LANES * steps, dtype=np.int32)
        dealt[: len(picks)] = picks
        ahead = np.zeros((steps + 1, LANES), dtype=np.int32)
        ahead[:steps] = dealt.reshape(LANES, steps).T
        out = np.ascontiguousarray(out.reshape(LANES, steps).T)
        table = np.ascontiguousarray(numbers)
        arguments = _at(table), _at(ahead), _at(out), steps, _at(start)
        self._kernel.products(*arguments, _at(self._digits), self._inverse, _at(found))
        return found

    def _digits_of(self, value: mpz) -> Numbers:
        width = DIGIT_BITS * self._limbs // 8
        (found,) = _digits(value.to_bytes(width, "big"), width, self._limbs)
        return np.array(found)


def _at(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)


def _digits(data: bytes, width_bytes: int, limbs: int) -> Numbers:
    """Big-endian numbers as digits: each pair of digits is 13 bytes, read as two overlapping words."""
    table = np.frombuffer(data, dtype=np.uint8).reshape(-1, width_bytes)
    words = -(-width_bytes // 8)
    wide = np.zeros((len(table) + 1, limbs // 2 * _PAIR_BYTES + 8), dtype=np.uint8)  # read a little beyond
    padded = np.zeros((len(table), 8 * words), dtype=np.uint8)
    padded[:, 8 * words - width_bytes :] = table
    np.ndarray((len(table), words), "<u8", wide, 0, (wide.shape[1], 8))[:] = padded.view(">u8")[:, ::-1]
    found = np.empty((len(table), limbs), dtype=np.uint64)
    even, odd = (
        np.ndarray((len(table), limbs // 2), "<u8", wide, offset, (wide.shape[1], _PAIR_BYTES))
        for offset in (0, 6)
    )
    found[:, 0::2], found[:, 1::2] = even & _MASK, odd >> np.uint64(4) & _MASK
    return found


def _bytes(digits: Numbers, width_bytes: int) -> bytes:
    count, limbs = digits.shape
    pairs = np.zeros((count, limbs // 2, 16), dtype=np.uint8)
    words = pairs.view("<u8")
    even, odd = digits[:, 0::2], digits[:, 1::2]
    words[:, :, 0] = even | (odd << np.uint64(DIGIT_BITS))
    words[:, :, 1] = odd >> np.uint64(64 - DIGIT_BITS)
    lowest_first = pairs[:, :, :_PAIR_BYTES].reshape(count, limbs // 2 * _PAIR_BYTES)
    return lowest_first[:, :width_bytes][:, ::-1].tobytes()
