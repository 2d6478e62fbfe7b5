"""A node's public keys and the fingerprint that two people compare over the telephone.

Fingerprint: 40 decimal digits in 8 groups of 5. Digits are the same in every language and hard to mishear.

    N = SHA-256("saferoom/fingerprint/v1" 00 node-id 00 signing sealing log)  as a big-endian number
    35 digits of N mod 10**35 (116 bits), then 5 digits: that number mod 99989

99989 is prime, so the last group catches every single wrong digit and every pair of neighbours swapped.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saferoom.errors import ConfigError, VerificationError
from saferoom.identity.signing import KEY_BYTES, decode_base64, encode_base64
from saferoom.ids import check_party_id

_DOMAIN = b"saferoom/fingerprint/v1"
_HASH_DIGITS = 35
_CHECK_DIGITS = 5
_CHECK_PRIME = 99989
_GROUP = 5
FIELDS = ("node_id", "signing", "sealing", "log")


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What others pin of a node: Ed25519 `signing` and `log`, X25519 `sealing`; raw, 32 bytes each."""

    node_id: str
    signing: bytes
    sealing: bytes
    log: bytes

    def __post_init__(self) -> None:
        check_party_id(self.node_id)
        if {len(self.signing), len(self.sealing), len(self.log)} != {KEY_BYTES}:
            raise VerificationError(f"public keys are {KEY_BYTES} bytes each", party=self.node_id)

    def fingerprint(self) -> str:
        """`12345 67890 ...`, 8 groups of 5 digits; depends on the node id and all three keys."""
        digest = hashlib.sha256(
            b"\0".join([_DOMAIN, self.node_id.encode("ascii"), self.signing + self.sealing + self.log])
        )
        number = int.from_bytes(digest.digest()) % 10**_HASH_DIGITS
        return _grouped(f"{number:0{_HASH_DIGITS}d}{number % _CHECK_PRIME:0{_CHECK_DIGITS}d}")

    def check_fingerprint(self, read_out: str) -> PublicKeys:
        """Return self if `read_out`, as somebody typed it, is this fingerprint. Raises VerificationError."""
        if parse_fingerprint(read_out) != self.fingerprint():
            raise VerificationError(
                "the fingerprint read out is not that of these keys",
                party=self.node_id,
                remedy="do not go on: ask the party on a line you trust which keys are its own",
            )
        return self

    def to_json(self) -> dict[str, str]:
        return {
            "node_id": self.node_id,
            "signing": encode_base64(self.signing),
            "sealing": encode_base64(self.sealing),
            "log": encode_base64(self.log),
        }

    @classmethod
    def from_json(cls, value: Any) -> PublicKeys:
        """Inverse of `to_json`; a `fingerprint` beside the keys must be theirs. Raises VerificationError."""
        fields = {**value} if isinstance(value, Mapping) else {}
        fingerprint = fields.pop("fingerprint", None)
        if set(fields) != set(FIELDS) or not all(isinstance(text, str) for text in fields.values()):
            raise VerificationError(f"public keys must have exactly the fields {', '.join(FIELDS)}")
        try:
            node_id = check_party_id(fields["node_id"])
        except ConfigError as exc:
            raise VerificationError(exc.message) from exc
        raw = [decode_base64(fields[name], KEY_BYTES, f"{name} key") for name in FIELDS[1:]]
        keys = cls(node_id, *raw)
        return keys if fingerprint is None else keys.check_fingerprint(str(fingerprint))


def parse_fingerprint(text: str) -> str:
    """The usual spelling of a fingerprint typed with any spaces, hyphens or full-width digits.

    Raises VerificationError if digits are missing or the last group does not fit (a typing error).
    """
    folded = unicodedata.normalize("NFKC", text)
    digits = "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Pd")
    if not (digits.isascii() and digits.isdigit() and len(digits) == _HASH_DIGITS + _CHECK_DIGITS):
        raise VerificationError(
            f"a fingerprint has {_HASH_DIGITS + _CHECK_DIGITS} digits, this one has {len(digits)} characters",
            remedy="have it read out again",
        )
    if int(digits[:_HASH_DIGITS]) % _CHECK_PRIME != int(digits[_HASH_DIGITS:]):
        raise VerificationError(
            "the last group of the fingerprint does not fit the others: a digit was misheard or mistyped",
            remedy="have it read out again",
        )
    return _grouped(digits)


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))
