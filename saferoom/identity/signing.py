"""Signed statements: Ed25519 (RFC 8032) over a domain line and canonical JSON (RFC 8785).

    domain "\\n" canonical-json

The domain (`saferoom/contract/v1`, ...) keeps a signature made for one purpose from counting for another.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.ed25519 import verify
from saferoom.errors import UsageError, VerificationError

KEY_BYTES = 32
SIGNATURE_BYTES = 64


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value. Raises UsageError for what JSON cannot hold (NaN, 2**53, ...)."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as exc:
        raise UsageError("the value has no canonical JSON form") from exc


def statement_bytes(domain: str, body: Mapping[str, Any]) -> bytes:
    """The bytes that are signed."""
    return domain.encode("ascii") + b"\n" + canonical_json(dict(body))


def sign_statement(key: Ed25519PrivateKey, domain: str, body: Mapping[str, Any]) -> bytes:
    """A 64-byte signature over `body` for the purpose `domain`."""
    return key.sign(statement_bytes(domain, body))


def verify_statement(
    public_key: bytes, domain: str, body: Mapping[str, Any], signature: bytes, *, party: str
) -> None:
    """Raise VerificationError naming `party` unless `signature` is its key's over exactly this statement."""
    try:
        verify(public_key, signature, statement_bytes(domain, body))
    except (InvalidSignature, ValueError) as exc:
        raise VerificationError(
            f"the signature on {domain} does not verify: the text was altered or another key signed it",
            party=party,
            remedy="get the document again from its author, and compare fingerprints by telephone",
        ) from exc


def encode_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def decode_base64(text: str, size_bytes: int, what: str) -> bytes:
    """Exactly `size_bytes` from the one standard base64 spelling of them. Raises VerificationError."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise VerificationError(f"the {what} is not base64") from exc
    if len(value) != size_bytes or encode_base64(value) != text:
        raise VerificationError(f"the {what} must be {size_bytes} bytes in base64, got {len(value)}")
    return value
