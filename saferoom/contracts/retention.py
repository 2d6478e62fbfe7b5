"""How long what a job left may be kept, and a party's signed order to destroy a model before that.

Kept for `retention_days` after the job's end, and never longer than the contract. Both are told by a node's
own clock; before that, a party's signed revocation or order destroys. The coordinator's word alone destroys
nothing.

    "saferoom/destroy/v1" "\\n" {"contract", "hash", "job", "party", "reason"}

as canonical JSON, under the party's Ed25519 signing key
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.errors import RefusedError, UsageError
from saferoom.identity.signing import sign_statement, verify_statement

DOMAIN = "saferoom/destroy/v1"
MAX_REASON = 400


def due(contract: Contract, ended: datetime) -> datetime:
    """When what a job that ended at `ended` left is to be destroyed at the latest."""
    return min(ended + timedelta(days=contract.retention_days), contract.expires)


@dataclass(frozen=True, slots=True)
class DestroyOrder:
    """`party` wants the model of `job` destroyed at every node, with the scores made with it."""

    job: str
    party: str
    reason: str
    signature: bytes


def sign_order(key: Ed25519PrivateKey, contract: Contract, job: str, party: str, reason: str) -> DestroyOrder:
    """Sign with the party's signing key. Raises UsageError for a reason that is missing or too long."""
    if not reason or len(reason) > MAX_REASON:
        raise UsageError(f"an order to destroy has a reason of at most {MAX_REASON} characters", party=party)
    return DestroyOrder(
        job, party, reason, sign_statement(key, DOMAIN, _statement(contract, job, party, reason))
    )


def verify_order(contract: Contract, order: DestroyOrder) -> DestroyOrder:
    """Return the order if a party of the contract signed it with its pinned key.

    Raises RefusedError (not a party), VerificationError.
    """
    if order.party not in contract.parties:
        raise RefusedError("only a party of the contract orders that", party=order.party, step="destroy")
    verify_statement(
        contract.parties[order.party].keys.public(order.party).signing,
        DOMAIN,
        _statement(contract, order.job, order.party, order.reason),
        order.signature,
        party=order.party,
    )
    return order


def _statement(contract: Contract, job: str, party: str, reason: str) -> dict[str, str]:
    return {
        "contract": contract.id,
        "hash": contract_hash(contract).hex(),
        "job": job,
        "party": party,
        "reason": reason,
    }
