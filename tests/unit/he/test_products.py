"""Products modulo a modulus: the vectorised code and GMP give what Python's own numbers give."""

from __future__ import annotations

import math
import secrets

import numpy as np
import pytest
from gmpy2 import mpz
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from saferoom.he.products import numbers_of, pairwise, values_of, width_of
from saferoom.he.quickest import products_for
from tests.property import examples

BITS = (64, 207, 208, 683, 1024, 1366, 2046, 2048, 2078, 2079, 3072, 4096, 6144)
"""Of p, p², n and n² of all schemes, and where a digit more is needed."""
pytestmark = pytest.mark.usefixtures("arithmetic")


def moduli(bits: int) -> list[mpz]:
    """The largest and the smallest of a size, and one in between, all odd."""
    top = mpz(1) << bits
    return [top - 1, top // 2 + 1, top // 2 + mpz(secrets.randbits(bits - 1)) | 1]


def values_below(modulus: mpz, count: int) -> list[mpz]:
    edges = [mpz(0), mpz(1), mpz(2), modulus - 1, modulus - 2, modulus // 2]
    return edges + [mpz(secrets.randbelow(int(modulus))) for _ in range(count - len(edges))]


def test_the_arithmetic_that_was_asked_for(arithmetic: str) -> None:
    assert (
        type(products_for(mpz(101), 1)).__name__ == {"lanes": "Lanes", "one by one": "OneByOne"}[arithmetic]
    )


@pytest.mark.parametrize("bits", BITS)
def test_there_and_back(bits: int) -> None:
    for modulus in moduli(bits):
        products, values = products_for(modulus, 1), values_below(modulus, 20)
        assert values_of(products, numbers_of(products, values)) == values
        assert values_of(products, numbers_of(products, [])) == []
        data = b"".join(value.to_bytes(width_of(modulus), "big") for value in values)
        assert products.write(products.read(data)) == data


@pytest.mark.parametrize("bits", BITS)
def test_runs(bits: int) -> None:
    rng = np.random.default_rng(bits)
    for modulus in moduli(bits):
        products, values = products_for(modulus, 1), values_below(modulus, 30)
        numbers = numbers_of(products, values)
        for lowest in (0, 1):  # with and without zeros among them
            picks = rng.integers(lowest, len(values), 150)
            ends = np.sort(rng.integers(0, 151, 40))
            ends[-1] = 150
            starts = [0, *ends[:-1]]
            expected = [
                math.prod(values[pick] for pick in picks[start:end]) % modulus
                for start, end in zip(starts, ends, strict=True)
            ]
            assert values_of(products, products.runs(numbers, picks, ends)) == expected


@given(lengths=st.lists(st.integers(0, 60), max_size=40))
@examples(60, allow=[HealthCheck.function_scoped_fixture])
def test_runs_of_any_lengths(lengths: list[int]) -> None:
    """However they fall on the lanes: many short ones, one over all, empty ones anywhere."""
    modulus = (mpz(1) << 208) - 59
    products = products_for(modulus, 1)
    values = [pow(mpz(3), place, modulus) for place in range(100)]
    picks = np.arange(sum(lengths)) * 7 % 100
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - np.array(lengths, dtype=np.int64)
    expected = [
        pow(mpz(3), int(picks[start:end].sum()), modulus) for start, end in zip(starts, ends, strict=True)
    ]
    found = products.runs(numbers_of(products, values), picks, ends)
    assert values_of(products, found) == expected


@pytest.mark.parametrize("bits", BITS)
def test_squares_powers_pairs(bits: int) -> None:
    for modulus in moduli(bits):
        products, values = products_for(modulus, 1), values_below(modulus, 9)
        numbers = numbers_of(products, values)
        for times in (0, 1, 75):
            expected = [pow(value, 1 << times, modulus) for value in values]
            assert values_of(products, products.squares(numbers, times)) == expected
        for exponent in (*map(mpz, (0, 1, 31, 32, secrets.randbits(70))), (modulus >> 3) % (1 << 700)):
            expected = [pow(value, exponent, modulus) for value in values]
            assert values_of(products, products.powers(numbers, exponent)) == expected
        pairs = pairwise(products, numbers, numbers[::-1])
        expected = [one * other % modulus for one, other in zip(values, values[::-1], strict=True)]
        assert values_of(products, pairs) == expected


def test_long_chains_do_not_drift() -> None:
    """Results stay in their range over thousands of products of the largest digits."""
    modulus = (mpz(1) << 2078) - 1
    products, values = products_for(modulus, 1), [modulus - 1, modulus - 2]
    picks, ends = np.arange(5000) % 2, np.array([4999, 5000])
    found = products.runs(numbers_of(products, values), picks, ends)
    expected = pow(modulus - 1, 2500, modulus) * pow(modulus - 2, 2499, modulus) % modulus
    assert values_of(products, found) == [expected, modulus - 2]
