"""Enterprise codes of enterprises that do not exist: valid in form, and recognisable.

    91 | 51xxxx | XX000000 c | c       91: enterprise   51xxxx: a county or city of Sichuan
                                       XX…: organisation code with its check character (GB 11714)

No code is given to anybody with an organisation code that starts with XX.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import UsageError
from saferoom.ids import USCC_ALPHABET, USCC_LENGTH

REGIONS = ("510100", "510300", "510500", "510600", "510700", "510900", "511100", "511300", "511500", "511900")
PREFIX = "XX"
MAX_CODES = 31**6

_ALPHABET = np.frombuffer(USCC_ALPHABET.encode(), dtype=np.uint8)
_VALUES = np.full(128, -1, dtype=np.int64)
_VALUES[_ALPHABET] = np.arange(len(_ALPHABET))
_WEIGHTS = np.array([pow(3, place, 31) for place in range(USCC_LENGTH - 1)], dtype=np.int64)
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_ORGANISATION_DIGITS = np.frombuffer(b"0123456789X", dtype=np.uint8)
# GB 11714 counts letters from A = 10 over the whole alphabet, GB 32100 leaves out I, O, S, V and Z.
_ORGANISATION_VALUES = np.zeros(128, dtype=np.int64)
_ORGANISATION_VALUES[ord("0") : ord("9") + 1] = np.arange(10)
_ORGANISATION_VALUES[ord("A") : ord("Z") + 1] = np.arange(10, 36)


def synthetic_codes(count: int, rng: np.random.Generator) -> NDArray[np.bytes_]:
    """`count` distinct valid codes, as (count,) of 18 bytes each."""
    if not 0 <= count <= MAX_CODES // 100:
        raise UsageError(f"0 to {MAX_CODES // 100} synthetic codes can be drawn, not {count}")
    serials = np.unique(rng.integers(0, MAX_CODES, int(count * 1.1) + 100))
    serials = rng.permutation(serials)[:count]
    text = np.empty((count, USCC_LENGTH), dtype=np.uint8)
    text[:, :2] = np.frombuffer(b"91", dtype=np.uint8)
    regions = np.frombuffer("".join(REGIONS).encode(), dtype=np.uint8).reshape(-1, 6)
    text[:, 2:8] = regions[rng.integers(0, len(regions), count)]
    text[:, 8:10] = np.frombuffer(PREFIX.encode(), dtype=np.uint8)
    for place in range(6):
        text[:, 15 - place] = _ALPHABET[serials // 31**place % 31]
    remainder = _ORGANISATION_VALUES[text[:, 8:16]] @ _ORGANISATION_WEIGHTS % 11
    text[:, 16] = _ORGANISATION_DIGITS[(11 - remainder) % 11]
    text[:, 17] = _ALPHABET[-(_VALUES[text[:, :17]] @ _WEIGHTS) % 31]
    return text.reshape(-1).view(f"S{USCC_LENGTH}")
