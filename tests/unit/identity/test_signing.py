"""Signed statements and their canonical form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import UsageError, VerificationError
from saferoom.identity.signing import canonical_json, sign_statement, statement_bytes, verify_statement

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_json_is_json_of_the_same_value(value: Any) -> None:
    encoded = canonical_json(value)
    assert json.loads(encoded) == value
    assert canonical_json(json.loads(encoded)) == encoded


@given(st.dictionaries(text, values, max_size=5))
def test_the_order_of_keys_does_not_count(value: dict[str, Any]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_the_example_of_the_specification() -> None:
    value = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
    assert canonical_json(value) == expected.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, "\ud800"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(UsageError):
        canonical_json({"x": value})


def test_the_signed_bytes_are_the_documented_ones() -> None:
    assert statement_bytes("a/b/v1", {"z": 1, "a": "税"}) == 'a/b/v1\n{"a":"税","z":1}'.encode()


def test_a_signature_counts_for_its_statement_domain_and_key_only() -> None:
    signature = sign_statement(KEY, "a/v1", {"x": 1})
    verify_statement(PUBLIC, "a/v1", {"x": 1}, signature, party="bank")
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for public, domain, body, signed in (
        (other, "a/v1", {"x": 1}, signature),
        (PUBLIC, "b/v1", {"x": 1}, signature),
        (PUBLIC, "a/v1", {"x": 2}, signature),
        (PUBLIC, "a/v1", {"x": 1}, bytes(64)),
        (PUBLIC, "a/v1", {"x": 1}, signature[:63]),
        (b"short", "a/v1", {"x": 1}, signature),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_statement(public, domain, body, signed, party="bank")
        assert caught.value.party == "bank"
