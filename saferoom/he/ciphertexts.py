"""A vector of ciphertexts as one buffer: fixed width, big-endian, so that it travels without parsing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.errors import PeerError, ShapeError
from saferoom.he.keys import PublicKey
from saferoom.he.products import Numbers, Products, values_of


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ciphertexts:
    """`value` is (count, width) bytes. Without the private key it says nothing but its size."""

    value: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.value.ndim != 2 or self.value.dtype != np.uint8:
            raise ShapeError("ciphertexts are a table of bytes, one row each")

    @classmethod
    def of(cls, numbers: Iterable[mpz], width_bytes: int) -> Ciphertexts:
        data = b"".join([number.to_bytes(width_bytes, "big") for number in numbers])
        return cls(np.frombuffer(data, dtype=np.uint8).reshape(-1, width_bytes))

    def numbers(self) -> list[mpz]:
        width, data = self.value.shape[1], self.value.tobytes()
        return [mpz.from_bytes(data[at : at + width], "big") for at in range(0, len(data), width)]

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, rows: slice) -> Ciphertexts:
        return Ciphertexts(self.value[rows])

    def __repr__(self) -> str:
        return f"Ciphertexts(shape={self.value.shape})"

    def __bool__(self) -> bool:
        raise TypeError("Ciphertexts have no truth value: they are secret")

    def __iter__(self) -> Any:
        raise TypeError("Ciphertexts cannot be iterated: use numbers()")


def check_units(data: bytes, numbers: Numbers, products: Products, key: PublicKey) -> None:
    """Make sure that each is a unit: 0 < c < modulus, gcd(c, n) = 1. Raises PeerError.

    `numbers` are those of `data`, read by `products`. One gcd of their product stands for all: a factor
    shared by one number is shared by the product.
    """
    width, zero = key.width_bytes, bytes(key.width_bytes)
    modulus = key.modulus.to_bytes(width, "big")
    if any(not zero < data[at : at + width] < modulus for at in range(0, len(data), width)):
        raise PeerError("a ciphertext that is not below the key's modulus, or zero")
    every, end = np.arange(len(numbers)), np.array([len(numbers)])
    if gmpy2.gcd(values_of(products, products.runs(numbers, every, end))[0], key.n) != 1:
        raise PeerError("a ciphertext that has a factor in common with the key's modulus")
