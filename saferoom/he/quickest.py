"""The quickest arithmetic that this machine has for so many products."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gmpy2 import mpz

from saferoom.he import lanes_kernel
from saferoom.he.lanes import Lanes, limbs_for
from saferoom.he.products import OneByOne, Products, numbers_of, values_of

WORTHWHILE = 100_000
"""So many products take GMP about as long as making machine code takes."""
WORTH_CALLING = 4_000
"""So many it takes to call machine code that is there already."""
_asked: Counter[int] = Counter()
"""Products of each size, in this process."""


def products_for(modulus: mpz, count: int) -> Products:
    """The quickest way to make about `count` products, after all that this process was asked for before."""
    if lanes_kernel.available():
        limbs = limbs_for(modulus)
        _asked[limbs] += count
        worthwhile = lanes_kernel.is_made(limbs) or _asked[limbs] >= WORTHWHILE
        if worthwhile and count >= WORTH_CALLING and limbs <= lanes_kernel.MOST_LIMBS:
            return Lanes(modulus)
    return OneByOne(modulus)


def powers(bases: Sequence[mpz], exponent: mpz, modulus: mpz) -> list[mpz]:
    """Each base to the same power."""
    products = products_for(modulus, len(bases) * exponent.bit_length())
    return values_of(products, products.powers(numbers_of(products, bases), exponent))
