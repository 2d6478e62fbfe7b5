"""Signed notes against the published vectors of golang.org/x/mod/sumdb/note and of C2SP."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.merkle import EMPTY_ROOT
from saferoom.audit.formats.note import (
    COSIGNATURE_V1,
    NoteSigner,
    NoteVerifier,
    open_note,
    sign_note,
    split_note,
)
from saferoom.errors import UsageError, VerificationError

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BLOB = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
LINE = f"— PeterNeumann {BLOB}\n"
NOTE = f"{TEXT}\n{LINE}"

SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501


def peter() -> NoteVerifier:
    return NoteVerifier.parse(PETER)


def test_the_published_note_opens() -> None:
    opened = open_note(NOTE, [peter()])
    assert opened.text == TEXT
    assert [signature.name for signature in opened.signatures] == ["PeterNeumann"]


def test_signing_gives_the_published_bytes() -> None:
    signer = NoteSigner("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SECRET))
    assert signer.verifier_key == PETER
    assert sign_note(TEXT, signer) == NOTE


@pytest.mark.parametrize(
    "bad",
    [
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        "\x01" + NOTE,
        b"\xff" + NOTE.encode(),
        TEXT + f"\n— Bad Name {BLOB}\n",
        NOTE + "Unexpected line.\n",
        TEXT + "\n— PeterNeumann AAAA\n",
        TEXT + f"\n- PeterNeumann {BLOB}\n",
        TEXT + "\n" + LINE.replace("=", ""),
        TEXT + "\n" + LINE * 101,
        "x" * 1_000_001 + NOTE,
    ],
)
def test_malformed_notes_are_refused(bad: str | bytes) -> None:
    with pytest.raises(VerificationError):
        open_note(bad, [peter()])


@pytest.mark.parametrize(
    "bad",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        *(PETER[:cut] for cut in range(len(PETER))),
        *(PETER[cut:] for cut in range(1, len(PETER))),
    ],
)
def test_mangled_verifier_keys_are_refused(bad: str) -> None:
    with pytest.raises(VerificationError):
        NoteVerifier.parse(bad)


def test_rules_for_several_signatures() -> None:
    corrupted = LINE.replace("RyyBwJnAM=", "RyyBwJnBM=")
    assert corrupted != LINE
    assert open_note(NOTE + corrupted, [peter()]).text == TEXT
    with pytest.raises(VerificationError, match="is wrong"):
        open_note(f"{TEXT}\n{corrupted}{LINE}", [peter()])
    with pytest.raises(VerificationError, match="share"):
        open_note(NOTE, [peter(), peter()])
    assert open_note(f"{TEXT}\n{LINE * 100}", [peter()]).text == TEXT
    with pytest.raises(VerificationError, match="none of the given keys"):
        open_note(NOTE, [NoteSigner("other", Ed25519PrivateKey.generate()).verifier])


def test_the_last_blank_line_divides() -> None:
    signer = NoteSigner("a", Ed25519PrivateKey.generate())
    assert open_note(sign_note("one\n\ntwo\n", signer), [signer.verifier]).text == "one\n\ntwo\n"


def test_the_specification_example_parses() -> None:
    text, lines = split_note(SOFA)
    assert Checkpoint.parse(text).size == 20852163
    (_, log), (_, witness) = lines
    assert (len(log), len(witness)) == (4 + 64, 4 + 8 + 64)
    assert int.from_bytes(witness[4:12], "big") == 1679315147


def test_cosignature_carries_a_signed_time() -> None:
    log = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
    witness = NoteSigner("saferoom/tax", Ed25519PrivateKey.generate(), COSIGNATURE_V1)
    assert base64.b64decode(witness.verifier_key.split("+", 2)[2])[0] == 4
    body = Checkpoint(log.name, 0, EMPTY_ROOT).text()
    note = sign_note(body, log) + witness.signature_line(body, time_s=1_800_000_000)
    opened = open_note(note, [log.verifier, witness.verifier])
    assert [s.time_s for s in opened.signatures] == [None, 1_800_000_000]
    blob = base64.b64decode(note.split(" ")[-1])
    later = base64.b64encode(blob[:11] + bytes([blob[11] ^ 1]) + blob[12:]).decode()
    with pytest.raises(VerificationError):
        open_note(note.rsplit(" ", 1)[0] + f" {later}\n", [log.verifier, witness.verifier])


def test_signers_refuse_misuse() -> None:
    key = Ed25519PrivateKey.generate()
    for name in ("", "two words", "a+b"):
        with pytest.raises(UsageError):
            NoteSigner(name, key)
    with pytest.raises(UsageError):
        NoteSigner("a", key, kind=2)
    with pytest.raises(UsageError):
        NoteSigner("a", key).signature_line("x\n", time_s=1)
    with pytest.raises(UsageError):
        sign_note("no newline", NoteSigner("a", key))
    assert "rivate" not in repr(NoteSigner("a", key)).replace("NoteSigner", "")


@pytest.mark.parametrize(
    "text",
    [
        "a\n1\n",
        "a\n01\nroot\n",
        "a\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JA==\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        Checkpoint.parse(text)


def test_a_checkpoint_is_signed_by_the_key_of_its_own_log() -> None:
    stranger = NoteSigner("saferoom/tax", Ed25519PrivateKey.generate())
    note = Checkpoint("saferoom/bank", 0, EMPTY_ROOT).signed(stranger)
    with pytest.raises(VerificationError, match="own log"):
        open_checkpoint(note, [stranger.verifier])
