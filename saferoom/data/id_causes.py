"""What may have happened to ids that look wrong: counts and causes, no id."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from saferoom.data.identifiers import EXPONENT, LOST_DIGITS, QUOTED, WHOLE, IdKind

_FOLDED = r"[\s\-]"
_AS_TEXT = "format the column as text where it comes from, and export it again"


def guess_causes(raw: pa.Array, kind: IdKind) -> list[str]:
    """In words, with counts of rows, for ids as they stand, (n,) large_string."""
    return [*_causes(pc.utf8_trim_whitespace(raw.drop_null()), kind)]


def _causes(ids: pa.Array, kind: IdKind) -> Iterator[str]:
    if lost := _count(ids, EXPONENT) + _count(ids, LOST_DIGITS):
        yield (
            f"{lost} ids are numbers with an exponent, or of more than 15 digits with a point: "
            f"a program took them for numbers, and their last digits are lost; {_AS_TEXT}"
        )
    if points := _count(ids, WHOLE):
        yield (
            f"{points} ids are whole numbers written with a point, as a column of numbers with gaps is: "
            + ("zeros in front may be lost" if kind == "uscc" else "they are read without it")
        )
    if quoted := sum(_count(ids, pattern) for pattern in QUOTED):
        yield f"{quoted} ids stand in a spreadsheet's marks for text, ' or =\"…\": they are read without"
    if cut := _zeros_at_the_end(ids):
        yield (
            f"all {cut} ids of more than 15 digits end in zeros from the 16th on: "
            f"a spreadsheet has cut them; {_AS_TEXT}"
        )
    if kind == "uscc":
        yield from _uscc_causes(ids)


def _uscc_causes(ids: pa.Array) -> Iterator[str]:
    folded = pc.replace_substring_regex(ids, pattern=_FOLDED, replacement="")
    if old := _count(folded, r"^[0-9]{15}$"):
        yield (
            f"{old} ids are 15-digit registration numbers (注册号), no Unified Social Credit Codes: "
            "bring the 18-character codes, or agree with all parties on id_kind: opaque"
        )
    if organisation := _count(folded, r"^[0-9A-Za-z]{9}$"):
        yield (
            f"{organisation} ids have 9 characters, as organisation codes (组织机构代码) have: "
            "bring the 18-character codes"
        )
    if short := _count(folded, r"^[0-9A-Za-z]{16,17}$"):
        yield f"{short} ids have 16 or 17 characters instead of 18: some were lost on the way"


def _zeros_at_the_end(ids: pa.Array) -> int:
    """How many ids have more than 15 digits, if there are at least three and all end in zeros."""
    long = ids.filter(pc.match_substring_regex(ids, r"^[0-9]{16,}$"))
    cut = _count(long, r"^[0-9]{15}0+$")
    return cut if cut >= 3 and cut == len(long) else 0


def _count(ids: pa.Array, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(ids, pattern)).as_py() or 0)
