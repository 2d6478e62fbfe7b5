"""Somebody between the parties alters a signed contract, swaps keys, or reuses signatures: all are caught."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.checks import check_active
from saferoom.contracts.contract import Contract, PinnedKeys, parse_contract
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.signatures import sign_decision, verify_approvals, verify_decision
from saferoom.errors import SafeRoomError, VerificationError
from saferoom.identity.keys import NodeKeys

NOW = datetime(2025, 3, 3, tzinfo=UTC)
KEYS = {name: NodeKeys.generate(name) for name in ("bank", "tax", "utility", "coordinator", "helper")}


def draft(**changes: Any) -> dict[str, Any]:
    parties = {
        name: {
            "organisation": name,
            "role": role,
            "dataset": "d",
            "columns": {"uscc": "id", "x": "feature", **({"y": "label"} if name == "bank" else {})},
        }
        for name, role in (("bank", "label_holder"), ("tax", "feature_holder"), ("utility", "feature_holder"))
    }
    return {
        "id": "c-1",
        "title": "t",
        "purpose": "credit",
        "legal_basis": "b",
        "parties": parties,
        "task": {"kind": "logistic"},
        "assumptions": ["semi_honest_parties", "helper_does_not_collude"],
        **changes,
    }


def contract(**changes: Any) -> Contract:
    return draft_contract(draft(**changes), {name: keys.public() for name, keys in KEYS.items()}, now=NOW)


def approvals(agreed: Contract) -> dict[str, bytes]:
    return {p: sign_decision(KEYS[p].signing, agreed, p, "approve").signature for p in agreed.parties}


AGREED = contract()
SIGNED = approvals(AGREED)


def test_the_untouched_contract_passes() -> None:
    assert check_active(parse_contract(canonical_bytes(AGREED)), SIGNED, NOW) == AGREED


def test_signatures_do_not_carry_over_to_other_terms() -> None:
    for changes in (
        {"minimum_rows": 99},
        {"title": "u"},
        {"quotas": {"scores_per_day": 10**9}},
        {"id": "c-2"},
    ):
        with pytest.raises(VerificationError, match="does not verify"):
            verify_approvals(contract(**changes), SIGNED)


def test_no_byte_of_a_contract_can_be_changed() -> None:
    encoded = canonical_bytes(AGREED)
    for place in range(0, len(encoded), 3):
        for bit in (1, 4):
            changed = bytearray(encoded)
            changed[place] ^= bit
            try:
                altered = parse_contract(bytes(changed))
                verify_approvals(altered, SIGNED)
            except SafeRoomError:
                continue
            pytest.fail(f"byte {place} was changed and nobody noticed")


def test_no_byte_of_a_signature_can_be_changed() -> None:
    for place in range(64):
        forged = bytearray(SIGNED["tax"])
        forged[place] ^= 1
        with pytest.raises(VerificationError) as caught:
            verify_approvals(AGREED, {**SIGNED, "tax": bytes(forged)})
        assert caught.value.party == "tax"


def test_a_party_cannot_sign_for_another() -> None:
    by_bank = sign_decision(KEYS["bank"].signing, AGREED, "tax", "approve")
    with pytest.raises(VerificationError):
        verify_decision(AGREED, by_bank)
    with pytest.raises(VerificationError):
        verify_approvals(AGREED, {**SIGNED, "tax": SIGNED["bank"]})
    with pytest.raises(VerificationError):
        verify_approvals(AGREED, {"bank": SIGNED["tax"], "tax": SIGNED["bank"], "utility": SIGNED["utility"]})


def test_the_log_key_and_the_tls_key_do_not_sign_contracts() -> None:
    by_log_key = sign_decision(KEYS["tax"].log, AGREED, "tax", "approve")
    with pytest.raises(VerificationError):
        verify_decision(AGREED, by_log_key)


def test_a_coordinator_that_swaps_a_sealing_key_is_caught() -> None:
    """The man in the middle: tax's sealing key replaced by one the coordinator knows."""
    mine = NodeKeys.generate("tax")
    plain = AGREED.to_plain()
    keys = KEYS["tax"].public()
    swapped = type(keys)("tax", keys.signing, mine.public().sealing, keys.log)
    plain["parties"]["tax"]["keys"] = PinnedKeys.of(swapped).model_dump()
    altered = parse_contract(json.dumps(plain))
    with pytest.raises(VerificationError, match="does not verify"):
        verify_approvals(altered, SIGNED)
    assert altered.pinned_keys()["tax"] != KEYS["tax"].public(), "and tax's node sees that it is not its key"
    honest = KEYS["tax"].public().fingerprint()
    with pytest.raises(VerificationError):
        altered.pinned_keys()["tax"].check_fingerprint(honest)


def test_an_approval_of_an_old_contract_does_not_open_its_successor() -> None:
    successor = contract(id="c-1", minimum_rows=50)
    assert successor.id == AGREED.id
    with pytest.raises(VerificationError):
        verify_approvals(successor, SIGNED)
