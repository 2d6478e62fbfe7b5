"""Signed notes: a text, a blank line, and signature lines, as C2SP signed-note says.

    saferoom/bank                                            text, ends in a newline
    42
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=
                                                             one blank line (the last one counts)
    — saferoom/bank Az3grlgt…                                — name base64(key id ‖ signature)

    key id         first 4 bytes of SHA256(name ‖ 0A ‖ type ‖ public key)
    verifier key   name + hex(key id) + base64(type ‖ public key)
    type 01        Ed25519 over the text
    type 04        cosignature/v1: u64be(time) ‖ Ed25519 over "cosignature/v1\\ntime <t>\\n" + text

Lines of unknown keys are ignored. A known key with a bad signature spoils the whole note, and so does a
control character anywhere.

Source: c2sp.org/signed-note, c2sp.org/tlog-cosignature; golang.org/x/mod/sumdb/note for the limits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.ed25519 import is_weak, verify
from saferoom.errors import UsageError, VerificationError

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100

_DASH = "— "
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_PUBLIC_KEY_BYTES = 32
_STEP = "signed note"


def check_key_name(name: str) -> str:
    """Return `name` if it may stand in a note: not empty, no white space, no plus sign.

    Raises: UsageError.
    """
    if not name or "+" in name or any(c.isspace() for c in name):
        raise UsageError("a key name is not empty and holds neither white space nor '+'")
    return name


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """The 4 bytes that find a key among others. Not a commitment to it."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:_KEY_ID_BYTES]


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Signs notes under `name` with an Ed25519 key that the caller made and keeps."""

    name: str
    private_key: Ed25519PrivateKey = field(repr=False)
    kind: int = ED25519

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE_V1):
            raise UsageError("a note signer is of type 01 (Ed25519) or 04 (cosignature/v1)")

    @property
    def verifier(self) -> NoteVerifier:
        return NoteVerifier(self.name, self.kind, self.private_key.public_key().public_bytes_raw())

    @property
    def verifier_key(self) -> str:
        """The public text that an auditor pins."""
        return str(self.verifier)

    def signature_line(self, text: str, *, time_s: int | None = None) -> str:
        """The line that signs `text`.

        A cosignature carries `time_s`, seconds since 1970; a signature none.
        """
        check_text(text)
        if (time_s is None) != (self.kind == ED25519):
            raise UsageError("a cosignature carries a time, a log's own signature none")
        if time_s is None:
            signature = self.private_key.sign(text.encode())
        else:
            stamp = time_s.to_bytes(_TIME_BYTES, "big")
            signature = stamp + self.private_key.sign(_cosigned(text, time_s))
        blob = base64.b64encode(self.verifier.key_id + signature).decode()
        return f"{_DASH}{self.name} {blob}\n"


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key that notes are checked against; its text is the verifier key."""

    name: str
    kind: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.kind, self.public_key)

    def __str__(self) -> str:
        blob = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{blob}"

    @classmethod
    def parse(cls, verifier_key: str) -> NoteVerifier:
        """Read a verifier key. Raises: VerificationError if it is malformed or its parts do not agree."""
        parts = verifier_key.split("+", 2)
        try:
            name, shown, blob = parts
            key = _unbase64(blob)
            check_key_name(name).encode()
        except (ValueError, UsageError) as exc:
            raise VerificationError("a verifier key reads name+8 hex digits+base64", step=_STEP) from exc
        if not key or key[0] not in (ED25519, COSIGNATURE_V1) or len(key) != 1 + _PUBLIC_KEY_BYTES:
            raise VerificationError("a verifier key is Ed25519, of type 01 or 04", step=_STEP)
        if is_weak(key[1:]):
            raise VerificationError(
                "a verifier key that accepts signatures which nobody made (a point of small order)",
                step=_STEP,
            )
        verifier = cls(name, key[0], key[1:])
        if verifier.key_id.hex() != shown:
            raise VerificationError(
                "the verifier key's digits do not fit its key: mistyped or altered", step=_STEP
            )
        return verifier

    def check(self, text: str, signature: bytes) -> int | None:
        """Check one signature over `text`; gives a cosignature's time in seconds, else None.

        Raises: VerificationError.
        """
        try:
            if self.kind == ED25519:
                verify(self.public_key, signature, text.encode())
                return None
            time_s = int.from_bytes(signature[:_TIME_BYTES], "big")
            verify(self.public_key, signature[_TIME_BYTES:], _cosigned(text, time_s))
        except (InvalidSignature, ValueError) as exc:
            raise VerificationError(f"the signature of {self.name} on the note is wrong", step=_STEP) from exc
        return time_s


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was checked. `time_s` is a cosignature's time."""

    name: str
    key_id: bytes
    time_s: int | None = None


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which at least one signature by a known key was checked."""

    text: str
    signatures: tuple[Signature, ...]


def sign_note(text: str, signer: NoteSigner) -> str:
    """The text, a blank line, and the signer's line."""
    return f"{text}\n{signer.signature_line(text)}"


def check_text(text: str) -> str:
    """Return `text` if it may be signed: ends in a newline, has no other control character.

    Raises: UsageError.
    """
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise UsageError("a note's text ends in a newline and holds no other control character")
    return text


def open_note(note: str | bytes, verifiers: Iterable[NoteVerifier]) -> OpenedNote:
    """Check a note against known keys.

    Raises: VerificationError if the note is malformed, if a known key's signature is wrong, if two known keys
    share a name and id, or if no known key signed it.
    """
    text, lines = split_note(note)
    known: dict[tuple[str, bytes], list[NoteVerifier]] = {}
    for verifier in verifiers:
        known.setdefault((verifier.name, verifier.key_id), []).append(verifier)
    good: dict[tuple[str, bytes], Signature] = {}
    for name, blob in lines:
        who = (name, blob[:_KEY_ID_BYTES])
        if who not in known or who in good:
            continue
        if len(known[who]) > 1:
            raise VerificationError(f"two of the given keys share the name and id of {name}", step=_STEP)
        time_s = known[who][0].check(text, blob[_KEY_ID_BYTES:])
        good[who] = Signature(name, who[1], time_s)
    if not good:
        raise VerificationError(
            "none of the given keys signed this note",
            step=_STEP,
            remedy="compare the verifier key with the one the party reads out",
        )
    return OpenedNote(text, tuple(good.values()))


def split_note(note: str | bytes) -> tuple[str, Sequence[tuple[str, bytes]]]:
    """A note's text and its (name, key id ‖ signature) lines, nothing checked but the form.

    Raises: VerificationError.
    """
    try:
        whole = note.decode() if isinstance(note, bytes) else note
        check_text(whole)
        if len(whole.encode()) > MAX_NOTE_BYTES:
            raise VerificationError(f"a note has at most {MAX_NOTE_BYTES} bytes", step=_STEP)
        body, blank, tail = whole.rpartition("\n\n")
        text = check_text(body + "\n")
    except (UnicodeError, UsageError) as exc:
        raise VerificationError("the note is not a text with a final newline", step=_STEP) from exc
    if not blank or not tail.endswith("\n"):
        raise VerificationError("the note has no blank line before its signature lines", step=_STEP)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise VerificationError(f"a note has at most {MAX_SIGNATURES} signatures", step=_STEP)
    return text, [_parse_line(line) for line in lines]


def parse_signature_line(line: str) -> tuple[str, bytes, bytes]:
    """A signature line's name, key id and signature; only the form is checked. Raises: VerificationError."""
    name, blob = _parse_line(line.removesuffix("\n"))
    return name, blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:]


def _parse_line(line: str) -> tuple[str, bytes]:
    try:
        name, blob = line.removeprefix(_DASH).split(" ")
        check_key_name(name)
        signature = _unbase64(blob)
    except (ValueError, UsageError) as exc:
        raise VerificationError("a signature line reads '— name base64'", step=_STEP) from exc
    if not line.startswith(_DASH) or len(signature) <= _KEY_ID_BYTES:
        raise VerificationError("a signature line reads '— name base64'", step=_STEP)
    return name, signature


def _unbase64(text: str) -> bytes:
    """Strict, canonical base64: one text a value. Raises: ValueError."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode() != text:
        raise binascii.Error("not canonical base64")
    return value
