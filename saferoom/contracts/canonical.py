"""The one form of a contract that is hashed and signed: RFC 8785 JSON, SHA-256."""

from __future__ import annotations

import hashlib

from saferoom.contracts.contract import Contract
from saferoom.identity.signing import canonical_json

HASH_BYTES = 32


def canonical_bytes(contract: Contract) -> bytes:
    """Canonical JSON. `parse_contract` reads it back to an equal contract."""
    return canonical_json(contract.to_plain())


def contract_hash(contract: Contract) -> bytes:
    """SHA-256 of the canonical bytes, 32 bytes: what parties sign."""
    return hashlib.sha256(canonical_bytes(contract)).digest()
