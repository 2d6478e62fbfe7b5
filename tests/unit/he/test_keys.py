"""Both schemes, both kinds of randomness: right, additive, strong enough, and silent about secrets."""

from __future__ import annotations

import pickle

import gmpy2
import pytest
from gmpy2 import mpz
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import UsageError, VerificationError
from saferoom.he.generation import generate_key
from saferoom.he.key_files import private_from_json, private_to_json
from saferoom.he.keys import Encryption, PublicKey
from tests.he_keys import KINDS, QUICK, key_for
from tests.property import examples

OU = Encryption(bits=2048)


@pytest.fixture(params=KINDS, ids=str)
def encryption(request: pytest.FixtureRequest) -> Encryption:
    kind: Encryption = request.param
    return kind


@pytest.mark.usefixtures("arithmetic")
def test_many_at_once(encryption: Encryption) -> None:
    key = private_from_json(private_to_json(key_for(encryption)))  # without tables of before
    plains = [0, 1, 2**encryption.plain_bits - 1, *range(100, 110)]
    encrypted = key.encrypt_all(plains)
    assert key.decrypt_all(encrypted) == plains
    again = key.public.rerandomised_all(encrypted)
    assert key.decrypt_all(again) == plains
    assert len({*encrypted, *again}) == 2 * len(plains)
    assert key.encrypt_all([]) == key.decrypt_all([]) == []


def test_the_owner_s_and_everybody_s_ciphertexts_decrypt_and_add_up(encryption: Encryption) -> None:
    key = key_for(encryption)
    largest = 2**encryption.plain_bits - 1
    for plain in (0, 1, 12345, largest):
        assert key.decrypt(key.encrypt(plain)) == plain
    total = key.encrypt(40) * key.public.encrypt(2) % key.public.modulus
    assert key.decrypt(total) == 42
    assert key.decrypt(pow(total, 1000, key.public.modulus)) == 42_000
    assert key.decrypt(key.public.rerandomised(total)) == 42


def test_two_ciphertexts_of_a_number_differ(encryption: Encryption) -> None:
    key = key_for(encryption)
    assert len({key.encrypt(1) for _ in range(20)} | {key.public.encrypt(1) for _ in range(3)}) == 23


def test_ciphertexts_are_units_below_the_modulus(encryption: Encryption) -> None:
    key = key_for(encryption)
    for number in [key.encrypt(plain) for plain in (0, 1, 7)]:
        assert 0 < number < key.public.modulus
        assert gmpy2.gcd(number, key.public.n) == 1


def test_the_modulus_has_the_size_it_claims(encryption: Encryption) -> None:
    key = key_for(encryption)
    assert key.public.n.bit_length() == encryption.bits
    assert key.public.width_bytes * 8 == encryption.bits * (2 if encryption.scheme == "paillier" else 1)
    for half in (key.first, key.second):
        assert gmpy2.is_prime(half.prime, 40)


def test_noise_has_the_order_it_should_have(encryption: Encryption) -> None:
    key = key_for(encryption)
    for half in (key.first, key.second):
        assert (half.prime - 1) % half.order == 0
        assert pow(half.base, half.order, half.modulus) == 1
        if encryption.randomness == "subgroup":
            assert half.order.bit_length() == 256
            assert gmpy2.is_prime(half.order, 40)
        else:
            assert half.order.bit_length() >= half.prime.bit_length() - 1
    if key.public.h:
        assert gmpy2.gcd(key.first.order, key.second.order) == 1, "independent halves would leave h's powers"


@given(plain=st.integers(0, 2**QUICK.plain_bits - 1), factor=st.integers(0, 1000))
@examples(20)
def test_any_plaintext_comes_back(plain: int, factor: int) -> None:
    key = key_for(QUICK)
    assert key.decrypt(key.encrypt(plain)) == plain
    if (plain * factor).bit_length() <= QUICK.plain_bits:
        assert key.decrypt(pow(key.encrypt(plain), factor, key.public.modulus)) == plain * factor


@given(addends=st.lists(st.integers(1 - 2**90, 2**90 - 1), max_size=5))
@examples(10)
def test_negative_numbers_count_in_sums(addends: list[int]) -> None:
    key, total = key_for(QUICK), mpz(1)
    for addend in addends:
        total = total * key.encrypt(addend) % key.public.modulus
    offset = 5 * 2**90
    assert key.decrypt(total * key.public.encrypt(offset) % key.public.modulus) == sum(addends) + offset


def test_negative_numbers_up_to_half_the_range(encryption: Encryption) -> None:
    key, half = key_for(encryption), 2 ** (encryption.plain_bits - 1)
    for plain in (-1, -12345, 1 - half):
        for encrypt in (key.encrypt, key.public.encrypt):
            raised = encrypt(plain) * key.public.without_noise(half) % key.public.modulus
            assert key.decrypt(raised) == plain + half


def test_a_small_negative_sum_is_out_of_range(encryption: Encryption) -> None:
    key = key_for(encryption)
    with pytest.raises(VerificationError, match="out of range"):
        key.decrypt(key.encrypt(5) * key.encrypt(-6) % key.public.modulus)


@pytest.mark.parametrize("plain", [-(2 ** (QUICK.plain_bits - 1)), 2**QUICK.plain_bits])
def test_what_does_not_fit_is_refused_without_being_shown(plain: int) -> None:
    key = key_for(QUICK)
    for encrypt in (key.encrypt, key.public.encrypt):
        with pytest.raises(UsageError) as caught:
            encrypt(plain)
        assert str(plain) not in str(caught.value)


def test_a_sum_out_of_range_is_refused() -> None:
    """Okamoto-Uchiyama takes plaintexts modulo the secret p: decrypting one beyond it would give p away."""
    key = key_for(OU)
    just_beyond = pow(key.public.encrypt(2 ** (OU.plain_bits - 1)), 2, key.public.modulus)
    with pytest.raises(VerificationError, match="out of range"):
        key.decrypt(just_beyond)


@pytest.mark.parametrize("encryption", [QUICK, OU, Encryption("paillier", 2048, "subgroup")], ids=str)
@pytest.mark.parametrize("number", [0, -4])
def test_what_is_no_ciphertext_is_refused(number: int, encryption: Encryption) -> None:
    """Factors are 3 mod 4, so that -4 is no square."""
    key = key_for(encryption)
    with pytest.raises(VerificationError):
        key.decrypt(mpz(number) % key.public.modulus)


@pytest.mark.parametrize("bits", [0, 512, 1024, 2046, 2047, 3073, 16384])
def test_weak_or_odd_sizes_are_refused(bits: int) -> None:
    with pytest.raises(UsageError, match="2048 to 8192"):
        generate_key(Encryption(bits=bits))


@pytest.mark.parametrize("setting", [{"scheme": "rsa"}, {"randomness": "110 bits"}])
def test_unknown_schemes_and_randomness_are_refused(setting: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        Encryption(**setting)  # type: ignore[arg-type]


def test_the_default_is_3072_bits_and_full_randomness() -> None:
    assert Encryption() == Encryption("okamoto-uchiyama", 3072, "full")


def test_bent_public_keys_are_refused() -> None:
    good = key_for(QUICK).public
    n, g, h = good.n, good.g, good.h
    p = key_for(QUICK).first.prime
    for bent in ((n + 1, g, h), (n >> 1, g, h), (n, g, 0), (n, g, 1), (n, 1, h), (n, p, h), (n, g, n - 1)):
        with pytest.raises(VerificationError):
            PublicKey(QUICK, *bent)
    paillier = Encryption("paillier", 2048)
    its = key_for(paillier).public
    with pytest.raises(VerificationError):
        PublicKey(paillier, its.n, its.n + 2, 0)


def test_secrets_do_not_show() -> None:
    key = key_for(QUICK)
    for text in (repr(key), str(key), repr(key.public), f"{key!s}", repr(key.first)):
        for secret in (key.first.prime, key.second.prime, key.first.order):
            assert str(secret) not in text
            assert f"{secret:x}" not in text
    with pytest.raises(TypeError):
        bool(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)
