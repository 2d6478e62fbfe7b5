"""One table, in every form that can be read, is one table: one version, the same levels and values."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from openpyxl.compat import safe_string
from pyarrow import feather, ipc
from sqlalchemy import create_engine, text

from saferoom.data import CategoryColumn, describe
from saferoom.data.loading import Reading, read
from tests.property import examples

Table = Mapping[str, list[Any]]
Write = Callable[[Table, Path], Any]
POSTGRES = os.environ.get("SAFEROOM_POSTGRES_URL", "")

TYPES = {
    "whole": pa.int64(),
    "money": pa.float64(),
    "code": pa.float64(),
    "flag": pa.bool_(),
    "trade": pa.string(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
}
AS_CATEGORY = ("money", "code", "flag", "trade", "day", "moment")


def arrow(table: Table) -> pa.Table:
    return pa.table({"id": table["id"], **{n: pa.array(table[n], kind) for n, kind in TYPES.items()}})


def _csv(table: Table, encoding: str, newline: str, **keys: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=newline, **keys)  # type: ignore[arg-type]
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return out.getvalue().encode(encoding)


def _write_csv(encoding: str, newline: str, delimiter: str = ",") -> Write:
    def write(table: Table, folder: Path) -> Any:
        (folder / "t.csv").write_bytes(_csv(table, encoding, newline, delimiter=delimiter))
        read_as = "utf-8" if encoding == "utf-8-sig" else encoding
        return {"kind": "csv", "path": "t.csv", "encoding": read_as, "delimiter": delimiter}

    return write


def _parquet(table: Table, folder: Path) -> Any:
    pq.write_table(arrow(table), folder / "t.parquet", row_group_size=3)
    return "t.parquet"


def _parquet_dictionaries(table: Table, folder: Path) -> Any:
    whole = arrow(table)
    encoded = whole.set_column(whole.column_names.index("trade"), "trade", whole["trade"].dictionary_encode())
    pq.write_table(encoded, folder / "d.parquet")
    return "d.parquet"


def _feather(table: Table, folder: Path) -> Any:
    feather.write_feather(arrow(table), folder / "t.feather", compression="zstd")
    return "t.feather"


def _arrow_stream(table: Table, folder: Path) -> Any:
    whole = arrow(table)
    with ipc.new_stream(folder / "t.arrow", whole.schema) as writer:
        writer.write_table(whole, max_chunksize=2)
    return "t.arrow"


def _in_full(value: Any) -> str:
    """Numbers in 17 digits, as Excel writes them; openpyxl writes 16."""
    return repr(value) if isinstance(value, float) else safe_string(value)


def _excel(table: Table, folder: Path) -> Any:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [list(table), *map(list, zip(*table.values(), strict=True))]:
        sheet.append(row)
    with patch("openpyxl.cell._writer.safe_string", _in_full):
        book.save(folder / "t.xlsx")
    return "t.xlsx"


def _duckdb(table: Table, folder: Path) -> Any:
    (folder / "t.db").unlink(missing_ok=True)
    whole = arrow(table)
    with closing(duckdb.connect(str(folder / "t.db"))) as connection:
        connection.register("whole", whole)
        connection.execute("CREATE TABLE t AS SELECT row_number() OVER () AS place, * FROM whole")
    query = f"SELECT id, {', '.join(TYPES)} FROM t ORDER BY place"
    return {"kind": "duckdb", "path": "t.db", "query": query}


def _sqlite(table: Table, folder: Path) -> Any:
    (folder / "t.sqlite").unlink(missing_ok=True)
    rows = [
        [str(cell) if isinstance(cell, date | datetime) else cell for cell in row]
        for row in zip(*table.values(), strict=True)
    ]
    with closing(sqlite3.connect(folder / "t.sqlite")) as connection:
        connection.execute(
            "CREATE TABLE t (id TEXT, whole INTEGER, money REAL, code REAL, flag BOOLEAN, trade TEXT,"
            " day DATE, moment DATETIME)"
        )
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    return {"kind": "sql", "url": "sqlite:///t.sqlite", "query": "SELECT * FROM t ORDER BY rowid"}


def _postgres(table: Table, folder: Path) -> Any:
    del folder
    engine = create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS saferoom_one_table"))
        connection.execute(
            text(
                "CREATE TABLE saferoom_one_table (place int, id text, whole bigint, money double precision,"
                " code double precision, flag boolean, trade text, day date, moment timestamp)"
            )
        )
        names = ["place", *table]
        rows = [
            dict(zip(names, (place, *row), strict=True))
            for place, row in enumerate(zip(*table.values(), strict=True))
        ]
        values = ", ".join(f":{name}" for name in names)
        connection.execute(text(f"INSERT INTO saferoom_one_table VALUES ({values})"), rows)
    engine.dispose()
    columns = ", ".join(table)
    return {
        "kind": "sql",
        "url": POSTGRES,
        "query": f"SELECT {columns} FROM saferoom_one_table ORDER BY place",
    }


WRITERS: dict[str, Write] = {
    "csv": _write_csv("utf-8", "\n"),
    "csv crlf": _write_csv("utf-8", "\r\n"),
    "csv bom": _write_csv("utf-8-sig", "\r\n"),
    "csv semicolon": _write_csv("utf-8", "\n", ";"),
    "csv gb18030": _write_csv("gb18030", "\r\n"),
    "csv utf-16": _write_csv("utf-16", "\r\n"),
    "parquet": _parquet,
    "parquet dictionaries": _parquet_dictionaries,
    "feather": _feather,
    "arrow stream": _arrow_stream,
    "excel": _excel,
    "duckdb": _duckdb,
    "sqlite": _sqlite,
}


def reading_of(table: Table, write: Write, folder: Path, *, as_category: bool) -> Reading:
    columns = [
        {"name": name, "type": "categorical" if as_category and name in AS_CATEGORY else None}
        for name in TYPES
        if as_category or name not in ("day", "moment")
    ]
    columns = [column if column["type"] else {"name": column["name"]} for column in columns]
    content = {"name": "t", "id": "id", "id_kind": "opaque", "columns": columns}
    return read(describe({**content, "source": write(table, folder)}, folder))


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


PLAIN: Table = {
    "id": ["A1", "007", "编号-3", "D d"],
    "whole": [3, None, -7, 2**40],
    "money": [1.5, 0.1 + 0.2, None, 1e-7],
    "code": [1.0, 2.0, 11.0, None],
    "flag": [True, False, None, True],
    "trade": ["钢铁", None, "a, b", 'say "hi"'],
    "day": [date(2024, 1, 2), None, date(1999, 12, 31), date(2024, 1, 2)],
    "moment": [datetime(2024, 1, 2, 8), datetime(2024, 1, 2), None, datetime(2024, 1, 2, 23, 59, 59)],
}


@pytest.mark.parametrize("as_category", [False, True])
@pytest.mark.parametrize("form", list(WRITERS))
def test_every_form_gives_the_same_table(tmp_path: Path, form: str, as_category: bool) -> None:
    expected = reading_of(PLAIN, _parquet, tmp_path, as_category=as_category)
    assert same(expected, reading_of(PLAIN, WRITERS[form], tmp_path, as_category=as_category))
    if as_category:
        levels = {
            name: column.levels
            for name, column in expected.table.columns.items()
            if isinstance(column, CategoryColumn)
        }
        assert levels["code"] == ("1", "11", "2")
        assert levels["flag"] == ("0", "1")
        assert levels["day"] == ("1999-12-31", "2024-01-02")
        assert levels["moment"] == ("2024-01-02", "2024-01-02 08:00:00", "2024-01-02 23:59:59")


@pytest.mark.skipif(
    not POSTGRES, reason="SAFEROOM_POSTGRES_URL names no PostgreSQL server (an SQLAlchemy URL)"
)
@pytest.mark.parametrize("as_category", [False, True])
def test_postgresql_gives_the_same_table(tmp_path: Path, as_category: bool) -> None:
    expected = reading_of(PLAIN, _parquet, tmp_path, as_category=as_category)
    assert same(expected, reading_of(PLAIN, _postgres, tmp_path, as_category=as_category))


_TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), codec="gb18030"), min_size=1, max_size=8
).filter(lambda text: any(letter.isalpha() for letter in text) and text.lower() not in ("nan", "inf"))
_ROW = st.tuples(
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.none() | st.integers(0, 30).map(float),
    st.none() | st.booleans(),
    st.none() | _TEXT,
    st.none() | st.dates(date(1901, 1, 1), date(2100, 1, 1)),
    st.none()
    | st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),
)


@pytest.mark.parametrize("form", [form for form in WRITERS if form != "parquet"])
@given(rows=st.lists(_ROW, min_size=1, max_size=12))
@examples(15, allow=[HealthCheck.function_scoped_fixture])
def test_any_table_is_the_same_in_every_form(tmp_path: Path, form: str, rows: list[tuple[Any, ...]]) -> None:
    columns = dict(zip(TYPES, map(list, zip(*rows, strict=True)), strict=True))
    table = {"id": [f"E{number}" for number in range(len(rows))], **columns}
    expected = reading_of(table, _parquet, tmp_path, as_category=True)
    assert same(expected, reading_of(table, WRITERS[form], tmp_path, as_category=True))


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
