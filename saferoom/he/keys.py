"""Keys of Okamoto-Uchiyama and Paillier: one public and one private type, for they differ in numbers only.

                      Okamoto-Uchiyama             Paillier
    n                 p² q                         p q
    ciphertext        mod n                        mod n²
    encrypt m         g^m · h^r                    (1 + n)^m · x^n, or (1 + n)^m · h^r
    plaintexts        below 2**(bits of p - 1)     below 2**(bits of n - 1)

A negative number stands for itself modulo p (or n): sums that it enters are right, and decrypt once they are
no longer negative. One that is would be out of range, or (Paillier) seem huge.

The factors' owner works modulo p² and q (or q²) apart, where g^m is 1 + m·step, powers of the noise's base
come from a table, and exponents are as short as the base's order; it joins the two by the Chinese remainder.

`randomness` says what the noise is: `full`, an n-th residue out of all (Paillier) or out of those that a
random h generates (Okamoto-Uchiyama); `subgroup`, a power of an h whose order is the product of two secret
256-bit primes, which also assumes that such elements look random. This is the owner's noise. Others draw
their own (`noise`), which covers it and owes nothing to h.

Source: Okamoto, Uchiyama 1998; Paillier 1999; subgroups: Damgård, Jurik, Nielsen 2010, §4.2 (short noise).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, get_args

import gmpy2
from gmpy2 import mpz

from saferoom.errors import UsageError, VerificationError
from saferoom.he.fixed_base import FixedBase, random_below, random_exponents
from saferoom.he.noise import SMALLEST_FACTOR_BITS, Noise
from saferoom.he.quickest import powers

Scheme: TypeAlias = Literal["okamoto-uchiyama", "paillier"]
Randomness: TypeAlias = Literal["full", "subgroup"]

MINIMUM_BITS = 2048
MAXIMUM_BITS = 8192
SUBGROUP_PRIME_BITS = 256


@dataclass(frozen=True, slots=True)
class Encryption:
    """Which scheme, how many bits of n, which randomness. Raises UsageError for what is not strong enough."""

    scheme: Scheme = "okamoto-uchiyama"
    bits: int = 3072
    randomness: Randomness = "full"

    def __post_init__(self) -> None:
        if self.scheme not in get_args(Scheme):
            raise UsageError(f"encryption is by one of {', '.join(get_args(Scheme))}, not {self.scheme!r}")
        if self.randomness not in get_args(Randomness):
            raise UsageError(f"randomness is one of {', '.join(get_args(Randomness))}")
        if not MINIMUM_BITS <= self.bits <= MAXIMUM_BITS or self.bits % 2:
            raise UsageError(
                f"keys have {MINIMUM_BITS} to {MAXIMUM_BITS} bits, an even number; {self.bits} was asked for",
                remedy="use 3072",
            )

    @property
    def plain_bits(self) -> int:
        """Plaintexts are below 2**plain_bits, and above -2**(plain_bits - 1) where they are encrypted."""
        return (self.bits // 3 if self.scheme == "okamoto-uchiyama" else self.bits) - 1


class PublicKey:
    """What everybody may have. `h` generates the owner's noise; 0 where that is x**n (Paillier, full)."""

    def __init__(self, encryption: Encryption, n: int, g: int, h: int) -> None:
        self.encryption = encryption
        self.n, self.g, self.h = mpz(n), mpz(g), mpz(h)
        self.modulus = self.n if encryption.scheme == "okamoto-uchiyama" else self.n**2
        self.width_bytes = (self.modulus.bit_length() + 7) // 8
        self._noise = Noise(self.n, self.modulus, 2 * self.n if self.h else self.n)
        self._check()

    def __repr__(self) -> str:
        return f"PublicKey({self.encryption})"

    def __eq__(self, other: object) -> bool:
        mine = (self.encryption, self.n, self.g, self.h)
        return isinstance(other, PublicKey) and mine == (other.encryption, other.n, other.g, other.h)

    def __hash__(self) -> int:
        return hash((self.encryption, self.n))

    @property
    def plain_bits(self) -> int:
        return self.encryption.plain_bits

    def noises(self, count: int) -> list[mpz]:
        """Fresh encryptions of 0, whose noise covers whatever noise a product of ciphertexts has.

        Of our own randomness alone: `h` is its owner's, who might have chosen one of few powers.
        """
        return self._noise.draw(count)

    def encrypt(self, plain: int) -> mpz:
        """A ciphertext of `plain`, without the factors: slow. Raises UsageError if it does not fit."""
        return self.rerandomised(self.without_noise(plain))

    def without_noise(self, plain: int) -> mpz:
        """`plain` as a factor that adds it to a ciphertext. Without noise it hides nothing."""
        check_plain(plain, self.plain_bits)
        paillier = self.encryption.scheme == "paillier"
        return 1 + plain * self.n if paillier else pow(self.g, plain, self.modulus)

    def rerandomised(self, ciphertext: mpz) -> mpz:
        """Another ciphertext of the same number, which not even the key's owner can link to this one."""
        return self.rerandomised_all([ciphertext])[0]

    def rerandomised_all(self, ciphertexts: Sequence[mpz]) -> list[mpz]:
        """As `rerandomised`, each of them."""
        noises = self.noises(len(ciphertexts))
        return [c * noise % self.modulus for c, noise in zip(ciphertexts, noises, strict=True)]

    def _check(self) -> None:
        chosen = self.encryption
        if self.n.bit_length() != chosen.bits or not self.n % 2:
            raise VerificationError(f"a public key whose modulus is not an odd number of {chosen.bits} bits")
        if chosen.scheme == "paillier" and self.g != self.n + 1:
            raise VerificationError("a Paillier key whose generator is not n + 1")
        if gmpy2.gcd(self.n, _small_primes()) != 1:
            raise VerificationError("a public key whose modulus has small factors")
        needs_h = chosen.scheme == "okamoto-uchiyama" or chosen.randomness == "subgroup"
        if bool(self.h) != needs_h:
            raise VerificationError("a public key whose noise is not of the kind it claims")
        for element in (self.g, self.h) if needs_h else (self.g,):
            if not 1 < element < self.modulus - 1 or gmpy2.gcd(element, self.n) != 1:
                raise VerificationError("a public key with an element that is no unit, or of order two")


class Half:
    """One of the two moduli into which the owner splits its work. `step` is 0 where no message goes.

    `order` is that of the own noise. Others' noise may have any order that divides prime - 1; where the own
    is squares, theirs is too.
    Where the noise's group is all squares modulo a prime, a random square is drawn instead of a power.
    """

    def __init__(self, prime: mpz, modulus: mpz, base: mpz, order: mpz, step: mpz) -> None:
        self.prime, self.modulus, self.base, self.order, self.step = prime, modulus, base, order, step
        self._size_bytes = (order.bit_length() + 7) // 8
        self._powers = FixedBase(base, modulus, self._size_bytes)

    def encrypt(self, plains: Sequence[int]) -> list[mpz]:
        step, modulus, noises = self.step, self.modulus, self._noises(len(plains))
        return [(1 + plain * step) * noise % modulus for plain, noise in zip(plains, noises, strict=True)]

    def _noises(self, count: int) -> list[mpz]:
        if self.modulus == self.prime == 2 * self.order + 1:
            return [(1 + below) ** 2 for below in random_below(self.prime - 1, count)]
        return self._powers.powers(random_exponents(self.order, self._size_bytes, count))

    def decrypt(self, ciphertexts: Sequence[mpz]) -> list[mpz]:
        """The plaintexts modulo the prime. Raises VerificationError if the noise is not of this key."""
        prime, modulus = self.prime, self.modulus
        order = prime - 1 if self.order == prime - 1 else (prime - 1) // 2
        raised = powers([ciphertext % modulus for ciphertext in ciphertexts], order, modulus)
        if any((number - 1) % prime for number in raised):
            raise VerificationError("a number that is no ciphertext under this key")
        factor = gmpy2.invert(order * (self.step // prime), prime)
        return [(number - 1) // prime * factor % prime for number in raised]


class PrivateKey:
    """What only the key's owner has: encrypts quickly, decrypts. Never printed; no truth value."""

    def __init__(self, public: PublicKey, first: Half, second: Half) -> None:
        self.public = public
        self.first, self.second = first, second
        self._second_inverse = gmpy2.invert(second.modulus, first.modulus)
        if first.modulus * second.modulus != public.modulus:
            raise VerificationError("a private key that does not belong to its public key")

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.encryption})"

    def __bool__(self) -> bool:
        raise TypeError("a PrivateKey has no truth value: it is secret")

    def __reduce__(self) -> Any:
        raise TypeError("a PrivateKey is not pickled; see saferoom.he.key_files")

    def encrypt(self, plain: int) -> mpz:
        """A ciphertext of `plain`. Raises UsageError unless -2**(plain_bits - 1) < plain < 2**plain_bits."""
        return self.encrypt_all([plain])[0]

    def encrypt_all(self, plains: Sequence[int]) -> list[mpz]:
        """As `encrypt`, each of them."""
        for extreme in (min(plains, default=0), max(plains, default=0)):
            check_plain(extreme, self.public.plain_bits)
        first, second, inverse = self.first.modulus, self.second.modulus, self._second_inverse
        pairs = zip(self.first.encrypt(plains), self.second.encrypt(plains), strict=True)
        return [other + second * ((one - other) * inverse % first) for one, other in pairs]

    def decrypt(self, ciphertext: mpz) -> mpz:
        """The plaintext. Raises VerificationError for what is no ciphertext or out of range.

        A plaintext out of range is never shown: under Okamoto-Uchiyama it would give the factors away.
        """
        return self.decrypt_all([ciphertext])[0]

    def decrypt_all(self, ciphertexts: Sequence[mpz]) -> list[mpz]:
        """As `decrypt`, each of them."""
        plains = self.first.decrypt(ciphertexts)
        if self.second.step:
            p, q = self.first.prime, self.second.prime
            inverse, others = gmpy2.invert(q, p), self.second.decrypt(ciphertexts)
            plains = [
                other + q * ((plain - other) * inverse % p)
                for plain, other in zip(plains, others, strict=True)
            ]
        if any(plain.bit_length() > self.public.plain_bits for plain in plains):
            raise VerificationError("a ciphertext of a number out of range")
        return plains


@cache
def _small_primes() -> mpz:
    """Their product."""
    return gmpy2.primorial(1 << SMALLEST_FACTOR_BITS)


def check_plain(plain: int, plain_bits: int) -> None:
    """Raises UsageError unless -2**(plain_bits - 1) < plain < 2**plain_bits; does not show it."""
    if int(plain).bit_length() > plain_bits - (plain < 0):
        raise UsageError(f"a plaintext has up to {plain_bits} bits, a negative one {plain_bits - 1}")
