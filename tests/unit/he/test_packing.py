"""Slots: what is packed comes out again, in the clear and under encryption; nothing stands outside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import UsageError, VerificationError
from saferoom.he.keys import Encryption
from saferoom.he.packing import Slots
from tests.he_keys import QUICK, key_for


@given(data=st.data(), slot_bits=st.integers(1, 90), plain_bits=st.integers(90, 700))
def test_there_and_back(data: st.DataObject, slot_bits: int, plain_bits: int) -> None:
    slots = Slots(slot_bits, plain_bits)
    numbers = st.integers(0, 2**slot_bits - 1)
    values = data.draw(st.lists(numbers, max_size=slots.per_plaintext))
    packed = slots.pack(values)
    assert packed.bit_length() <= plain_bits
    assert slots.unpack(packed, len(values)) == values


@pytest.mark.parametrize(("scheme", "slots"), [("okamoto-uchiyama", 13), ("paillier", 40)])
def test_slots_of_75_bits_at_3072(scheme: str, slots: int) -> None:
    assert Slots(75, Encryption(scheme).plain_bits).per_plaintext == slots  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "plaintexts"), [(0, 0), (1, 1), (9, 1), (10, 2), (18, 2), (19, 3)])
def test_as_few_plaintexts_as_hold_them(count: int, plaintexts: int) -> None:
    assert Slots(75, Encryption(bits=2048).plain_bits).plaintexts(count) == plaintexts


@pytest.mark.parametrize("values", [[8], [-1], [0] * 4])
def test_what_does_not_fit_is_refused(values: list[int]) -> None:
    with pytest.raises(UsageError):
        Slots(3, 9).pack(values)


@pytest.mark.parametrize("bits", [0, -1, 701])
def test_slots_that_no_plaintext_holds_are_refused(bits: int) -> None:
    with pytest.raises(UsageError):
        Slots(bits, 700)


@pytest.mark.parametrize("plain", [1 << 6, -1])
def test_anything_outside_the_slots_is_refused(plain: int) -> None:
    with pytest.raises(VerificationError):
        Slots(3, 9).unpack(plain, 2)


@pytest.mark.parametrize("count", [0, 1, 2, 13, 14, 30])
@pytest.mark.usefixtures("arithmetic")
def test_packing_under_encryption(count: int) -> None:
    key = key_for(QUICK)
    slots = Slots(50, QUICK.plain_bits)
    values = [(7 * place) ** 6 for place in range(count)]
    packed = slots.pack_encrypted([key.encrypt(value) for value in values], key.public.modulus)
    assert len(packed) == slots.plaintexts(count)
    found = [value for plain in key.decrypt_all(packed) for value in slots.unpack(int(plain), 13)]
    assert found == values + [0] * (13 * len(packed) - count)
