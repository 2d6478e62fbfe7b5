"""Usual writings of numbers, moments and booleans, in columns whose type is named.

    numbers    1,234.5   12 %   3.2‰   ¥1,200   1200元   3.5万   ２３   (450) for -450
    moments    2024-01-05   2024/1/5   2024.1.5   2024年1月5日   20240105, with or without a time
    booleans   true yes y t 1 是 有 对 √ and their opposites

A decimal comma, other currencies and days before months are not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from decimal import Decimal

from saferoom.data.canonical import canonical, canonical_moment, tidy

_UNITS = {"百": 2, "千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8, "万亿": 12}
_MONEY = r"¥|人民币|RMB|CNY"
_NUMBER = re.compile(
    rf"(?P<sign>[-+])?\s*(?P<money>{_MONEY})?\s*(?P<inner>[-+])?"
    r"(?P<digits>[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<power>E[+-]?[0-9]{1,3})?"
    rf"\s*(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})?"
    rf"\s*(?:(?P<yuan>元|{_MONEY})|(?P<share>[%‰]))?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{4})([-/.年])(\d{1,2})(?:\2|月)(\d{1,2})日?(?:[ T]+(\d{1,2}:\d\d.*))?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_YES = {"1", "yes", "y", "t", "是", "有", "对", "√", "✓"}
_NO = {"0", "no", "n", "f", "否", "无", "错", "×", "✗"}
GAP_WORDS = frozenset(
    ("n/a", "na", "#n/a", "<na>", "null", "(null)", "none", "nil", "missing", "unknown", "#value!")
) | frozenset(("-", "--", "/", "?", ".", "\\n", "无", "空", "缺失", "未知", "暂无", "不详"))
"""What people write where there is no value, in lower case. Only ever proposed."""


def usual_number(text: str) -> float | None:
    """The number that a text says in a usual writing; None if it says none."""
    text = tidy(text).replace("\N{MINUS SIGN}", "-")
    if text.lower() in ("true", "false"):
        return 1.0 if text.lower() == "true" else 0.0
    if text.startswith("(") and text.endswith(")"):
        inner = _NUMBER.fullmatch(text[1:-1])
        return None if inner is None or inner["sign"] or inner["inner"] else -_value(inner)
    found = _NUMBER.fullmatch(text)
    if found is None or (found["sign"] and found["inner"]) or (found["money"] and found["yuan"]):
        return None
    if found["share"] and (found["money"] or found["unit"]):
        return None
    return _value(found)


def writings(text: str) -> Iterator[str]:
    """What is unusual about a number that `usual_number` can read, in words."""
    folded = tidy(text)
    if folded != text.strip():
        yield "full-width characters"
    for marks, name in (
        (",", "thousand separators"),
        ("%", "%"),
        ("‰", "‰"),
        ("¥元RCrc人", "yuan"),
        ("百千万亿", "units such as 万"),
        ("(", "brackets for a minus"),
        ("true", "true and false"),
        ("false", "true and false"),
    ):
        if (folded.lower() == marks) if marks in ("true", "false") else any(m in folded for m in marks):
            yield name


def usual_moment(text: str, zone: tzinfo) -> str | None:
    """The canonical text of a date or moment in a usual writing; None if it is none."""
    text = tidy(text)
    if (found := canonical_moment(text, zone)) is not None:
        return found
    if match := _COMPACT.fullmatch(text):
        return canonical_moment("-".join(match.groups()), zone)
    if match := _DATE.fullmatch(text):
        year, _, month, day, time = match.groups()
        iso = f"{year}-{int(month):02}-{int(day):02}"
        return canonical_moment(f"{iso} {_padded(time)}" if time else iso, zone)
    return None


def days_of(moment: str) -> float:
    """Days since 1970-01-01 of a canonical moment."""
    text = moment[:26]  # microseconds are enough for a number of days
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1)
    return since.days + (since.seconds + since.microseconds / 1e6) / 86_400


def usual_boolean(text: str, zone: tzinfo) -> float | None:
    """1 or 0 for a yes or a no in a usual writing; None if it is neither."""
    word = canonical(text, zone).lower()
    return 1.0 if word in _YES else 0.0 if word in _NO else None


def _padded(time: str) -> str:
    return time if time.index(":") == 2 else f"0{time}"


def _value(found: re.Match[str]) -> float:
    value = Decimal(found["digits"].replace(",", "") + (found["power"] or ""))
    places = _UNITS.get(found["unit"] or "", 0) - {"%": 2, "‰": 3}.get(found["share"] or "", 0)
    value = value.scaleb(places)
    return float(-value if "-" in (found["sign"], found["inner"]) else value)
