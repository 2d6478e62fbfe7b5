"""Does a text hold something that looks like an enterprise code?

An 18-character code can be enumerated, so neither it nor a plain hash of it may stand in the log. This is
the last net under the allow-listed schema, not a licence to put free text into events.

Looked for, in any case and in full-width characters too:
- a word of exactly 18 characters of the code's alphabet, whatever its check character (a mistyped code is
one too);
- inside a longer word, 18 characters built like a code (six digits of the region) whose check character fits;
- the whole text, once spaces and hyphens are dropped, being a valid code.
Long lower-case hexadecimal words are digests and random ids, and are let through.
"""

from __future__ import annotations

import re
import unicodedata

from saferoom.ids import USCC_LENGTH, is_valid_uscc, normalise_uscc

_WORD = re.compile(rf"[0-9A-Za-z]{{{USCC_LENGTH},}}")
_ALPHABET = re.compile(rf"[0-9A-HJ-NPQRTUWXY]{{{USCC_LENGTH}}}", re.IGNORECASE)
_INSIDE = re.compile(r"(?=([0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}))", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{20,}")


def looks_like_enterprise_code(text: str) -> bool:
    """Whether `text` holds something that looks like an enterprise code."""
    if len(text) < USCC_LENGTH:
        return False
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return any(_is_code(word) for word in _WORD.findall(folded)) or _is_spaced_code(folded)


def _is_code(word: str) -> bool:
    if _DIGEST.fullmatch(word):
        return False
    if len(word) == USCC_LENGTH:
        return _ALPHABET.fullmatch(word) is not None
    return any(is_valid_uscc(inside.upper()) for inside in _INSIDE.findall(word))


def _is_spaced_code(text: str) -> bool:
    """Whether the whole text is a code written in groups; short enough texts only, to stay quick."""
    return len(text) <= 2 * USCC_LENGTH and is_valid_uscc(normalise_uscc(text))
