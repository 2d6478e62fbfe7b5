"""What a data officer should hear of how a column is written."""

from __future__ import annotations

from collections.abc import Iterator

from saferoom.data.dataset import ReadAs
from saferoom.data.profile import MOST, Writing
from saferoom.data.table import ColumnType
from saferoom.data.words import Remark, remark


def remarks(name: str, type_: ColumnType, described: ReadAs | None, writing: Writing) -> Iterator[Remark]:
    """For a column that is read as `type_`, and was `described` so, or not at all."""
    if described in ("date", "boolean"):
        return
    if type_ == "numeric":
        yield from _as_numbers(name, writing)
    elif described is None and writing.known:
        yield from _as_categories(name, writing)


def _as_numbers(name: str, writing: Writing) -> Iterator[Remark]:
    if writing.unusual:
        yield remark(
            "unusual",
            column=name,
            count=writing.unusual,
            known=writing.known,
            forms=writing.forms or ("another writing",),
            row=writing.first_row["unusual"],
        )
    if "%" in writing.forms and writing.numbers:
        yield remark("percent", column=name)
    if writing.zeros:
        yield remark("zeros_numeric", column=name, count=writing.zeros, row=writing.first_row["zeros"])


def _as_categories(name: str, writing: Writing) -> Iterator[Remark]:
    if writing.dates / writing.known >= MOST:
        yield remark("dates", column=name, count=writing.dates, known=writing.known)
    elif writing.zeros and writing.numbers + writing.zeros == writing.known:
        yield remark("zeros_codes", column=name, row=writing.first_row["zeros"])
    elif writing.numbers == writing.known:
        yield remark("text_numbers", column=name, known=writing.known)
    elif writing.share >= 0.5:
        yield remark(
            "mostly_numbers",
            column=name,
            count=writing.numeric,
            known=writing.known,
            row=writing.first_odd,
        )
