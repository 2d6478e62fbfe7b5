"""Powers from a table are powers; exponents are uniform and of their size."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from saferoom.he.fixed_base import SLACK_BYTES, FixedBase, random_exponent

MODULUS = mpz(2) ** 127 - 1


@given(base=st.integers(2, int(MODULUS) - 1), exponent=st.binary(min_size=5, max_size=5))
def test_as_pow(base: int, exponent: bytes) -> None:
    expected = pow(mpz(base), int.from_bytes(exponent, "little"), MODULUS)
    assert FixedBase(mpz(base), MODULUS, 5, 8).power(exponent) == expected
    assert FixedBase(mpz(base), MODULUS, 5, 4).power(exponent) == expected


@pytest.mark.parametrize("size", [4, 6])
def test_exponents_of_another_size_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        FixedBase(mpz(3), MODULUS, 5).power(bytes(size))


def test_exponents_are_drawn_with_slack_and_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def drawn(size: int) -> bytes:
        asked.append(size)
        return b"\xff" * size

    monkeypatch.setattr(secrets, "token_bytes", drawn)
    order = mpz(1_000_003)
    found = int.from_bytes(random_exponent(order, 3), "little")
    assert asked == [3 + SLACK_BYTES]
    assert found == (2 ** (8 * asked[0]) - 1) % order


def test_exponents_reach_the_whole_order() -> None:
    found: Any = {int.from_bytes(random_exponent(mpz(7), 1), "little") for _ in range(500)}
    assert found == set(range(7))
