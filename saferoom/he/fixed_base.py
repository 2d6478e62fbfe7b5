"""Powers of one base, many times: a table of base**(d * 2**(w * i)) for every digit d at every place i.

    base**e = Π_i table[i][digit i of e]        w bits a multiplication instead of one squaring a bit

Eight bits a digit are quickest for thousands of powers; four need an eighth of the table, and pay for few.
Source: Brickell, Gordon, McCurley, Wilson 1992 (fixed-base windowing).
"""

from __future__ import annotations

import secrets
from typing import Literal

from gmpy2 import mpz

SLACK_BYTES = 16
"""Random bytes beyond an order: a reduced or covering exponent is then within 2**-128 of uniform."""


class FixedBase:
    """The table for one base, one modulus and exponents of `size_bytes` bytes. Never printed."""

    def __init__(self, base: mpz, modulus: mpz, size_bytes: int, digit_bits: Literal[4, 8] = 8) -> None:
        self._modulus, self._digit_bits = modulus, digit_bits
        self._table: list[list[mpz]] = []
        for _ in range(8 * size_bytes // digit_bits):
            row = [mpz(1)]
            for _ in range((1 << digit_bits) - 1):
                row.append(row[-1] * base % modulus)
            self._table.append(row)
            base = row[-1] * base % modulus

    def __repr__(self) -> str:
        return f"FixedBase(places={len(self._table)})"

    def power(self, exponent: bytes) -> mpz:
        """base**exponent, the exponent little-endian."""
        digits = exponent
        if self._digit_bits == 4:
            digits = bytes(digit for byte in exponent for digit in (byte & 15, byte >> 4))
        result, modulus = mpz(1), self._modulus
        for row, digit in zip(self._table, digits, strict=True):
            result = result * row[digit] % modulus
        return result


def random_exponent(order: mpz, size_bytes: int) -> bytes:
    """A uniform exponent below `order`, little-endian."""
    drawn = mpz.from_bytes(secrets.token_bytes(size_bytes + SLACK_BYTES), "little")
    return bytes((drawn % order).to_bytes(size_bytes, "little"))
