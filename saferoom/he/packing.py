"""Many small numbers in one plaintext.

    | slot k-1 | … | slot 1 | slot 0 |        each `slot_bits` wide, as many as the plaintext holds

Sums of packed plaintexts are sums slot by slot as long as none outgrows its slot. A ciphertext moves up by a
slot when it is raised to 2**slot_bits, so that sums are packed after they were made, under encryption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gmpy2 import mpz

from saferoom.errors import UsageError, VerificationError
from saferoom.he.products import numbers_of, pairwise, values_of
from saferoom.he.quickest import products_for


@dataclass(frozen=True, slots=True)
class Slots:
    """How numbers stand in a plaintext of `plain_bits`."""

    slot_bits: int
    plain_bits: int

    def __post_init__(self) -> None:
        if not 0 < self.slot_bits <= self.plain_bits:
            raise UsageError(
                f"a slot of {self.slot_bits} bits does not fit in a plaintext of {self.plain_bits}",
                remedy="count fewer classes at once, or use a larger key",
            )

    @property
    def per_plaintext(self) -> int:
        return self.plain_bits // self.slot_bits

    def plaintexts(self, slots: int) -> int:
        """How many plaintexts hold so many slots."""
        return -(-slots // self.per_plaintext)

    def pack(self, values: Sequence[int]) -> int:
        """One plaintext of up to `per_plaintext` values, each below 2**slot_bits."""
        if len(values) > self.per_plaintext or any(not 0 <= v < 1 << self.slot_bits for v in values):
            raise UsageError("values that do not fit in their slots")
        return sum(value << (self.slot_bits * place) for place, value in enumerate(values))

    def unpack(self, plain: int, slots: int) -> list[int]:
        """The first `slots` values. Raises VerificationError if anything stands above them."""
        if plain < 0 or plain >> (self.slot_bits * slots):
            raise VerificationError("a plaintext with something outside its slots")
        mask = (1 << self.slot_bits) - 1
        return [int(plain >> (self.slot_bits * place)) & mask for place in range(slots)]

    def pack_encrypted(self, ciphertexts: Sequence[mpz], modulus: mpz) -> list[mpz]:
        """As few ciphertexts as hold what these hold; not yet re-randomised."""
        size, packs = self.per_plaintext, self.plaintexts(len(ciphertexts))
        products = products_for(modulus, len(ciphertexts) * self.slot_bits)
        padded = [*ciphertexts, *[mpz(1)] * (packs * size - len(ciphertexts))]
        *slots, packed = (numbers_of(products, padded[slot::size]) for slot in range(size))
        for slot in reversed(slots):
            packed = pairwise(products, products.squares(packed, self.slot_bits), slot)
        return values_of(products, packed)
