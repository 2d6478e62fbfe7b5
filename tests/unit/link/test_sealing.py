"""Job keys: only the right recipient opens them, from the right sender, for the right job."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import UsageError, VerificationError
from saferoom.link.sealing import ENVELOPE_BYTES, open_job_key, seal_job_key
from tests.property import examples


def key_pair() -> tuple[bytes, bytes]:
    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


BANK, TAX, OTHER = key_pair(), key_pair(), key_pair()
CONTEXT = b"contract 0, job 0, bank to tax"


def test_the_recipient_gets_the_key_the_sender_made() -> None:
    key, envelope = seal_job_key(BANK[0], TAX[1], CONTEXT)
    assert len(key) == 32
    assert len(envelope) == ENVELOPE_BYTES
    assert open_job_key(TAX[0], BANK[1], envelope, CONTEXT) == key


def test_keys_are_fresh_and_do_not_stand_in_the_envelope() -> None:
    sealed = [seal_job_key(BANK[0], TAX[1], CONTEXT) for _ in range(8)]
    assert len({key for key, _ in sealed}) == len({envelope for _, envelope in sealed}) == 8
    assert all(key not in envelope for key, envelope in sealed)


@pytest.mark.parametrize(
    ("recipient", "sender", "context"),
    [
        (OTHER[0], BANK[1], CONTEXT),
        (TAX[0], OTHER[1], CONTEXT),
        (TAX[0], BANK[1], b"contract 0, job 1, bank to tax"),
        (TAX[0], BANK[1], b"contract 0, job 0, tax to bank"),
        (TAX[0], BANK[1], b"contract 1, job 0, bank to tax"),
    ],
    ids=["recipient", "sender", "session", "direction", "contract"],
)
def test_another_recipient_sender_or_context_is_refused(
    recipient: bytes, sender: bytes, context: bytes
) -> None:
    _, envelope = seal_job_key(BANK[0], TAX[1], CONTEXT)
    with pytest.raises(VerificationError):
        open_job_key(recipient, sender, envelope, context)


@examples(40)
@given(st.integers(0, ENVELOPE_BYTES - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, change: int) -> None:
    _, envelope = seal_job_key(BANK[0], TAX[1], CONTEXT)
    changed = envelope[:at] + bytes([envelope[at] ^ change]) + envelope[at + 1 :]
    # The top bit of an X25519 coordinate is ignored by definition (RFC 7748), but HPKE binds the bytes.
    with pytest.raises(VerificationError):
        open_job_key(TAX[0], BANK[1], changed, CONTEXT)


@given(st.binary(max_size=200))
def test_garbage_is_refused(envelope: bytes) -> None:
    with pytest.raises(VerificationError):
        open_job_key(TAX[0], BANK[1], envelope, CONTEXT)


def test_unusable_keys_are_refused_by_the_sender() -> None:
    for public in (bytes(32), bytes(31), b""):
        with pytest.raises(UsageError):
            seal_job_key(BANK[0], public, CONTEXT)
