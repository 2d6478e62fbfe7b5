"""Receipts: what a sender signs of a transcript, so that nobody can invent what it received.

    saferoom/transcript/v1 newline
    canonical JSON of {contract, cut, digest, job, messages, phase, receiver, sender}

The sender's node signs with the key that the contract pins; the receiver keeps the signature in its own
entry. An auditor who has the contract checks it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature

from saferoom.audit.formats.canonical import encode
from saferoom.ed25519 import verify
from saferoom.errors import VerificationError

DOMAIN = "saferoom/transcript/v1"


def receipt_body(
    contract_hash: str, job: str, sender: str, receiver: str, peer: Mapping[str, Any]
) -> dict[str, Any]:
    """What is signed. `peer` has an entry's words: `cut`, `phase`, `messages`, `transcript`."""
    return {
        "contract": contract_hash,
        "cut": peer["cut"],
        "digest": peer["transcript"],
        "job": job,
        "messages": peer["messages"],
        "phase": peer["phase"],
        "receiver": receiver,
        "sender": sender,
    }


def check_receipt(public_key: bytes, body: Mapping[str, Any], receipt: str) -> None:
    """Check a receipt (hexadecimal) under the sender's signing key.

    Raises: VerificationError naming the sender.
    """
    try:
        signed = f"{DOMAIN}\n".encode() + encode(body)
        verify(public_key, bytes.fromhex(receipt), signed)
    except (InvalidSignature, ValueError) as exc:
        raise VerificationError(
            "the receipt is not the sender's signature over this transcript",
            party=str(body["sender"]),
            step="receipt",
        ) from exc
