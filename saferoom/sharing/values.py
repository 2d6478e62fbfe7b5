"""The kinds of value that may travel, each a type of its own, so that a plaintext cannot be sent by slip.

    Share        one party's additive share, mod 2**64 or 2**32, of a fixed-point array: useless alone, and
                 with the others' the value itself; only `Session.reveal` and `reveal_to_all` send one
    BitShare     one party's share, by xor, of packed bits: likewise
    MaskedShare  a share to which a one-time mask was added: safe to open to everybody
    Masked       a whole value under a one-time mask: safe to send
    MaskedBits   bits under one-time bits, packed eight to a byte: safe to send
    Public       what every node may know: sizes, public seeds, protocol versions
    Seed         key material for exactly one receiver
    Tokens       pseudonyms under a key that their receiver does not know
    Ciphertexts  numbers under a homomorphic key (from the room `he`)
    Disclosed    a plain value that a contract lets one receiver learn; only `Session.disclose` makes one

A plain numpy array is none of these and cannot be sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Bits, Words
from saferoom.errors import ShapeError
from saferoom.he.ciphertexts import Ciphertexts

WORD_TYPES = (np.dtype(np.uint64), np.dtype(np.uint32))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _RingValue:
    value: Words
    frac_bits: int

    def __post_init__(self) -> None:
        if self.value.dtype not in WORD_TYPES:
            raise ShapeError(f"{type(self).__name__} needs uint64 or uint32, got {self.value.dtype}")

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.value.shape}, frac_bits={self.frac_bits})"

    def __bool__(self) -> bool:
        raise TypeError(f"a {type(self).__name__} has no truth value: it is secret")

    def __float__(self) -> float:
        raise TypeError(f"a {type(self).__name__} has no plain value: it is secret")

    def __iter__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be iterated: it is secret")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Share(_RingValue):
    """One party's additive share of an array. Free operations only: sums, slices, public factors."""

    def _same_scale(self, other: Share) -> None:
        if self.frac_bits != other.frac_bits:
            raise ShapeError(f"scales differ: {self.frac_bits} and {other.frac_bits} fractional bits")
        if self.value.dtype != other.value.dtype:
            raise ShapeError(f"moduli differ: {self.value.dtype} and {other.value.dtype}")

    def __add__(self, other: Share) -> Share:
        self._same_scale(other)
        return Share(self.value + other.value, self.frac_bits)

    def __sub__(self, other: Share) -> Share:
        self._same_scale(other)
        return Share(self.value - other.value, self.frac_bits)

    def __neg__(self) -> Share:
        return Share(np.negative(self.value), self.frac_bits)

    def __getitem__(self, index: Any) -> Share:
        return Share(np.asarray(self.value[index]), self.frac_bits)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaskedShare(_RingValue):
    """A share plus a share of a one-time mask. Summed over the parties it is uniform: it may be opened."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Masked(_RingValue):
    """A value under a one-time mask that its receiver does not know."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _PackedBits:
    value: Bits

    def __post_init__(self) -> None:
        if self.value.dtype != np.uint8:
            raise ShapeError(f"packed bits are uint8, got {self.value.dtype}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BitShare(_PackedBits):
    """One party's share, by xor, of packed bits: all parties' together are the bits themselves."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaskedBits(_PackedBits):
    """Packed bits (`numpy.packbits`), each xor a one-time bit that their receiver does not know."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Public:
    """Something every node may know."""

    value: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Seed:
    """Key material for one receiver: uint8 (k,)."""

    value: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tokens:
    """Keyed pseudonyms: uint8 (n, 16)."""

    value: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Disclosed:
    """A plain value on its way to the one receiver a contract names for it."""

    value: NDArray[Any]


Sendable: TypeAlias = MaskedShare | Masked | MaskedBits | Public | Seed | Tokens | Ciphertexts
Declared: TypeAlias = Share | BitShare | Disclosed  # what a contract names: declared before it is sent
