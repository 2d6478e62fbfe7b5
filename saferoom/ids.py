"""Names of parties and codes of enterprises.

An enterprise is named by its Unified Social Credit Code (USCC, GB 32100-2015): 18 characters of
`0-9A-Z` without I O S V Z; the last one checks the others, weighted by powers of 3, modulo 31.
"""

from __future__ import annotations

import re
import unicodedata

from saferoom.errors import ConfigError, VerificationError

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_LENGTH = 18
_VALUE = {character: value for value, character in enumerate(USCC_ALPHABET)}
_WEIGHTS = tuple(pow(3, position, 31) for position in range(USCC_LENGTH - 1))
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
    """Fold full-width characters, drop spaces and hyphens, upper-case. Does not check."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) != "Pd").upper()


def uscc_check_character(body: str) -> str:
    """The check character for the first 17 characters of a code."""
    total = sum(_VALUE[c] * weight for c, weight in zip(body, _WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def is_valid_uscc(code: str) -> bool:
    """Whether a normalised code has the right length, characters and check character."""
    if len(code) != USCC_LENGTH or any(c not in _VALUE for c in code):
        return False
    return uscc_check_character(code[:-1]) == code[-1]


def parse_uscc(text: str) -> str:
    """Normalise and check. Raises VerificationError without repeating the code."""
    code = normalise_uscc(text)
    if not is_valid_uscc(code):
        raise VerificationError(
            f"the enterprise code is not valid: {len(code)} characters after normalising, or a wrong character or check",
            remedy="compare it with the business licence",
        )
    return code
