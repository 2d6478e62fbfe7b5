"""Keys as JSON, and everything that `phe` reads and writes."""

from __future__ import annotations

import io
import json
from typing import Any

import phe
import pytest
from click.testing import CliRunner
from gmpy2 import mpz

from saferoom.errors import ConfigError, SafeRoomError, VerificationError
from saferoom.he.key_files import (
    ciphertext_from_json,
    ciphertext_to_json,
    private_from_json,
    private_to_json,
    public_from_json,
    public_to_json,
)
from saferoom.he.keys import Encryption
from tests.he_keys import KINDS, QUICK, key_for

PAILLIER = Encryption("paillier", 2048)


@pytest.mark.parametrize("encryption", KINDS, ids=str)
def test_there_and_back(encryption: Encryption) -> None:
    key = key_for(encryption)
    public = public_from_json(public_to_json(key.public))
    private = private_from_json(private_to_json(key))
    assert public == private.public == key.public
    assert public.encryption == encryption
    assert private.decrypt(public.rerandomised(key.encrypt(5)) * private.encrypt(6) % public.modulus) == 11


def test_a_public_file_holds_nothing_private() -> None:
    key = key_for(QUICK)
    plain = json.loads(public_to_json(key.public))
    assert set(plain) == {"kty", "alg", "key_ops", "n", "g", "h", "randomness", "kid"}
    assert "p" not in json.loads(private_to_json(key))["pub"]


def phe_keys() -> tuple[phe.PaillierPublicKey, phe.PaillierPrivateKey]:
    key = key_for(PAILLIER)
    public = phe.PaillierPublicKey(int(key.public.n))
    return public, phe.PaillierPrivateKey(public, int(key.first.prime), int(key.second.prime))


def test_phe_decrypts_our_ciphertexts_and_we_its() -> None:
    key = key_for(PAILLIER)
    public, private = phe_keys()
    assert private.raw_decrypt(int(key.encrypt(1234))) == 1234
    assert private.raw_decrypt(int(key.public.encrypt(1234))) == 1234
    assert key.decrypt(mpz(public.raw_encrypt(4321))) == 4321
    mixed = mpz(public.raw_encrypt(1)) * key.encrypt(2) % key.public.modulus
    assert key.decrypt(mixed) == private.raw_decrypt(int(mixed)) == 3
    assert private.decrypt(phe.EncryptedNumber(public, int(key.encrypt(77)))) == 77


def pheutil(*arguments: str, given: str = "") -> str:
    from phe.command_line import cli

    done = CliRunner().invoke(cli, arguments, input=given)
    assert done.exit_code == 0, done.output
    return done.output


def test_files_of_the_phe_command_line(tmp_path: Any) -> None:
    """Its key decrypts what we encrypt for it, and the other way round, through files alone."""
    key, ours, public, cipher = key_for(PAILLIER), *(tmp_path / name for name in ("private", "public", "c"))
    ours.write_text(private_to_json(key))
    pheutil("extract", str(ours), str(public))
    assert public_from_json(public.read_text()) == key.public
    cipher.write_text(ciphertext_to_json(key.encrypt(41)))
    out = tmp_path / "plain"
    pheutil("decrypt", str(ours), str(cipher), "--output", str(out))
    assert float(out.read_text()) == 41.0
    text = pheutil("encrypt", str(public), "3.5")
    theirs = next(line for line in text.splitlines() if line.startswith("{"))
    ciphertext, exponent = ciphertext_from_json(theirs, key.public)
    assert key.decrypt(ciphertext) * 16.0**exponent == 3.5


def test_a_key_file_that_phe_made() -> None:
    public, private = phe.generate_paillier_keypair(n_length=2048)
    numbers = {name: phe.util.int_to_base64(n) for name, n in (("p", private.p), ("q", private.q))}
    jwk = {"kty": "DAJ", "alg": "PAI-GN1", "key_ops": ["encrypt"], "n": phe.util.int_to_base64(public.n)}
    key = private_from_json(json.dumps({"kty": "DAJ", "key_ops": ["decrypt"], **numbers, "pub": jwk}))
    assert key.decrypt(mpz(public.raw_encrypt(9)) * key.encrypt(8) % key.public.modulus) == 17
    assert private.raw_decrypt(int(key.public.rerandomised(key.encrypt(5)))) == 5


def test_short_keys_of_phe_are_refused() -> None:
    public, _ = phe.generate_paillier_keypair(n_length=1024)
    jwk = {"kty": "DAJ", "alg": "PAI-GN1", "n": phe.util.int_to_base64(public.n)}
    with pytest.raises(ConfigError, match="2048"):
        public_from_json(json.dumps(jwk))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{}",
        '{"kty": "RSA"}',
        '{"kty": "DAJ", "alg": "PAI-GN1"}',
        '{"pub": 3}',
        '{"kty": "DAJ", "alg": "PAI-GN1", "n": "****"}',
        '{"kty": "SAFEROOM", "alg": "OU98", "n": "AQAB"}',
        '{"kty": "DAJ", "alg": "PAI-GN1", "n": "AQAB", "randomness": [1]}',
    ],
)
def test_garbage_is_refused(text: str) -> None:
    for read in (public_from_json, private_from_json):
        with pytest.raises(ConfigError):
            read(text)
    with pytest.raises(ConfigError):
        ciphertext_from_json(text, key_for(QUICK).public)


def test_factors_of_another_key_are_refused() -> None:
    one = json.loads(private_to_json(key_for(QUICK)))
    other = json.loads(private_to_json(key_for(Encryption(bits=2048))))
    with pytest.raises(SafeRoomError):
        private_from_json(json.dumps({**one, "pub": other["pub"]}))
    for wrong in ("AQ", "Ag", one["q"]):
        with pytest.raises((VerificationError, ConfigError)):
            private_from_json(json.dumps({**one, "p": wrong}))


@pytest.mark.parametrize("value", ["0", "-3", "x", "1e5", "9" * 2000])
def test_ciphertexts_out_of_range_are_refused(value: str) -> None:
    with pytest.raises(ConfigError):
        ciphertext_from_json(json.dumps({"v": value, "e": 0}), key_for(QUICK).public)


def test_nothing_of_a_private_key_reaches_an_error_text() -> None:
    plain = json.loads(private_to_json(key_for(QUICK)))
    with pytest.raises(SafeRoomError) as caught:
        private_from_json(json.dumps({**plain, "q": plain["p"]}))
    out = io.StringIO(str(caught.value) + repr(caught.value.__cause__))
    assert plain["p"] not in out.getvalue()
    assert str(key_for(QUICK).first.prime) not in out.getvalue()
