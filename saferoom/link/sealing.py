"""Sealing the keys of a job for one peer: HPKE in authenticated mode.

A sender makes a fresh random key for each (job, session, direction) and seals it with the sealing keys
pinned in the contract. The receiver learns the key, and that this sender and no other sealed it for
exactly this contract, job, session and direction.

    envelope = version 1, u8 | encapsulated key, 32 bytes | ciphertext and tag, 48 bytes

Source: RFC 9180, mode_auth, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; the context is `info`.
One HPKE context seals or opens one key: a failed opening spoils a context.
"""

from __future__ import annotations

import secrets

from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from Crypto.PublicKey.ECC import EccKey

from saferoom.errors import UsageError, VerificationError

KEY_BYTES = 32
ENVELOPE_VERSION = 1
ENVELOPE_BYTES = 1 + 32 + KEY_BYTES + 16
_SUITE = HPKE.AEAD.AES256_GCM
_DOMAIN = b"saferoom/v1/job-key"


def seal_job_key(sender_private: bytes, recipient_public: bytes, context: bytes) -> tuple[bytes, bytes]:
    """A fresh 32-byte key, and the envelope that carries it to the recipient.

    `sender_private`, `recipient_public`: raw X25519 keys, 32 bytes. Raises UsageError on keys that are not.
    """
    key = secrets.token_bytes(KEY_BYTES)
    try:
        cipher = HPKE.new(
            receiver_key=_public(recipient_public),
            sender_key=_private(sender_private),
            aead_id=_SUITE,
            info=_info(context),
        )
        sealed = cipher.seal(key)
    except ValueError as error:
        raise UsageError("a sealing key is not a usable X25519 key of 32 bytes") from error
    return key, bytes([ENVELOPE_VERSION]) + cipher.enc + sealed


def open_job_key(recipient_private: bytes, sender_public: bytes, envelope: bytes, context: bytes) -> bytes:
    """The key in `envelope`. Raises VerificationError unless this sender sealed it for us, for this."""
    if len(envelope) != ENVELOPE_BYTES or envelope[0] != ENVELOPE_VERSION:
        raise VerificationError(f"a job key envelope is {ENVELOPE_BYTES} bytes of version {ENVELOPE_VERSION}")
    try:
        cipher = HPKE.new(
            receiver_key=_private(recipient_private),
            sender_key=_public(sender_public),
            enc=envelope[1:33],
            aead_id=_SUITE,
            info=_info(context),
        )
        key = cipher.unseal(envelope[33:])
    except ValueError as error:
        raise VerificationError(
            "the job key does not open: another sender, another job or contract, or changed on the way",
            remedy="compare the sealing keys in the contract with the nodes' own",
        ) from error
    return bytes(key)


def _info(context: bytes) -> bytes:
    return _DOMAIN + context


def _private(raw: bytes) -> EccKey:
    return import_x25519_private_key(raw)


def _public(raw: bytes) -> EccKey:
    return import_x25519_public_key(raw)
