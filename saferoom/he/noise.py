"""Noise of a party that has the public key alone: drawn by itself, nothing in it is the key owner's choice.

    directly    x**e for a uniform unit x: a uniform e-th power, whatever the modulus is made of
    from bases  b_1**c_1 · … · b_m**c_m      m bases x_i**e of one's own, small uniform digits c_i, by tables

e is n, or 2n where a key's noise is squares. A direct draw takes one long power; where many are asked for,
bases are drawn once a key, and each noise takes m products. There are so many bases that a noise is within
2**-128 of a uniform e-th power for every modulus without small prime factors, also for one that its owner
made up (docs/adr/0025): whoever returns ciphertexts need not trust the key.

Source: leftover hashing in abelian groups (Impagliazzo, Zuckerman 1989), here by characters.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import gmpy2
import numpy as np
from gmpy2 import mpz

from saferoom.errors import VerificationError
from saferoom.he.fixed_base import MOST_TABLE_BYTES, digit_tables, random_below
from saferoom.he.products import Numbers, Products, numbers_of, values_of, width_of
from saferoom.he.quickest import powers, products_for

SMALLEST_FACTOR_BITS = 16
"""A modulus with a prime factor of fewer bits is no key."""
SLACK_BITS = 2 * 128 + 2
_MOST_DIGIT_BITS = 7
_BATCH = 1 << 10


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Bases:
    """Power d of base i stands at i * 2**digit_bits + d."""

    products: Products
    powers: Numbers


class Noise:
    """Uniform `exponent`-th powers modulo `modulus` of units modulo n. Never printed."""

    def __init__(self, n: mpz, modulus: mpz, exponent: mpz) -> None:
        self._n, self._modulus, self._exponent = n, modulus, exponent
        self.digit_bits, self.count = _sizes(n.bit_length(), width_of(modulus))
        self._asked = 0
        self._bases: _Bases | None = None

    def __repr__(self) -> str:
        return f"Noise(bases={self.count})"

    def draw(self, count: int) -> list[mpz]:
        """So many, each fresh. Raises VerificationError if the modulus turns out to have small factors."""
        self._asked += count
        if self._bases is None and self._asked <= self.count + self.count // 4:
            return self._directly(count)  # bases take as long as so many
        bases, found = self._bases or self._make_bases(), list[mpz]()
        self._bases = bases
        for start in range(0, count, _BATCH):
            size = min(_BATCH, count - start)
            drawn = np.frombuffer(secrets.token_bytes(size * self.count), dtype=np.uint8)
            digits = drawn.reshape(size, self.count).astype(np.int32) & ((1 << self.digit_bits) - 1)
            picks = digits + (np.arange(self.count, dtype=np.int32) << self.digit_bits)
            ends = np.arange(1, size + 1) * self.count
            found += values_of(bases.products, bases.products.runs(bases.powers, picks.ravel(), ends))
        return found

    def _directly(self, count: int) -> list[mpz]:
        drawn, product = [1 + below for below in random_below(self._n - 1, count)], mpz(1)
        for x in drawn:
            product = product * x % self._n
        if gmpy2.gcd(product, self._n) != 1:
            raise VerificationError("a public key whose modulus has small factors")
        return powers(drawn, self._exponent, self._modulus)

    def _make_bases(self) -> _Bases:
        bases = self._directly(self.count)
        products = products_for(self._modulus, self.count << self.digit_bits)
        doubled = [numbers_of(products, bases)]
        for _ in range(self.digit_bits - 1):
            doubled.append(products.squares(doubled[-1], 1))
        return _Bases(products, digit_tables(products, doubled))


def _sizes(bits: int, width_bytes: int) -> tuple[int, int]:
    """Bits of a digit, and how many bases: those of docs/adr/0025, in tables that are not too large."""
    least = bits // SMALLEST_FACTOR_BITS + SLACK_BITS
    for digit_bits in range(_MOST_DIGIT_BITS, 1, -1):
        count = max(least, -(-(bits + SLACK_BITS) // digit_bits))
        if (count << digit_bits) * width_bytes * 5 // 4 <= MOST_TABLE_BYTES:
            return digit_bits, count
    return 1, bits + SLACK_BITS
