"""The one canonical text of a value, whatever it was read from.

    number    1.50, 1.5, 1.5e+00 -> 1.5;  1.0 -> 1        007 is a code: it stays
    boolean   True, TRUE, true -> 1;  False -> 0          what databases without booleans store
    moment    2024-01-01T08:00 -> 2024-01-01 08:00:00;  midnight -> 2024-01-01;
              with a zone of its own: as the clock stood in the data set's zone
    text      NFKC, without white space and invisible marks around it; CR LF -> LF
    nothing   an empty text and nan

The canonical text of a canonical text is itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from saferoom.errors import StorageError

NOTHING = ""
NOT_A_NUMBER = ("nan", "NaN")
AROUND = "".join(chr(i) for i in range(0x3001) if chr(i).isspace()) + "\u200b\u200c\u200d\u2060\ufeff"
_BOOLEAN = {"true": "1", "false": "0"}
# Only machines write the sign of an exponent that is positive; 1E5 may be a code.
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-][0-9]{1,3})?")
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d){0,2})?)?",
    re.ASCII,
)


def tidy(text: str) -> str:
    """Full-width forms folded (NFKC), nothing invisible at either end."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.strip(AROUND)


def canonical(text: str, zone: tzinfo) -> str:
    """The canonical text of a cell; `NOTHING` for a gap."""
    text = tidy(text)
    if text[:1] in "-.0123456789":
        if _NUMBER.fullmatch(text):
            return canonical_number(text)
        return canonical_moment(text, zone) or text
    if text in NOT_A_NUMBER:
        return NOTHING
    return _BOOLEAN.get(text.lower(), text)


def canonical_levels(column: str, levels: Iterable[str]) -> list[str]:
    """Levels that a model keeps, as they are read today; earlier releases kept them as they stood.

    Nobody knows their zone any more. Raises StorageError where two of them are one value today.
    """
    found = [canonical(level, UTC) or level for level in levels]
    if len(set(found)) < len(found):
        raise StorageError(
            f"the model tells writings of one value in column {column!r} apart, as an earlier release did",
            step="prepare",
            remedy="train again",
        )
    return found


def canonical_number(text: str) -> str:
    """A plain number in its shortest writing without an exponent: the value to the last digit."""
    if text.isdigit():
        return text
    plain = format(Decimal(text), "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain


def canonical_moment(text: str, zone: tzinfo) -> str | None:
    """An ISO date or moment in `zone`; None if it is neither."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, offset = match.groups()
    try:
        moment = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]
        if offset:
            moment = moment.replace(tzinfo=_offset(offset)).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    fraction = (fraction or "").rstrip("0")
    day = f"{moment:%Y-%m-%d}".rjust(10, "0")
    if not fraction and (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return day
    return f"{day} {moment:%H:%M:%S}" + (f".{fraction}" if fraction else "")


def _offset(text: str) -> timezone:
    if text == "Z":
        return timezone(timedelta(0))
    digits = text[1:].replace(":", "").ljust(6, "0")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return timezone(-shift if text[0] == "-" else shift)
