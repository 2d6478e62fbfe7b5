"""Fresh keys, from the operating system's randomness.

Primes are 3 mod 4 and (p - 1)/2, (q - 1)/2 have no common factor, so that independent exponents modulo p and
modulo q are one exponent modulo the product: what the owner draws in halves is exactly a power of h, and
what another party multiplies in covers it. Where noise is any n-th residue (Paillier, full), x**n covers
everything anyway.

h generates all squares modulo q (see `_SMALL_FACTORS`), so that a random square is a random power of it.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from functools import cache

import gmpy2
import numpy as np
from gmpy2 import mpz

from saferoom.he.keys import SUBGROUP_PRIME_BITS, Encryption, Half, PrivateKey, PublicKey

PRIMALITY_ROUNDS = 40
_SMALL_FACTORS = 1 << 20
"""Elements lack no prime factor below this. That one lacks a larger factor has a chance of about 2**-23."""


@dataclass(frozen=True, slots=True, repr=False)
class Factor:
    """A secret prime factor; `order` is that of the noise modulo it: a divisor of prime - 1."""

    prime: mpz
    order: mpz


def generate_key(encryption: Encryption | None = None) -> PrivateKey:
    """A fresh key. Takes up to a few seconds."""
    chosen = encryption or Encryption()
    p_bits = chosen.bits // 3 if chosen.scheme == "okamoto-uchiyama" else chosen.bits // 2
    squares = 2 if chosen.scheme == "okamoto-uchiyama" else 1
    p = _factor(p_bits, chosen)
    while True:
        q = _factor(chosen.bits - squares * p_bits, chosen)
        fits = (p.prime**squares * q.prime).bit_length() == chosen.bits
        if fits and p.prime != q.prime and (_draws_all_residues(chosen) or gmpy2.gcd(p.order, q.order) == 1):
            return key_of(chosen, p, q)


def key_of(encryption: Encryption, p: Factor, q: Factor) -> PrivateKey:
    """A key on these factors, with fresh generators."""
    if encryption.scheme == "paillier":
        n = p.prime * q.prime
        h = mpz(0)
        if encryption.randomness == "subgroup":
            h = _join(_element(p, p.prime**2), p.prime**2, _element(q, q.prime**2), q.prime**2)
        return private_key(PublicKey(encryption, n, n + 1, h), p, q)
    square, n = p.prime**2, p.prime**2 * q.prime
    h = _join(_element(p, square), square, _element(q, q.prime), q.prime)
    blind = pow(h, mpz(secrets.randbits(encryption.bits)), n)
    g = _join(1 + p.prime, square, mpz(1), q.prime) * blind % n
    return private_key(PublicKey(encryption, n, g, h), p, q)


def private_key(public: PublicKey, p: Factor, q: Factor) -> PrivateKey:
    """The private key that belongs to `public`. Raises VerificationError if the factors do not."""
    if public.encryption.scheme == "paillier":
        moduli = [(p, p.prime**2, public.n % p.prime**2), (q, q.prime**2, public.n % q.prime**2)]
    else:
        moduli = [(p, p.prime**2, p.prime), (q, q.prime, mpz(0))]
    first, second = (
        Half(f.prime, m, public.h % m if public.h else _element(f, m), f.order, step) for f, m, step in moduli
    )
    return PrivateKey(public, first, second)


def _draws_all_residues(chosen: Encryption) -> bool:
    """Noise out of all n-th residues, as in phe: then whatever the owner draws is covered by x**n."""
    return chosen.scheme == "paillier" and chosen.randomness == "full"


def _factor(bits: int, chosen: Encryption) -> Factor:
    if chosen.randomness == "full":
        prime = _prime(bits)
        return Factor(prime, prime - 1 if _draws_all_residues(chosen) else (prime - 1) // 2)
    order = _prime(SUBGROUP_PRIME_BITS)
    while True:
        cofactor = mpz(secrets.randbits(bits - SUBGROUP_PRIME_BITS)) | 1
        prime = 2 * order * cofactor + 1
        if prime >> (bits - 2) == 3 and gmpy2.is_prime(prime, PRIMALITY_ROUNDS):
            return Factor(prime, order)


def _prime(bits: int) -> mpz:
    """A random prime of `bits` bits, 3 mod 4, its two top bits set so that products reach their size."""
    while True:
        candidate = mpz(secrets.randbits(bits)) | (mpz(3) << (bits - 2)) | 3
        if gmpy2.is_prime(candidate, PRIMALITY_ROUNDS):
            return candidate


def _element(factor: Factor, modulus: mpz) -> mpz:
    """A random element of the noise's group modulo `modulus`, whose order lacks no small prime factor."""
    group = modulus // factor.prime * (factor.prime - 1)  # the size of the whole group
    while True:
        element = pow(mpz(2 + secrets.randbelow(int(modulus) - 3)), group // factor.order, modulus)
        if all(pow(element, factor.order // small, modulus) != 1 for small in _small_factors(factor.order)):
            return element


def _small_factors(order: mpz) -> list[int]:
    if order.bit_length() == SUBGROUP_PRIME_BITS:
        return [int(order)]
    return [small for small in _primes_below(_SMALL_FACTORS) if order % small == 0]


@cache
def _primes_below(limit: int) -> tuple[int, ...]:
    is_prime = np.ones(limit, dtype=bool)
    is_prime[:2] = False
    for number in range(2, math.isqrt(limit) + 1):
        if is_prime[number]:
            is_prime[number * number :: number] = False
    return tuple(np.flatnonzero(is_prime).tolist())


def _join(a: mpz, modulus_a: mpz, b: mpz, modulus_b: mpz) -> mpz:
    """The number that is a mod modulus_a and b mod modulus_b."""
    return b + modulus_b * ((a - b) * gmpy2.invert(modulus_b, modulus_a) % modulus_a)
