"""Keys as JSON. Paillier keys are those of `phe` (its command line's JWK files), which ignores what we add.

    Paillier           {"kty": "DAJ", "alg": "PAI-GN1", "n": …}        private: "p", "q", "pub"
    Okamoto-Uchiyama   {"kty": "SAFEROOM", "alg": "OU98", "n", "g", "h", …}   likewise

Numbers are base64url of their big-endian bytes. A key with subgroups carries `h` and, in private, the orders.
Ciphertexts of whole numbers travel as `phe` writes them: {"v": decimal text, "e": exponent of 16}.

A private key's text is as secret as the key: whoever writes it to a file makes that file the owner's alone.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Literal

from gmpy2 import mpz

from saferoom.errors import ConfigError, SafeRoomError
from saferoom.he.generation import Factor, private_key
from saferoom.he.keys import Encryption, PrivateKey, PublicKey, Randomness

_PAILLIER = ("DAJ", "PAI-GN1")
_OKAMOTO_UCHIYAMA = ("SAFEROOM", "OU98")


def public_to_json(key: PublicKey) -> str:
    return json.dumps(_public(key))


def private_to_json(key: PrivateKey) -> str:
    """Secret: for a file that its owner alone can read."""
    public = _public(key.public)
    plain: dict[str, Any] = {"kty": public["kty"], "key_ops": ["decrypt"], "kid": public["kid"]}
    for name, half in (("p", key.first), ("q", key.second)):
        plain[name] = _number_to_text(half.prime)
        plain[f"{name}_order"] = _number_to_text(half.order)
    return json.dumps({**plain, "pub": public})


def public_from_json(text: str) -> PublicKey:
    """Raises ConfigError for what is not a public key, UsageError for one that is too short."""
    return _public_of(_object(text))


def private_from_json(text: str) -> PrivateKey:
    """A key of ours, or a Paillier key file of `phe`. Raises ConfigError, UsageError, VerificationError."""
    plain = _object(text)
    public = _public_of(plain.get("pub"))
    factors = []
    for name in ("p", "q"):
        prime = _number(plain, name)
        full = prime - 1 if not public.h else (prime - 1) // 2
        factors.append(Factor(prime, _number(plain, f"{name}_order", full)))
    try:
        return private_key(public, *factors)
    except ZeroDivisionError:
        raise ConfigError("a private key whose factors are not those of its public key") from None


def ciphertext_to_json(ciphertext: mpz) -> str:
    """One ciphertext of a whole number, as `phe` writes it."""
    return json.dumps({"v": str(ciphertext), "e": 0})


def ciphertext_from_json(text: str, key: PublicKey) -> tuple[mpz, int]:
    """The ciphertext and its exponent: it holds plaintext * 16**exponent. Raises ConfigError."""
    plain = _object(text)
    try:
        ciphertext, exponent = mpz(str(plain["v"])), int(plain["e"])
    except (KeyError, ValueError):
        raise ConfigError("not a ciphertext file") from None
    if not 0 < ciphertext < key.modulus:
        raise ConfigError("a ciphertext that is not below the key's modulus")
    return ciphertext, exponent


def _public(key: PublicKey) -> dict[str, Any]:
    chosen = key.encryption
    paillier = chosen.scheme == "paillier"
    kty, alg = _PAILLIER if paillier else _OKAMOTO_UCHIYAMA
    plain = {"kty": kty, "alg": alg, "key_ops": ["encrypt"], "n": _number_to_text(key.n)}
    plain |= {"randomness": chosen.randomness, "kid": f"SafeRoom {chosen.scheme} {chosen.bits}"}
    if not paillier:
        plain["g"] = _number_to_text(key.g)
    if key.h:
        plain["h"] = _number_to_text(key.h)
    return plain


def _public_of(plain: Any) -> PublicKey:
    if not isinstance(plain, dict):
        raise ConfigError("not a key file")
    kind = (plain.get("kty"), plain.get("alg"))
    if kind not in (_PAILLIER, _OKAMOTO_UCHIYAMA):
        raise ConfigError("a key file of a kind that is not known", remedy="use Paillier or OU98 keys")
    n = _number(plain, "n")
    randomness: Randomness = plain.get("randomness", "full")
    scheme: Literal["paillier", "okamoto-uchiyama"]
    scheme, g = ("paillier", n + 1) if kind == _PAILLIER else ("okamoto-uchiyama", _number(plain, "g"))
    h = _number(plain, "h", mpz(0))
    try:
        return PublicKey(Encryption(scheme, n.bit_length(), randomness), n, g, h)
    except SafeRoomError as error:
        raise ConfigError(f"a public key that cannot be used: {error.message}") from error


def _object(text: str) -> dict[str, Any]:
    try:
        plain = json.loads(text)
    except ValueError:
        raise ConfigError("not a JSON file") from None
    if not isinstance(plain, dict):
        raise ConfigError("not a key or ciphertext file")
    return plain


def _number_to_text(number: mpz) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _number(plain: dict[str, Any], name: str, default: mpz | None = None) -> mpz:
    text = plain.get(name)
    if text is None and default is not None:
        return default
    try:
        padded = str(text) + "=" * (-len(str(text)) % 4)
        return mpz.from_bytes(base64.urlsafe_b64decode(padded), "big")
    except (binascii.Error, ValueError):
        raise ConfigError(f"a key file whose {name} is not a number") from None
