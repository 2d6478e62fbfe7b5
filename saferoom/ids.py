"""Names of parties and codes of enterprises.

An enterprise is named by its Unified Social Credit Code (USCC, GB 32100-2015): 18 characters of
`0-9A-Z` without I O S V Z; the last one checks the others, weighted by powers of 3, modulo 31.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import ConfigError, VerificationError

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_LENGTH = 18
_VALUE = {character: value for value, character in enumerate(USCC_ALPHABET)}
_WEIGHTS = tuple(pow(3, position, 31) for position in range(USCC_LENGTH - 1))
# Hyphens and dashes; zero-width marks that spreadsheets leave in copied cells.
_DROPPED = ("Pd", "Cf")
_PARTY = re.compile(r"[a-z][a-z0-9-]{0,30}")

COORDINATOR = "coordinator"
HELPER = "helper"


def check_party_id(party: str) -> str:
    """Return `party` if it is a legal party id: a lower-case letter, then up to 30 of `a-z0-9-`."""
    if not _PARTY.fullmatch(party):
        raise ConfigError(
            f"party id {party!r} is not 1-31 characters of a-z, 0-9 and '-', starting with a letter"
        )
    return party


def normalise_uscc(text: str) -> str:
    """Fold full-width characters; drop spaces, hyphens, invisible marks; upper-case. Does not check."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in _DROPPED).upper()


def uscc_check_character(body: str) -> str:
    """The check character for the first 17 characters of a code."""
    total = sum(_VALUE[c] * weight for c, weight in zip(body, _WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def is_valid_uscc(code: str) -> bool:
    """Whether a normalised code has the right length, characters and check character."""
    if len(code) != USCC_LENGTH or any(c not in _VALUE for c in code):
        return False
    return uscc_check_character(code[:-1]) == code[-1]


def valid_uscc_rows(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """`is_valid_uscc` for many normalised codes at once.

    Shapes: ASCII codes (n, 18) -> (n,). About 10 million codes a second.
    """
    value = np.full(256, 31, dtype=np.int16)
    value[np.frombuffer(USCC_ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)
    weights = np.array([*_WEIGHTS, 1], dtype=np.int16)
    valid = np.empty(len(codes), dtype=np.bool_)
    for start in range(0, len(codes), 65_536):
        values = value[codes[start : start + 65_536]]
        total = (values * weights).sum(axis=1)
        valid[start : start + 65_536] = (values < 31).all(axis=1) & (total % 31 == 0)
    return valid


def parse_uscc(text: str) -> str:
    """Normalise and check. Raises VerificationError without repeating the code."""
    code = normalise_uscc(text)
    if not is_valid_uscc(code):
        raise VerificationError(
            "the enterprise code is not valid: expected 18 characters of 0-9A-Z without I O S V Z, the last "
            f"one a matching check character; it has {len(code)} characters after normalising",
            remedy="compare it with the business licence",
        )
    return code
