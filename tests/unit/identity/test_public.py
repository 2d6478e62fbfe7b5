"""Public keys and the fingerprint people read out."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import VerificationError
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys, parse_fingerprint

KEYS = PublicKeys("bank", bytes(32), bytes([1] * 32), bytes([2] * 32))
FINGERPRINT = KEYS.fingerprint()
key = st.binary(min_size=32, max_size=32)


def test_the_fingerprint_is_the_documented_one() -> None:
    text = b"saferoom/fingerprint/v1\x00bank\x00" + bytes(32) + bytes([1] * 32) + bytes([2] * 32)
    number = int(hashlib.sha256(text).hexdigest(), 16) % 10**35
    digits = f"{number:035d}{number % 99989:05d}"
    assert " ".join(digits[i : i + 5] for i in range(0, 40, 5)) == FINGERPRINT
    assert FINGERPRINT == "20825 38240 73013 12734 30439 97669 41686 35675", "it must never change"


@given(key, key, key)
def test_every_key_and_the_id_count(one: bytes, two: bytes, three: bytes) -> None:
    keys = PublicKeys("bank", one, two, three)
    others = [
        PublicKeys("tax", one, two, three),
        PublicKeys("bank", bytes(b ^ 1 for b in one), two, three),
        PublicKeys("bank", one, bytes(b ^ 1 for b in two), three),
        PublicKeys("bank", one, two, bytes(b ^ 1 for b in three)),
    ]
    assert keys.fingerprint() not in {other.fingerprint() for other in others}
    assert parse_fingerprint(keys.fingerprint()) == keys.fingerprint()


def test_it_may_be_typed_in_any_grouping() -> None:
    digits = FINGERPRINT.replace(" ", "")
    full_width = "".join(chr(ord(d) + 0xFEE0) for d in digits)
    for typed in (digits, FINGERPRINT.replace(" ", "-"), full_width, f"  {digits[:20]}\n{digits[20:]}"):
        assert KEYS.check_fingerprint(typed) is KEYS


@pytest.mark.parametrize("place", range(40))
def test_every_single_wrong_digit_is_noticed_as_such(place: int) -> None:
    digits = FINGERPRINT.replace(" ", "")
    for wrong in set("0123456789") - {digits[place]}:
        with pytest.raises(VerificationError, match="misheard"):
            parse_fingerprint(digits[:place] + wrong + digits[place + 1 :])


def test_swapped_neighbours_are_noticed() -> None:
    digits = FINGERPRINT.replace(" ", "")
    for i in range(39):
        if digits[i] != digits[i + 1]:
            with pytest.raises(VerificationError):
                parse_fingerprint(digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :])


@pytest.mark.parametrize("text", ["", "12345", "x" * 40, "²" * 40, "1" * 41])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_fingerprint(text)


def test_another_node_is_caught() -> None:
    with pytest.raises(VerificationError, match="not that of these keys") as caught:
        NodeKeys.generate("tax").public().check_fingerprint(FINGERPRINT)
    assert caught.value.party == "tax"


def test_json_form_round_trips() -> None:
    assert PublicKeys.from_json(KEYS.to_json()) == KEYS
    assert PublicKeys.from_json({**KEYS.to_json(), "fingerprint": FINGERPRINT}) == KEYS


@pytest.mark.parametrize(
    "change",
    [
        {"signing": "AAAA"},
        {"signing": "not base64!"},
        {"node_id": "Bank"},
        {"node_id": 7},
        {"extra": "field"},
        {"fingerprint": NodeKeys.generate("bank").public().fingerprint()},
    ],
)
def test_json_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(VerificationError):
        PublicKeys.from_json({**KEYS.to_json(), **change})


@pytest.mark.parametrize("value", [None, [], "text", {}])
def test_other_json_is_refused(value: object) -> None:
    with pytest.raises(VerificationError):
        PublicKeys.from_json(value)


def test_only_one_base64_spelling_counts() -> None:
    spelt = KEYS.to_json()["sealing"]
    assert spelt.endswith("=")
    loose = spelt[:-2] + chr(ord(spelt[-2]) + 1) + "="  # same bytes to a lenient decoder
    with pytest.raises(VerificationError):
        PublicKeys.from_json({**KEYS.to_json(), "sealing": loose})
