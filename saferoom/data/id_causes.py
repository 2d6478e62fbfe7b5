"""What may have happened to ids that look wrong: counts and causes, no id."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from saferoom.data.dataset import DatasetDescription
from saferoom.data.identifiers import EXPONENT, LOST_DIGITS, QUOTED, WHOLE, IdCounts, IdKind
from saferoom.data.words import Remark, remark
from saferoom.errors import ConfigError
from saferoom.ids import USCC_LENGTH

_FOLDED = r"[\s\-]"
# One quick look at every id, so that the many below are at few: a mark that they need, or many digits.
_WORTH_A_LOOK = r"[.+='\"]|^\s*[0-9]{16,}\s*$"


def guess_causes(raw: pa.Array, kind: IdKind) -> list[Remark]:
    """With counts of rows, for ids as they stand, (n,) large_string."""
    worth = pc.match_substring_regex(raw, _WORTH_A_LOOK)
    if kind == "uscc":
        worth = pc.or_(worth, pc.not_equal(pc.binary_length(raw), USCC_LENGTH))
    ids = pc.utf8_trim_whitespace(raw.filter(worth))
    return [remark(what, count=count) for what, count in _counts(ids, kind) if count]


def no_row_left(dataset: DatasetDescription, counts: IdCounts, raw: pa.Array) -> ConfigError:
    """The error where no row is left, with what became of them."""
    if counts.conflicting:
        return dataset.problem(
            f"none of the {counts.rows} rows can be used: {counts.conflicting} have an id that other rows "
            "give other content",
            remedy="keep one row for each enterprise",
        )
    return dataset.problem(
        f"none of the {counts.rows} rows has a valid id of kind {dataset.id_kind}",
        remedy="; ".join(cause.text() for cause in guess_causes(raw, dataset.id_kind))
        or "check `id` and `id_kind` in the description",
    )


def _counts(ids: pa.Array, kind: IdKind) -> Iterator[tuple[str, int]]:
    yield "id_digits", _count(ids, EXPONENT) + _count(ids, LOST_DIGITS)
    yield "id_points_uscc" if kind == "uscc" else "id_points", _count(ids, WHOLE)
    yield "id_quoted", sum(_count(ids, pattern) for pattern in QUOTED)
    yield "id_cut", _zeros_at_the_end(ids)
    if kind == "uscc":
        folded = pc.replace_substring_regex(ids, pattern=_FOLDED, replacement="")
        yield "id_registration", _count(folded, r"^[0-9]{15}$")
        yield "id_organisation", _count(folded, r"^[0-9A-Za-z]{9}$")
        yield "id_short", _count(folded, r"^[0-9A-Za-z]{16,17}$")


def _zeros_at_the_end(ids: pa.Array) -> int:
    """How many ids have more than 15 digits, if there are at least three and all end in zeros."""
    long = ids.filter(pc.match_substring_regex(ids, r"^[0-9]{16,}$"))
    cut = _count(long, r"^[0-9]{15}0+$")
    return cut if cut >= 3 and cut == len(long) else 0


def _count(ids: pa.Array, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(ids, pattern)).as_py() or 0)
