"""Noise that others than the owner multiply in: uniform, whatever the key's owner made up."""

from __future__ import annotations

from itertools import count
from math import prod

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpz

from saferoom.errors import VerificationError
from saferoom.he.keys import Encryption, PrivateKey, PublicKey
from saferoom.he.noise import Noise
from saferoom.he.packing import Slots
from saferoom.he.vectors import pack_vector
from saferoom.he.workers import Workers
from tests.he_keys import KINDS, QUICK, key_for

MANY = 1500
"""More than are drawn directly."""


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("encryption", KINDS, ids=str)
def test_it_is_of_zero_and_never_twice_the_same(encryption: Encryption) -> None:
    key = key_for(encryption)
    public = PublicKey(encryption, key.public.n, key.public.g, key.public.h)
    few, many = public.noises(3), public.noises(MANY)
    assert len({*few, *many}) == 3 + MANY
    some = [*few, *many[:3], *many[-3:]]
    assert key.decrypt_all(some) == [0] * len(some)
    ciphertext = key.encrypt(7)
    assert key.decrypt(public.rerandomised(ciphertext)) == 7


def crafted(key: PrivateKey) -> PublicKey:
    """With a base of order two, which is no plain -1: it owns the factors."""
    public, first, second = key.public, key.first.modulus, key.second.modulus
    order_two = 1 + first * (gmpy2.invert(first, second) * (second - 2) % second)
    assert order_two != 1 and pow(order_two, 2, public.n) == 1
    return PublicKey(public.encryption, public.n, public.g, order_two)


def test_an_owner_whose_base_has_two_powers_does_not_know_its_ciphertexts_again() -> None:
    """Before, one in two came back as it was sent, and the others times the base."""
    key = key_for()
    public = crafted(key)
    sent = key.encrypt(5)
    for noise in (*public.noises(10), *public.noises(MANY)[:10]):
        assert pow(noise, 2 * key.first.order * 2**20, public.n) != 1
    returned = public.rerandomised_all([sent] * 20)
    assert not {sent, sent * public.h % public.n} & set(returned)
    with Workers(0) as workers:
        packed = pack_vector(public, [sent], Slots(64, public.plain_bits), workers).numbers()
    assert packed[0] not in {sent, sent * public.h % public.n}
    assert key.decrypt(packed[0]) == 5


def primes_with_a_third(number: int) -> list[mpz]:
    """Primes one above a multiple of three, the first above 2**22."""
    found: list[mpz] = []
    for k in count(1):
        candidate = mpz((1 << 22) + 6 * k + 3)
        candidate += (1 - candidate) % 3
        if gmpy2.is_prime(candidate) and candidate not in found:
            found.append(candidate)
        if len(found) == number:
            return found
    raise AssertionError


def test_it_is_uniform_modulo_a_number_that_its_owner_made_of_many_primes() -> None:
    """Of five primes with elements of order three: noise of a few bases would fill a small part of 3**5."""
    primes = primes_with_a_third(5)
    n = mpz(prod(primes))
    noise = Noise(n, n, 2 * n)
    drawn, cells = noise.draw(12_150), []
    for number in drawn:
        characters = [pow(number % p, (p - 1) // 3, p) for p in primes]
        roots = [sorted({pow(mpz(a), (p - 1) // 3, p) for a in range(2, 20)}) for p in primes]
        cells.append(sum(r.index(c) * 3**i for i, (r, c) in enumerate(zip(roots, characters, strict=True))))
    counts = np.bincount(cells, minlength=3**5)
    chi_squared = float(((counts - 50.0) ** 2 / 50.0).sum())
    assert abs(chi_squared - 242) < 6 * np.sqrt(2 * 242)


def test_sizes_are_those_of_the_decision_record() -> None:
    for bits in (2048, 3072, 4096, 8192):
        for width in (bits // 8, bits // 4):
            noise = Noise(mpz(1) << (bits - 1) | 1, mpz(1) << (8 * width - 1), mpz(2))
            assert noise.count >= bits / 16 + 258
            assert noise.count * noise.digit_bits >= bits + 258
            assert (noise.count << noise.digit_bits) * width <= 64 << 20


@pytest.mark.parametrize("factor", [3, 65521])
def test_a_modulus_with_small_factors_is_no_key(factor: int) -> None:
    key = key_for()
    n = (key.public.n // factor - 2 | 1) * factor
    assert n.bit_length() == 2048 and n % 2 and n % factor == 0
    with pytest.raises(VerificationError, match="small factors"):
        PublicKey(QUICK, n, key.public.g % n, key.public.h % n)


def test_a_unit_that_is_none_gives_the_modulus_away() -> None:
    n = mpz(5 * 7 * 11)
    with pytest.raises(VerificationError, match="small factors"):
        Noise(n, n, 2 * n).draw(400)
