"""One table, in every form that can be read, is one table: one version, the same levels and values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from saferoom.data import CategoryColumn, describe
from saferoom.data.loading import Reading, read
from tests.property import examples
from tests.table_forms import POSTGRES, TYPES, WRITERS, Table, Write, parquet

FORMS = [
    *(form for form in WRITERS if form not in ("parquet", "postgresql")),
    pytest.param(
        "postgresql",
        marks=pytest.mark.skipif(not POSTGRES, reason="SAFEROOM_POSTGRES_URL names no PostgreSQL server"),
    ),
]
WAYS: Mapping[str, Mapping[str, str | None]] = {
    "guessed": dict.fromkeys(("whole", "money", "code", "flag", "trade", "account")),
    "categories": {**dict.fromkeys(TYPES, "categorical"), "whole": "numeric"},
    "numbers": {
        **dict.fromkeys(("whole", "money", "code", "account"), "numeric"),
        **dict.fromkeys(("day", "moment", "zoned"), "date"),
        "flag": "boolean",
    },
}
"""What a description says of the columns' types."""
MISSING = ["无", -999]


def reading_of(table: Table, write: Write, folder: Path, way: str) -> Reading:
    columns = [{"name": name, **({"type": kind} if kind else {})} for name, kind in WAYS[way].items()]
    content = {"name": "t", "id": "id", "id_kind": "opaque", "columns": columns}
    source = {**write(table, folder), "missing": MISSING}
    return read(describe({**content, "source": source}, folder))


def same(one: Reading, other: Reading) -> bool:
    """Whether two readings hold the same table."""
    columns = [(one.table.columns[name], other.table.columns[name]) for name in one.table.columns]
    for a, b in columns:
        if isinstance(a, CategoryColumn) and isinstance(b, CategoryColumn):
            if (a.levels, a.codes.tolist()) != (b.levels, b.codes.tolist()):
                return False
        elif (
            isinstance(a, CategoryColumn)
            or isinstance(b, CategoryColumn)
            or not np.array_equal(a.values, b.values, equal_nan=True)
        ):
            return False
    return one.version == other.version and one.table.ids.tolist() == other.table.ids.tolist()


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


PLAIN: Table = {
    "id": ["A1", "007", "编号-3", "D d"],
    "whole": [3, None, -7, 2**40],
    "money": [1.5, 0.1 + 0.2, None, 1e-7],
    "code": [1.0, 2.0, 11.0, None],
    "flag": [True, False, None, True],
    "trade": ["钢铁", None, "a, b", 'say "hi"'],
    "day": [date(2024, 1, 2), None, date(1999, 12, 31), date(2024, 1, 2)],
    "moment": [datetime(2024, 1, 2, 8), datetime(2024, 1, 2), None, datetime(2024, 1, 2, 23, 59, 59)],
    "zoned": [at(2024, 1, 1, 16), at(2024, 1, 2, 0, 30), None, at(2024, 1, 1, 15, 59, 59, 120_000)],
    "account": [915101000000000017, 2**63 - 1, None, -(2**63)],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_table(tmp_path: Path, form: str, way: str) -> None:
    assert same(reading_of(PLAIN, parquet, tmp_path, way), reading_of(PLAIN, WRITERS[form], tmp_path, way))


def test_levels_are_canonical(tmp_path: Path) -> None:
    table = reading_of(PLAIN, parquet, tmp_path, "categories").table
    levels = {name: column.levels for name, column in table.columns.items() if _has_levels(column)}
    assert levels["code"] == ("1", "11", "2")
    assert levels["flag"] == ("0", "1")
    assert levels["day"] == ("1999-12-31", "2024-01-02")
    assert levels["moment"] == ("2024-01-02", "2024-01-02 08:00:00", "2024-01-02 23:59:59")
    assert levels["zoned"] == ("2024-01-01 23:59:59.12", "2024-01-02", "2024-01-02 08:30:00")
    assert levels["account"] == ("-9223372036854775808", "915101000000000017", "9223372036854775807")


def _has_levels(column: object) -> bool:
    return isinstance(column, CategoryColumn)


_LETTERS = st.text(st.characters(exclude_categories=("Cs", "Cc"), codec="gb18030"), min_size=1, max_size=8)
_TEXT = st.lists(_LETTERS | st.sampled_from(['"', '""', "\n", "\r\n", ",", ";", " "]), min_size=1, max_size=4)
_GAP = st.none() | st.sampled_from(["", " ", "\u3000", "无"])
_NO_NUMBER = st.none() | st.just(-999)
_SINCE, _UNTIL = datetime(1901, 1, 1), datetime(2100, 1, 1)
_MOMENT = st.datetimes(_SINCE, _UNTIL).map(lambda when: when.replace(microsecond=0))
_ROW = st.tuples(
    _NO_NUMBER | st.integers(-(2**53), 2**53),
    _NO_NUMBER.map(lambda gap: gap and float(gap)) | st.floats(allow_infinity=False, width=64),
    st.none() | st.just(math.nan) | st.integers(0, 30).map(float),
    st.none() | st.booleans(),
    _GAP | _TEXT.map("".join).filter(lambda text: any(map(str.isalpha, text)) and text.lower() != "inf"),
    st.none() | st.dates(_SINCE.date(), _UNTIL.date()),
    st.none() | _MOMENT,
    st.none() | _MOMENT.map(lambda when: when.replace(tzinfo=UTC)),
    _NO_NUMBER | st.integers(-(2**63), 2**63 - 1),
)
_HARD = [
    (-999, math.nan, math.nan, None, 'l1\r\n"l2", 钢铁;', None, None, at(1970, 1, 1), 2**53 + 1),
    (None, 1e22, 1.0, False, "\u3000\ufeff", date(1901, 1, 1), _UNTIL, None, -(2**53) - 1),
]


@pytest.mark.parametrize("form", FORMS)
@given(rows=st.lists(_ROW, min_size=1, max_size=12), way=st.sampled_from(["categories", "numbers"]))
@example(rows=_HARD, way="categories")
@example(rows=_HARD, way="numbers")
@examples(8, allow=[HealthCheck.function_scoped_fixture])
def test_any_table_is_the_same_in_every_form(
    tmp_path: Path, form: str, rows: list[tuple[Any, ...]], way: str
) -> None:
    columns = dict(zip(TYPES, map(list, zip(*rows, strict=True)), strict=True))
    table = {"id": [f"E{number}" for number in range(len(rows))], **columns}
    assert same(reading_of(table, parquet, tmp_path, way), reading_of(table, WRITERS[form], tmp_path, way))


def test_float32_says_what_its_digits_say(tmp_path: Path) -> None:
    """0.1 kept in 32 bits is 0.1, not 0.10000000149."""
    short = [0.1, 2.7, None, 1234.56, 1e-5, 7.0]
    table = pa.table(
        {"id": list("abcdef"), "a": pa.array(short, pa.float32()), "c": pa.array(short, pa.float32())}
    )
    pq.write_table(table, tmp_path / "f.parquet")
    lines = [
        f"{i},{'' if x is None else x},{'' if x is None else x}" for i, x in zip("abcdef", short, strict=True)
    ]
    (tmp_path / "f.csv").write_text("\n".join(["id,a,c", *lines]), encoding="utf-8")
    content = {"name": "f", "id": "id", "id_kind": "opaque"}
    columns = ["a", {"name": "c", "type": "categorical"}]
    one, other = (
        read(describe({**content, "columns": columns, "source": name}, tmp_path))
        for name in ("f.parquet", "f.csv")
    )
    assert same(one, other)
    np.testing.assert_array_equal(one.table.numeric("a"), [np.nan if x is None else x for x in short])


def test_decimals_are_the_nearest_numbers(tmp_path: Path) -> None:
    with closing(duckdb.connect(str(tmp_path / "d.db"))) as connection:
        connection.execute("CREATE TABLE t AS SELECT '1' AS id, 12345678901234567.89::DECIMAL(20, 2) AS a")
    source = {"kind": "duckdb", "path": "d.db", "query": "SELECT * FROM t"}
    table = read(describe({"name": "d", "id": "id", "id_kind": "opaque", "source": source}, tmp_path)).table
    assert table.numeric("a").tolist() == [12345678901234567.89]


def test_two_writings_of_one_row_are_a_repeat_and_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        'id,a,c\n1,2,7\n1,2.0,7.0\n2,1,x\n2,1,"ｘ"\n3,1,x\n3,1,y\n', encoding="utf-8"
    )
    columns = ["a", {"name": "c", "type": "categorical"}]
    content = {"name": "t", "id": "id", "id_kind": "opaque", "source": "t.csv", "columns": columns}
    counts = read(describe(content, tmp_path)).counts
    assert (counts.clean, counts.repeated, counts.conflicting) == (2, 2, 2)
