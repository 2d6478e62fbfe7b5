"""Fresh keys: primes of the right form, elements of full order, never the same twice."""

from __future__ import annotations

import gmpy2
import pytest
from gmpy2 import mpz

from saferoom.errors import VerificationError
from saferoom.he.generation import Factor, _element, _primes_below, generate_key, private_key
from saferoom.he.keys import Encryption
from tests.he_keys import KINDS, QUICK, key_for


def test_small_primes() -> None:
    assert _primes_below(30) == (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


def test_elements_generate_a_small_group_completely() -> None:
    """In a group small enough to list: every element of the order asked for comes, and no other."""
    prime = mpz(2 * 3 * 5 * 7 + 1)
    for _ in range(20):
        element = _element(Factor(prime, mpz(105)), prime)
        assert len({pow(element, exponent, prime) for exponent in range(105)}) == 105


@pytest.mark.parametrize("encryption", KINDS, ids=str)
def test_primes_are_3_mod_4_and_bases_lack_no_small_factor(encryption: Encryption) -> None:
    key = key_for(encryption)
    for half in (key.first, key.second):
        assert half.prime % 4 == 3
        for small in _primes_below(1000):
            if half.order % small == 0:
                assert pow(half.base, half.order // small, half.modulus) != 1


def test_where_squares_are_drawn_h_generates_them() -> None:
    """The owner's squares are powers of h: their Legendre symbols are 1, as are those of what is returned."""
    key = key_for(Encryption(bits=2048))
    half = key.second
    assert half.modulus == half.prime == 2 * half.order + 1
    noises = half.encrypt([0] * 40)
    assert all(gmpy2.legendre(noise, half.prime) == 1 for noise in noises)
    assert gmpy2.legendre(key.public.h % half.prime, half.prime) == 1
    assert len(set(noises)) == 40


def test_two_keys_share_nothing() -> None:
    one, other = generate_key(QUICK), generate_key(QUICK)
    assert gmpy2.gcd(one.public.n, other.public.n) == 1
    assert {one.public.g, one.public.h}.isdisjoint({other.public.g, other.public.h})


def test_factors_of_another_key_are_refused() -> None:
    one, other = key_for(QUICK), key_for(Encryption(bits=2048))
    factors = [Factor(half.prime, half.order) for half in (other.first, other.second)]
    with pytest.raises(VerificationError):
        private_key(one.public, *factors)
