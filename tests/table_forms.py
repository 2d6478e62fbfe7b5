"""One table written in every form that can be read: text files, workbooks, Parquet, Arrow, databases."""

from __future__ import annotations

import csv
import io
import math
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl.compat import safe_string
from pyarrow import feather, ipc
from sqlalchemy import create_engine, text

Table = Mapping[str, list[Any]]
Write = Callable[[Table, Path], Any]
POSTGRES = os.environ.get("SAFEROOM_POSTGRES_URL", "")
"""An SQLAlchemy URL, where there is a server."""

TYPES = {
    "whole": pa.int64(),
    "money": pa.float64(),
    "code": pa.float64(),
    "flag": pa.bool_(),
    "trade": pa.string(),
    "day": pa.date32(),
    "moment": pa.timestamp("us"),
    "zoned": pa.timestamp("us", tz="UTC"),
    "account": pa.int64(),
}
"""The columns beside `id`, and their types where a form knows types."""
SQL_TYPES = {
    "whole": ("INTEGER", "bigint"),
    "money": ("REAL", "double precision"),
    "code": ("REAL", "double precision"),
    "flag": ("BOOLEAN", "boolean"),
    "trade": ("TEXT", "text"),
    "day": ("DATE", "date"),
    "moment": ("DATETIME", "timestamp"),
    "zoned": ("DATETIME", "timestamptz"),
    "account": ("INTEGER", "bigint"),
}
"""As SQLite and PostgreSQL call them."""


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


def parquet(table: Table, folder: Path) -> Any:
    pq.write_table(arrow(table), folder / "t.parquet", row_group_size=3)
    return {"kind": "parquet", "path": "t.parquet"}


def _parquet_dictionaries(table: Table, folder: Path) -> Any:
    whole = arrow(table)
    encoded = whole.set_column(whole.column_names.index("trade"), "trade", whole["trade"].dictionary_encode())
    pq.write_table(encoded, folder / "d.parquet")
    return {"kind": "parquet", "path": "d.parquet"}


def _feather(table: Table, folder: Path) -> Any:
    feather.write_feather(arrow(table), folder / "t.feather", compression="zstd")
    return {"kind": "arrow", "path": "t.feather"}


def _arrow_stream(table: Table, folder: Path) -> Any:
    whole = arrow(table)
    with ipc.new_stream(folder / "t.arrow", whole.schema) as writer:
        writer.write_table(whole, max_chunksize=2)
    return {"kind": "arrow", "path": "t.arrow"}


def _in_full(value: Any) -> str:
    """Numbers in all their digits; openpyxl writes 16."""
    return repr(value) if type(value) in (int, float) else safe_string(value)


def _in_a_sheet(cell: Any) -> Any:
    """A sheet knows neither NaN nor zones."""
    if isinstance(cell, float) and math.isnan(cell):
        return None
    return str(cell) if isinstance(cell, datetime) and cell.tzinfo else cell


def _excel(table: Table, folder: Path) -> Any:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [list(table), *map(list, zip(*table.values(), strict=True))]:
        sheet.append([_in_a_sheet(cell) for cell in row])
    with patch("openpyxl.cell._writer.safe_string", _in_full):
        book.save(folder / "t.xlsx")
    return {"kind": "excel", "path": "t.xlsx"}


def _duckdb(table: Table, folder: Path) -> Any:
    (folder / "t.db").unlink(missing_ok=True)
    whole = arrow(table)
    with closing(duckdb.connect(str(folder / "t.db"))) as connection:
        connection.register("whole", whole)
        connection.execute("CREATE TABLE t AS SELECT row_number() OVER () AS place, * FROM whole")
    query = f"SELECT id, {', '.join(TYPES)} FROM t ORDER BY place"
    return {"kind": "duckdb", "path": "t.db", "query": query}


def _columns(dialect: int) -> str:
    return ", ".join(f"{name} {kinds[dialect]}" for name, kinds in SQL_TYPES.items())


def _sqlite(table: Table, folder: Path) -> Any:
    (folder / "t.sqlite").unlink(missing_ok=True)
    rows = [
        [str(cell) if isinstance(cell, date | datetime) else cell for cell in row]
        for row in zip(*table.values(), strict=True)
    ]
    with closing(sqlite3.connect(folder / "t.sqlite")) as connection:
        connection.execute(f"CREATE TABLE t (id TEXT, {_columns(0)})")
        marks = ", ".join("?" for _ in table)
        connection.executemany(f"INSERT INTO t VALUES ({marks})", rows)
        connection.commit()
    return {"kind": "sql", "url": "sqlite:///t.sqlite", "query": "SELECT * FROM t ORDER BY rowid"}


def _postgres(table: Table, folder: Path) -> Any:
    del folder
    engine = create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS saferoom_one_table"))
        connection.execute(text(f"CREATE TABLE saferoom_one_table (place int, id text, {_columns(1)})"))
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
    "parquet": parquet,
    "parquet dictionaries": _parquet_dictionaries,
    "feather": _feather,
    "arrow stream": _arrow_stream,
    "excel": _excel,
    "duckdb": _duckdb,
    "sqlite": _sqlite,
    "postgresql": _postgres,
}
