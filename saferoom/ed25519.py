"""Checking Ed25519 signatures (RFC 8032), for every room: keys that fit forged signatures are refused."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_SMALL_ORDER = frozenset(
    bytes.fromhex(encoded)
    for encoded in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""Points of order 1, 2, 4 and 8 as they may be written, without the bit of the sign."""


def is_weak(public_key: bytes) -> bool:
    """Whether a key (32 bytes) is a point of small order: such a key fits forged signatures."""
    return public_key[:31] + bytes([public_key[31] & 0x7F]) in _SMALL_ORDER


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature unless the key signed the message, ValueError if the key is not one."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    if is_weak(public_key):
        raise InvalidSignature
    key.verify(signature, message)
