"""Powers of one base, many times: a table of base**(d * 2**(w * i)) for every digit d at every place i.

    base**e = Π_i table[i][digit i of e]        w bits a multiplication instead of one squaring a bit

Wide digits are quicker and need larger tables: how wide they are depends on how many powers are asked for.
Source: Brickell, Gordon, McCurley, Wilson 1992 (fixed-base windowing).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.he.products import Numbers, OneByOne, Products, numbers_of, pairwise, values_of, width_of
from saferoom.he.quickest import products_for

SLACK_BYTES = 16
"""Random bytes beyond an order: a reduced or covering exponent is then within 2**-128 of uniform."""
MOST_TABLE_BYTES = 33 << 20
MOST_DIGIT_BITS = 12
_BATCH = 1 << 12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Table:
    """Entry d of place i stands at i * 2**digit_bits + d."""

    products: Products
    digit_bits: int
    entries: Numbers


class FixedBase:
    """The powers of one base modulo one modulus, for exponents of `size_bytes` bytes. Never printed.

    The table is made when it is first needed, and again when much wider digits have become worth it.
    """

    def __init__(self, base: mpz, modulus: mpz, size_bytes: int) -> None:
        self._base, self._modulus, self._size_bytes = base, modulus, size_bytes
        self._asked = 0
        self._table: _Table | None = None

    def __repr__(self) -> str:
        return f"FixedBase(size_bytes={self._size_bytes})"

    def powers(self, exponents: NDArray[np.uint8]) -> list[mpz]:
        """base**e for each: (count, size_bytes), each little-endian. Raises ValueError for another size."""
        if exponents.shape[1:] != (self._size_bytes,):
            raise ValueError(f"exponents have {self._size_bytes} bytes")
        self._asked += len(exponents)
        table, found = self._suitable(len(exponents)), []
        for start in range(0, len(exponents), _BATCH):
            batch = exponents[start : start + _BATCH]
            picks = _digits(batch, table.digit_bits)
            picks += np.arange(picks.shape[1]) << table.digit_bits
            ends = np.arange(1, len(batch) + 1) * picks.shape[1]
            found += values_of(table.products, table.products.runs(table.entries, picks.ravel(), ends))
        return found

    def _suitable(self, count: int) -> _Table:
        digit_bits, old = self._digit_bits(), self._table
        products = products_for(self._modulus, count * self._places(digit_bits))
        if old is not None and (isinstance(products, OneByOne) or not isinstance(old.products, OneByOne)):
            products = old.products  # no quicker ones
        if old is None or products is not old.products or digit_bits >= old.digit_bits + 2:
            self._table = old = _Table(products, digit_bits, self._entries(products, digit_bits))
        return old

    def _places(self, digit_bits: int) -> int:
        return -(-8 * self._size_bytes // digit_bits)

    def _digit_bits(self) -> int:
        """Of tables that are not too large the one with the fewest products, if as much is still to come."""
        entries = {bits: self._places(bits) << bits for bits in range(1, MOST_DIGIT_BITS + 1)}
        entry_bytes = width_of(self._modulus) * 5 // 4  # in either form
        most = max(MOST_TABLE_BYTES // entry_bytes, entries[1])
        fitting = [bits for bits in entries if entries[bits] <= most]
        return min(fitting, key=lambda bits: entries[bits] + 2 * self._asked * self._places(bits))

    def _entries(self, products: Products, digit_bits: int) -> Numbers:
        """One base a place: base**(2**(digit_bits * place))."""
        bits = [self._base]
        for _ in range(self._places(digit_bits) * digit_bits - 1):
            bits.append(bits[-1] * bits[-1] % self._modulus)
        factors = numbers_of(products, bits)
        return digit_tables(products, [factors[bit::digit_bits] for bit in range(digit_bits)])


def digit_tables(products: Products, doubled: Sequence[Numbers]) -> Numbers:
    """Of several bases every power below 2**(len(doubled)), those of base i from i * 2**len(doubled) on.

    `doubled[bit]` are all bases to the power 2**bit. Powers with a bit set are those without, times these.
    """
    bases = len(doubled[0])
    table = numbers_of(products, [mpz(1)] * bases)
    tail = table.shape[1:]
    for bit, factors in enumerate(doubled):
        size = 1 << bit
        higher = pairwise(products, table, np.repeat(factors, size, axis=0))
        halves = [part.reshape(bases, size, *tail) for part in (table, higher)]
        table = np.concatenate(halves, axis=1).reshape(2 * bases * size, *tail)
    return table


def random_exponents(order: mpz, size_bytes: int, count: int) -> NDArray[np.uint8]:
    """Uniform exponents below `order`, little-endian: (count, size_bytes)."""
    drawn = [number.to_bytes(size_bytes, "little") for number in random_below(order, count)]
    return np.frombuffer(b"".join(drawn), dtype=np.uint8).reshape(count, size_bytes)


def random_below(bound: mpz, count: int) -> list[mpz]:
    """Uniform numbers from 0 to below `bound`."""
    width = (bound.bit_length() + 7) // 8 + SLACK_BYTES
    data = secrets.token_bytes(count * width)
    return [mpz.from_bytes(data[at : at + width], "big") % bound for at in range(0, len(data), width)]


def _digits(exponents: NDArray[np.uint8], digit_bits: int) -> NDArray[np.int32]:
    """(count, places) digits of up to 16 bits, lowest first."""
    count, size = exponents.shape
    wide = np.zeros((count, size + 3), dtype=np.int32)
    wide[:, :size] = exponents
    first, shift = np.divmod(np.arange(0, 8 * size, digit_bits), 8)
    words = wide[:, first] | wide[:, first + 1] << 8 | wide[:, first + 2] << 16
    digits: NDArray[np.int32] = (words >> shift) & ((1 << digit_bits) - 1)
    return digits
