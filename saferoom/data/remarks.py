"""What a data officer should hear of how a column is written: counts and row numbers, never a value."""

from __future__ import annotations

from collections.abc import Iterator

from saferoom.data.dataset import ReadAs
from saferoom.data.profile import MOST, Writing
from saferoom.data.table import ColumnType


def remarks(name: str, type_: ColumnType, described: ReadAs | None, writing: Writing) -> list[str]:
    """For a column that is read as `type_`, and was `described` so, or not at all."""
    if described in ("date", "boolean"):
        return []
    found = _as_numbers(writing) if type_ == "numeric" else _as_categories(writing, described)
    return [f"column {name!r}: {text}" for text in found]


def _as_numbers(writing: Writing) -> Iterator[str]:
    if writing.unusual:
        forms = ", ".join(writing.forms) or "another writing"
        first = _first(writing, "unusual")
        yield f"{writing.unusual} of {writing.known} numbers are written with {forms}, {first}"
    if "%" in writing.forms and writing.numbers:
        yield "some numbers are written with %, others without: 5 % is read as 0.05, 5 as 5"
    if writing.zeros:
        yield (
            f"{writing.zeros} numbers have zeros in front, {_first(writing, 'zeros')}: "
            "if they are codes, set type: categorical"
        )


def _as_categories(writing: Writing, described: ReadAs | None) -> Iterator[str]:
    if described is not None or not writing.known:
        return
    if writing.dates / writing.known >= MOST:
        yield f"{writing.dates} of {writing.known} values are dates: set type: date, or leave the column out"
    elif writing.zeros and writing.numbers + writing.zeros == writing.known:
        yield (
            f"digits with zeros in front, {_first(writing, 'zeros')}, are taken for codes: "
            "if they are numbers, set type: numeric"
        )
    elif writing.share >= 0.5:
        yield (
            f"{writing.numeric} of {writing.known} values read as numbers, row {writing.first_odd} does "
            "not in a plain writing; it is taken for categories: set its type"
        )


def _first(writing: Writing, kind: str) -> str:
    return f"first in row {writing.first_row[kind]}"
