"""Party ids and enterprise codes; the check of many at once against the check of one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ConfigError, VerificationError
from saferoom.ids import (
    USCC_ALPHABET,
    check_party_id,
    is_valid_uscc,
    normalise_uscc,
    parse_uscc,
    uscc_check_character,
    valid_uscc_rows,
)

bodies = st.text(alphabet=USCC_ALPHABET, min_size=17, max_size=17)
codes = bodies.map(lambda body: body + uscc_check_character(body))
# The standard's own example, and two from the public register.
PUBLIC_CODES = ("91350100M000100Y43", "914403001922038216", "91440300708461136T")
FULL_WIDTH = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})


@pytest.mark.parametrize("code", PUBLIC_CODES)
def test_published_codes_are_valid(code: str) -> None:
    assert is_valid_uscc(code)


@given(codes, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_any_single_wrong_character_is_found(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert is_valid_uscc(changed) == (changed == code)


@given(codes, st.integers(0, 16))
def test_swapped_neighbours_are_found(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert is_valid_uscc(swapped) == (swapped == code)


@given(
    codes, st.lists(st.tuples(st.integers(0, 18), st.sampled_from(" -　\t\u00a0–\u200b\ufeff")), max_size=6)
)
def test_untidy_codes_normalise_to_the_tidy_one(code: str, extra: list[tuple[int, str]]) -> None:
    untidy = code.lower().translate(FULL_WIDTH)
    for place, character in extra:
        untidy = untidy[:place] + character + untidy[place:]
    assert normalise_uscc(untidy) == code
    assert parse_uscc(untidy) == code


def test_a_bad_code_is_refused_without_being_repeated() -> None:
    with pytest.raises(VerificationError) as caught:
        parse_uscc("91350100M000100Y44")
    assert "91350100" not in str(caught.value)


@given(
    st.lists(
        st.one_of(codes, st.text(st.characters(max_codepoint=127), min_size=18, max_size=18)), max_size=30
    )
)
def test_many_at_once_agree_with_one_by_one(texts: list[str]) -> None:
    rows = np.frombuffer("".join(texts).encode(), dtype=np.uint8).reshape(-1, 18)
    assert valid_uscc_rows(rows).tolist() == [is_valid_uscc(text) for text in texts]


@pytest.mark.parametrize("party", ["", "Bank", "1bank", "bank_1", "b" * 32, "bank\n"])
def test_illegal_party_ids_are_refused(party: str) -> None:
    with pytest.raises(ConfigError):
        check_party_id(party)


@pytest.mark.parametrize("party", ["bank", "b" * 31, "tax-2"])
def test_legal_party_ids_pass(party: str) -> None:
    assert check_party_id(party) == party
