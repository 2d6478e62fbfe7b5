"""Signed words: they count for one party, one contract, one word, one reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.signatures import DOMAIN, Decision, sign_decision, verify_approvals, verify_decision
from saferoom.errors import RefusedError, UsageError, VerificationError
from saferoom.identity.signing import sign_statement


def said(house: Any, contract: Any, party: str, word: str = "approve", reason: str = "") -> Decision:
    return sign_decision(house.keys[party].signing, contract, party, word, reason)


@pytest.mark.parametrize(
    ("word", "reason"), [("approve", ""), ("refuse", "列太多"), ("refuse", ""), ("revoke", "leak")]
)
def test_a_decision_verifies(house: Any, word: str, reason: str) -> None:
    contract = house.contract()
    decision = said(house, contract, "tax", word, reason)
    assert verify_decision(contract, decision) is decision


def test_all_approvals_make_a_contract_complete(house: Any) -> None:
    contract = house.contract()
    signed = {party: said(house, contract, party).signature for party in contract.parties}
    assert verify_approvals(contract, signed) is contract


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "revoke"},
        {"reason": "another"},
        {"party": "bank"},
        {"signature": bytes(64)},
        {"signature": b""},
    ],
)
def test_a_changed_decision_is_noticed(house: Any, change: dict[str, Any]) -> None:
    contract = house.contract()
    decision = said(house, contract, "tax", "refuse", "too wide")
    with pytest.raises(VerificationError, match="does not verify"):
        verify_decision(contract, replace(decision, **change))


def test_a_refusal_is_never_an_approval(house: Any) -> None:
    contract = house.contract()
    refusal = said(house, contract, "tax", "refuse")
    with pytest.raises(VerificationError):
        verify_decision(contract, replace(refusal, decision="approve"))
    with pytest.raises(VerificationError):
        verify_decision(contract, replace(said(house, contract, "tax"), decision="revoke"))


def test_strangers_have_no_word(house: Any) -> None:
    contract = house.contract()
    for stranger in ("coordinator", "helper"):
        decision = sign_decision(house.keys[stranger].signing, contract, stranger, "approve")
        with pytest.raises(RefusedError, match="only a party"):
            verify_decision(contract, decision)


@pytest.mark.parametrize("word", ["", "Approve", "yes"])
def test_there_are_three_words(house: Any, word: str) -> None:
    with pytest.raises(UsageError, match="approve, refuse and revoke"):
        said(house, house.contract(), "tax", word)


def test_reasons_are_short_and_not_for_approvals(house: Any) -> None:
    with pytest.raises(UsageError):
        said(house, house.contract(), "tax", "approve", "because")
    with pytest.raises(UsageError):
        said(house, house.contract(), "tax", "refuse", "x" * 1001)


def test_what_is_signed_is_the_documented_statement(house: Any) -> None:
    contract = house.contract()
    statement = {
        "contract": "sme-2025",
        "hash": contract_hash(contract).hex(),
        "party": "tax",
        "decision": "revoke",
        "reason": "leak",
    }
    expected = sign_statement(house.keys["tax"].signing, DOMAIN, statement)
    assert said(house, contract, "tax", "revoke", "leak").signature == expected
