"""A party's signed word on a contract: approve, refuse, revoke.

    "saferoom/contract/v1" "\\n" {"contract", "decision", "hash", "party", "reason"}

as canonical JSON, under Ed25519

The word is part of what is signed, so that an approval cannot be passed off as anything else; the hash
binds every byte of the contract, the other parties' pinned keys included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.errors import RefusedError, UsageError, VerificationError
from saferoom.identity.signing import sign_statement, verify_statement
from saferoom.kinds.fields import listed

DOMAIN = "saferoom/contract/v1"
MAX_REASON = 1000

Word: TypeAlias = Literal["approve", "refuse", "revoke"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What `party` said: one of approve, refuse, revoke, and why ("" for an approval)."""

    party: str
    decision: str
    reason: str
    signature: bytes


def sign_decision(
    key: Ed25519PrivateKey, contract: Contract, party: str, decision: str, reason: str = ""
) -> Decision:
    """Sign with the party's signing key. Raises UsageError for a word or a reason that does not fit."""
    statement = _statement(contract, party, decision, reason)
    return Decision(party, decision, reason, sign_statement(key, DOMAIN, statement))


def verify_decision(contract: Contract, decision: Decision) -> Decision:
    """Return the decision if the party's pinned key signed it on exactly this contract.

    Raises VerificationError, RefusedError (not a party), UsageError (no such word).
    """
    if decision.party not in contract.parties:
        raise RefusedError(
            "only a party of the contract decides on it", party=decision.party, step="contract"
        )
    verify_statement(
        contract.parties[decision.party].keys.public(decision.party).signing,
        DOMAIN,
        _statement(contract, decision.party, decision.decision, decision.reason),
        decision.signature,
        party=decision.party,
    )
    return decision


def verify_approvals(contract: Contract, signatures: Mapping[str, bytes]) -> Contract:
    """Return the contract if every party, and nobody else, approved it. Raises VerificationError."""
    missing = set(contract.parties) - set(signatures)
    if missing:
        raise VerificationError(
            f"the contract is not signed by {listed(missing)}",
            step="contract",
            remedy="have the missing parties review and approve it",
        )
    strangers = set(signatures) - set(contract.parties)
    if strangers:
        raise VerificationError(
            f"the contract is signed by {listed(strangers)}, not a party", step="contract"
        )
    for party, signature in signatures.items():
        verify_decision(contract, Decision(party, "approve", "", signature))
    return contract


def _statement(contract: Contract, party: str, decision: str, reason: str) -> dict[str, str]:
    if decision not in get_args(Word):
        raise UsageError(f"a decision is one of {listed(get_args(Word))}", party=party, step="contract")
    if len(reason) > MAX_REASON or (decision == "approve" and reason):
        raise UsageError(
            f"a reason goes with a refusal or a revocation, in at most {MAX_REASON} characters", party=party
        )
    return {
        "contract": contract.id,
        "hash": contract_hash(contract).hex(),
        "party": party,
        "decision": decision,
        "reason": reason,
    }
