"""One key of each kind for the whole test run, of full size."""

from __future__ import annotations

from functools import cache

from gmpy2 import mpz

from saferoom.he.generation import generate_key
from saferoom.he.keys import Encryption, PrivateKey

KINDS = (
    Encryption(),
    Encryption(bits=2048),
    Encryption(bits=2048, randomness="subgroup"),
    Encryption("paillier", 2048),
    Encryption("paillier", 2048, "subgroup"),
)
QUICK = Encryption(bits=2048, randomness="subgroup")


_generated = cache(generate_key)


def key_for(encryption: Encryption = QUICK) -> PrivateKey:
    """The same key whenever it is asked for."""
    return _generated(encryption)


def noise_of(key: PrivateKey, number: mpz) -> tuple[mpz, ...]:
    """The owner's view of a ciphertext once the message is taken off: all that is left to learn from."""
    plain, found = key.decrypt(number), []
    for half in (key.first, key.second):
        message = pow(1 + half.step, plain, half.modulus)
        if key.public.encryption.scheme == "okamoto-uchiyama":
            message = pow(key.public.g % half.modulus, plain, half.modulus)
        found.append(number * pow(message, -1, half.modulus) % half.modulus)
    return tuple(found)
