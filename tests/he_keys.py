"""One key of each kind for the whole test run, of full size."""

from __future__ import annotations

from functools import cache

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
