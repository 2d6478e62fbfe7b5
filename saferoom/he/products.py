"""Products of many numbers modulo one modulus at once: to these all arithmetic on whole vectors comes down.

Sums of encrypted rows by bin are products of rows; powers of a fixed base are products of its table's
entries. Here GMP makes one after the other. Where the processor has the instructions, `lanes` makes eight at
a time; the results are the same, and `quickest` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[Any]
"""Numbers modulo the modulus in the form of their `Products`: one along the first axis, to index and join."""


class Products(Protocol):
    """Arithmetic modulo an odd modulus."""

    modulus: mpz

    def read(self, data: bytes) -> Numbers:
        """Big-endian numbers, each as wide as the modulus."""

    def write(self, numbers: Numbers) -> bytes:
        """Likewise; each is below the modulus."""

    def runs(self, numbers: Numbers, picks: NDArray[Any], ends: NDArray[Any]) -> Numbers:
        """The product of each run of picked numbers.

        `picks` are positions in `numbers`; run i is picks[ends[i - 1] : ends[i]], the first from 0, the last
        to the end. An empty one gives 1.
        """

    def squares(self, numbers: Numbers, times: int) -> Numbers:
        """Each squared so many times."""

    def powers(self, numbers: Numbers, exponent: mpz) -> Numbers:
        """Each to this power, which is not negative."""


def numbers_of(products: Products, values: Sequence[mpz]) -> Numbers:
    """These values in the form of `products`."""
    return products.read(join_numbers(values, width_of(products.modulus)))


def values_of(products: Products, numbers: Numbers) -> list[mpz]:
    """The values of these numbers."""
    return split_numbers(products.write(numbers), width_of(products.modulus))


def pairwise(products: Products, ones: Numbers, others: Numbers) -> Numbers:
    """Each of `ones` times its counterpart."""
    count = len(ones)
    picks = np.arange(2 * count).reshape(2, count).T.ravel()
    return products.runs(np.concatenate([ones, others]), picks, np.arange(2, 2 * count + 1, 2))


def width_of(modulus: mpz) -> int:
    """Bytes that hold any number below the modulus."""
    return int(modulus.bit_length() + 7) // 8


def split_numbers(data: bytes, width_bytes: int, *, signed: bool = False) -> list[mpz]:
    """Big-endian numbers of a fixed width."""
    places = range(0, len(data), width_bytes)
    return [mpz.from_bytes(data[at : at + width_bytes], "big", signed=signed) for at in places]


def join_numbers(numbers: Sequence[mpz], width_bytes: int) -> bytes:
    return b"".join([number.to_bytes(width_bytes, "big") for number in numbers])


class OneByOne:
    """By GMP; numbers are an array of `mpz`."""

    def __init__(self, modulus: mpz) -> None:
        self.modulus, self._width_bytes = modulus, width_of(modulus)

    def read(self, data: bytes) -> Numbers:
        return _array(split_numbers(data, self._width_bytes))

    def write(self, numbers: Numbers) -> bytes:
        return join_numbers(numbers.tolist(), self._width_bytes)

    def runs(self, numbers: Numbers, picks: NDArray[Any], ends: NDArray[Any]) -> Numbers:
        modulus, picked, found, start = self.modulus, numbers[picks].tolist(), [], 0
        for end in ends.tolist():
            run = picked[start] if start < end else mpz(1)
            for number in picked[start + 1 : end]:
                run = run * number % modulus
            found.append(run)
            start = end
        return _array(found)

    def squares(self, numbers: Numbers, times: int) -> Numbers:
        return self.powers(numbers, mpz(1) << times)

    def powers(self, numbers: Numbers, exponent: mpz) -> Numbers:
        return _array([gmpy2.powmod(number, exponent, self.modulus) for number in numbers.tolist()])


def _array(values: list[mpz]) -> Numbers:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
