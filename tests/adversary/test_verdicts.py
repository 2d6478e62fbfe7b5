"""Notes, keys and quorums that must not be believed, whoever gives them."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from saferoom.audit.evidence import verify_bundle
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import EMPTY_ROOT
from saferoom.audit.formats.note import COSIGNATURE_V1, ED25519, NoteSigner, NoteVerifier, split_note
from saferoom.audit.reconcile.flows import cut_numbers
from saferoom.audit.reconcile.receipts import check_receipt
from saferoom.audit.witness.quorum import Quorum, witness_name
from saferoom.ed25519 import is_weak
from saferoom.errors import VerificationError
from saferoom.identity.signing import verify_statement

ORIGIN = "saferoom/bank"
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def signer(name: str, kind: int = ED25519) -> NoteSigner:
    return NoteSigner(name, Ed25519PrivateKey.generate(), kind)


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Points of the twisted Edwards curve, RFC 8032 §5.1."""
    cross = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + cross, -1, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, -1, P)
    return x % P, y % P


def x_of(y: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    return root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P


def small_order() -> list[bytes]:
    """All keys that decode to a point of order 1, 2, 4 or 8: computed, not copied."""
    start = next(
        point
        for y in range(2, 500)
        if (x := x_of(y)) ** 2 * (D * y * y + 1) % P == (y * y - 1) % P
        and len(multiples(point := times((x, y), 2**252 + 27742317777372353535851937790883648493))) == 8
    )
    keys = []
    for _, y in multiples(start):
        for written in (y, y + P):
            if written < 2**255:
                keys += [(written | sign << 255).to_bytes(32, "little") for sign in (0, 1)]
    return keys


def times(point: tuple[int, int], factor: int) -> tuple[int, int]:
    total = (0, 1)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def multiples(point: tuple[int, int]) -> list[tuple[int, int]]:
    found = [point]
    while found[-1] != (0, 1) and len(found) < 9:
        found.append(add(found[-1], point))
    return found


def test_keys_of_small_order_are_weak_and_others_are_not() -> None:
    keys = set(small_order())
    assert len(keys) == 14
    assert all(is_weak(key) for key in keys)
    assert not any(is_weak(Ed25519PrivateKey.generate().public_key().public_bytes_raw()) for _ in range(20))


@pytest.mark.parametrize("kind", [ED25519, COSIGNATURE_V1])
def test_a_key_that_accepts_any_text_is_not_read(kind: int) -> None:
    identity = bytes([1]) + bytes(31)
    key = str(NoteVerifier(ORIGIN, kind, identity))
    with pytest.raises(VerificationError, match="small order"):
        NoteVerifier.parse(key)
    with pytest.raises(SystemExit, match="small order"):
        verify_bundle.Keys(key)


def test_a_weak_key_signs_nothing_wherever_it_is_pinned() -> None:
    """In a contract or a register, too: R = sB with s = 0 would fit any text under the identity."""
    identity = bytes([1]) + bytes(31)
    forged = identity + bytes(32)
    with pytest.raises(VerificationError):
        verify_statement(identity, "saferoom/test", {"a": 1}, forged, party="bank")
    with pytest.raises(VerificationError):
        check_receipt(identity, {"sender": "bank"}, forged.hex())
    with pytest.raises(VerificationError):
        NoteVerifier(ORIGIN, ED25519, identity).check("text\n", forged)
    Ed25519PublicKey.from_public_bytes(identity).verify(forged, b"any text")


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\r", "\t"])
def test_control_characters_spoil_a_note_wherever_they_stand(character: str) -> None:
    own = signer(ORIGIN)
    note = Checkpoint(ORIGIN, 1, bytes(32)).signed(own)
    unknown = f"— some{character}body {base64.b64encode(bytes(68)).decode()}\n"
    with pytest.raises(VerificationError):
        split_note(note + unknown)
    with pytest.raises(verify_bundle.Refused):
        verify_bundle.open_note(note + unknown, verify_bundle.Keys(own.verifier_key))


def test_a_checkpoint_of_no_entries_has_the_empty_root() -> None:
    own = signer(ORIGIN)
    keys = verify_bundle.Keys(own.verifier_key)
    assert sha256().digest() == EMPTY_ROOT
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert Checkpoint.parse(empty.text()) == empty
    assert verify_bundle.open_checkpoint(empty.signed(own), ORIGIN, keys)[0] == 0
    other = Checkpoint(ORIGIN, 0, bytes(32))
    with pytest.raises(VerificationError, match="no entries"):
        Checkpoint.parse(other.text())
    with pytest.raises(verify_bundle.Refused, match="no entries"):
        verify_bundle.open_checkpoint(other.signed(own), ORIGIN, keys)


def test_the_owners_own_cosignature_never_counts() -> None:
    """The owner signs two histories and cosigns both: with its own key given as a witness, too."""
    own, mine, other = (
        signer(ORIGIN),
        signer(witness_name(ORIGIN), COSIGNATURE_V1),
        signer("saferoom/tax/witness", COSIGNATURE_V1),
    )
    checkpoint = Checkpoint(ORIGIN, 3, bytes(32))
    lines = [each.signature_line(checkpoint.text(), time_s=1000) for each in (mine, other)]
    quorum = Quorum.of_keys(2, [mine.verifier_key, other.verifier_key])
    times_seen = quorum.cosigned(checkpoint.text(), lines)
    assert times_seen == {other.name: 1000}
    assert quorum.reached(3, times_seen) is None
    keys = verify_bundle.Keys(
        "\n".join([own.verifier_key, mine.verifier_key, other.verifier_key, "quorum 2"])
    )
    note = checkpoint.signed(own) + "".join(lines)
    assert verify_bundle.open_checkpoint(note, ORIGIN, keys)[2] == {other.name: 1000}


def test_a_cut_of_any_number_is_one_finding_and_not_a_loop() -> None:
    """Nobody counts up to what a log claims; the first cut that is left out is looked at once."""
    assert list(cut_numbers([2**53 - 1, 0, 1])) == [0, 1, 2, 2**53 - 1]
    assert list(cut_numbers([0, 1, 2])) == [0, 1, 2]
    assert list(cut_numbers([])) == []
