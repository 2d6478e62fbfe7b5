"""Powers from a table are powers; exponents are uniform and of their size."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
import pytest
from gmpy2 import mpz
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from saferoom.he.fixed_base import (
    MOST_TABLE_BYTES,
    SLACK_BYTES,
    FixedBase,
    _digits,
    random_below,
    random_exponents,
)
from tests.property import examples

MODULUS = mpz(2) ** 127 - 1


def exponents_of(values: list[bytes]) -> np.ndarray[Any, Any]:
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), -1)


@given(
    base=st.integers(2, int(MODULUS) - 1),
    exponents=st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=9),
)
@examples(30, allow=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("arithmetic")
def test_as_pow(base: int, exponents: list[bytes]) -> None:
    expected = [pow(mpz(base), int.from_bytes(e, "little"), MODULUS) for e in exponents]
    assert FixedBase(mpz(base), MODULUS, 5).powers(exponents_of(exponents)) == expected


@pytest.mark.usefixtures("arithmetic")
def test_the_table_grows_with_what_is_asked_for() -> None:
    base, few = FixedBase(mpz(3), MODULUS, 2), exponents_of([b"\x12\x34", b"\xff\xff", b"\0\0"])
    many = np.frombuffer(secrets.token_bytes(2 * 1000), dtype=np.uint8).reshape(1000, 2)
    sizes = []
    for exponents in (few, many, few, many):
        expected = [pow(3, int.from_bytes(e.tobytes(), "little"), MODULUS) for e in exponents]
        assert base.powers(exponents) == expected
        assert base._table is not None
        sizes.append(len(base._table.entries))
    assert sizes[0] < sizes[1] == sizes[2] <= sizes[3]
    assert base.powers(few[:0]) == []


def test_tables_have_a_largest_size() -> None:
    base = FixedBase(mpz(3), mpz(1) << 3071, 128)
    widths = []
    for asked in (0, 1, 100, 10_000, 10**9):
        base._asked = asked
        widths.append(base._digit_bits())
        assert base._places(widths[-1]) << widths[-1] <= MOST_TABLE_BYTES // (384 * 5 // 4)
    assert widths == sorted(widths)
    assert widths[0] < 3 < 8 <= widths[-1]


@given(exponent=st.binary(min_size=1, max_size=30), digit_bits=st.integers(1, 16))
def test_digits(exponent: bytes, digit_bits: int) -> None:
    (digits,) = _digits(exponents_of([exponent]), digit_bits)
    assert len(digits) == -(-8 * len(exponent) // digit_bits)
    assert digits.max() < 1 << digit_bits
    value = sum(int(digit) << (digit_bits * place) for place, digit in enumerate(digits))
    assert value == int.from_bytes(exponent, "little")


@pytest.mark.parametrize("size", [4, 6])
def test_exponents_of_another_size_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        FixedBase(mpz(3), MODULUS, 5).powers(exponents_of([bytes(size)]))


def test_exponents_are_drawn_with_slack_and_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def drawn(size: int) -> bytes:
        asked.append(size)
        return b"\xff" * (size // 2) + bytes(size // 2)

    monkeypatch.setattr(secrets, "token_bytes", drawn)
    order = mpz(1_000_003)
    found = [int.from_bytes(e.tobytes(), "little") for e in random_exponents(order, 3, 2)]
    width = 3 + SLACK_BYTES
    assert asked == [2 * width]
    assert found == [(2 ** (8 * width) - 1) % order, 0]


def test_exponents_reach_the_whole_order() -> None:
    assert set(random_exponents(mpz(7), 1, 500).ravel().tolist()) == set(range(7))
    assert set(random_below(mpz(7), 500)) == set(range(7))
    assert random_below(mpz(7), 0) == []
