"""Reading sources: types, missing values, ids as text, and a clear error for everything that is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saferoom.data import CategoryColumn, DatasetDescription, NumericColumn, describe, load, register
from saferoom.data.loading import read
from saferoom.errors import ConfigError

MakeDataset = Callable[..., DatasetDescription]
SECRET = "8675309"  # must never show up in an error
TEXT = "id,y,split,money,trade,code\n01,1,train,1.5,food,7\n02,0,test,,,8\n１３,0,train,-2e3,steel,9\n"


def refusal(dataset: DatasetDescription) -> str:
    with pytest.raises(ConfigError) as caught:
        load(dataset)
    error = caught.value
    assert error.party == "bank"
    assert error.remedy
    assert "'small'" in error.message
    assert SECRET not in str(error)
    assert error.__cause__ is None or SECRET not in str(error.__cause__)
    return str(error)


def test_ids_stay_text_numbers_become_float_and_texts_categories(make_dataset: MakeDataset) -> None:
    table = load(make_dataset(TEXT, label="y", split="split"))
    assert [i.decode() for i in table.ids] == ["01", "02", "１３"]
    assert table.types == {"money": "numeric", "trade": "categorical", "code": "numeric"}
    np.testing.assert_array_equal(table.numeric("money"), [1.5, np.nan, -2000.0])
    trade = table.column("trade")
    assert isinstance(trade, CategoryColumn)
    assert trade.levels == ("food", "steel")
    assert trade.codes.tolist() == [0, -1, 1]
    assert table.label is not None
    assert table.label.tolist() == [1, 0, 0]
    assert table.train is not None
    assert table.train.tolist() == [True, False, True]


def test_only_the_asked_columns_are_kept_in_the_asked_order(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(TEXT, label="y", split="split")
    assert list(load(dataset, ["code", "money"]).columns) == ["code", "money"]
    assert load(dataset, []).columns == {}
    with pytest.raises(ConfigError, match="'none'"):
        load(dataset, ["none"])


def test_take_keeps_rows_aligned(make_dataset: MakeDataset) -> None:
    table = load(make_dataset(TEXT, label="y", split="split")).take(np.array([2, 0]))
    assert [i.decode() for i in table.ids] == ["１３", "01"]
    np.testing.assert_array_equal(table.matrix(["code", "money"]), [[9.0, -2000.0], [7.0, 1.5]])
    assert table.label is not None
    assert table.label.tolist() == [0, 1]


def test_described_columns_and_types_win_over_the_values(make_dataset: MakeDataset) -> None:
    columns = ["money", {"name": "code", "type": "categorical"}]
    table = load(make_dataset(TEXT, label="y", split="split", columns=columns))
    assert table.types == {"money": "numeric", "code": "categorical"}


def test_known_types_win_over_the_values(make_dataset: MakeDataset) -> None:
    table = load(make_dataset(TEXT), ["code"], types={"code": "categorical"})
    column = table.column("code")
    assert isinstance(column, CategoryColumn)
    assert column.levels == ("7", "8", "9")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"id,a,b\n1,2,3\n2,{SECRET}\n", "line 3: expected 3 cells, found 2"),
        (f"id,a,b\n1,2,3\n2,{SECRET},4,5\n", "line 3: expected 3 cells, found 4"),
        (f'id,a\n1,"{SECRET}\n2,3\n', "line 2: a quoted cell is not closed"),
        ("id,a,a\n1,2,3\n", "'a'"),
        ("id,sum,SUM\n1,2,3\n", "'SUM', 'sum'"),
        ("id,,a\n1,2,3\n", "column 2 has no name"),
        ("", "empty"),
        ("id,a\n", "no rows"),
        (f"key,a\n{SECRET},2\n", "no column 'id'"),
        (f"id,a\n1,2\n2,1e400\n3,{SECRET}\n", "'a' holds an infinite number, first in row 2"),
        (f"id,a\n,{SECRET}\n", "none of the 1 rows has a valid id"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_remedy(
    make_dataset: MakeDataset, text: str, reason: str
) -> None:
    assert reason in refusal(make_dataset(text))


@pytest.mark.parametrize("wrong", ["2", "", "yes", "0.5", SECRET])
def test_a_label_that_is_not_zero_or_one_is_refused(make_dataset: MakeDataset, wrong: str) -> None:
    text = refusal(make_dataset(f"id,a,y\n1,2,0\n2,3,1\n3,3,{wrong}\n", label="y"))
    assert "row 3" in text
    assert "'y'" in text


@pytest.mark.parametrize("wrong", ["", "TRAIN", "valid"])
def test_a_split_that_is_not_train_or_test_is_refused(make_dataset: MakeDataset, wrong: str) -> None:
    assert "row 2" in refusal(make_dataset(f"id,a,s\n1,2,train\n2,3,{wrong}\n", split="s"))


def test_a_text_in_a_numeric_column_is_refused_by_row(make_dataset: MakeDataset) -> None:
    dataset = make_dataset(f"id,a\n1,2\n2,x{SECRET}\n", columns=[{"name": "a", "type": "numeric"}])
    assert "column 'a' should be numeric, but row 2" in refusal(dataset)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    content = {"name": "small", "source": "none.csv", "id": "id", "id_kind": "opaque"}
    assert "there is no file" in refusal(describe(content, tmp_path, party="bank"))


def test_gbk_is_refused_by_default_and_read_when_named(make_dataset: MakeDataset) -> None:
    text = "id,行业\n1,餐饮\n2,\n3,钢铁\n".encode("gbk")
    assert "encoding" in refusal(make_dataset(text))
    late = ("id,a\n" + "1,x\n" * 5000).encode() + "2,餐饮\n".encode("gbk")
    assert "is not utf-8 text (line 5002)" in refusal(make_dataset(late))
    source = {"kind": "csv", "path": "data.csv", "encoding": "gb18030"}
    column = load(make_dataset(text, source=source)).column("行业")
    assert isinstance(column, CategoryColumn)
    assert column.levels == ("钢铁", "餐饮")
    assert column.codes.tolist() == [1, -1, 0]


def test_errors_in_decoded_files_hold_line_and_no_value(make_dataset: MakeDataset) -> None:
    source = {"kind": "csv", "path": "data.csv", "encoding": "gb18030"}
    text = refusal(make_dataset(f"id,业,b\n1,2,3\n2,{SECRET}\n".encode("gbk"), source=source))
    assert "line 3: expected 3 cells, found 2" in text
    wrong = {**source, "encoding": "utf-16"}
    refusal(make_dataset(f"id,业\n1,{SECRET}\n".encode("gbk"), source=wrong))


def test_byte_order_mark_crlf_quotes_and_delimiter(make_dataset: MakeDataset) -> None:
    text = b'\xef\xbb\xbfid;a;b\r\n1;"x;\ny";2\r\n2;"say ""hi""";3\r\n'
    table = load(make_dataset(text, source={"kind": "csv", "path": "data.csv", "delimiter": ";"}))
    column = table.column("a")
    assert isinstance(column, CategoryColumn)
    assert set(column.levels) == {"x;\ny", 'say "hi"'}


def test_named_missing_texts_are_missing(make_dataset: MakeDataset) -> None:
    source = {"kind": "csv", "path": "data.csv", "missing": ["NA", "-"]}
    table = load(make_dataset("id,a\n1,NA\n2,-\n3,4\n", source=source))
    np.testing.assert_array_equal(table.numeric("a"), [np.nan, np.nan, 4.0])


def test_nan_reads_as_missing_and_an_empty_column_only_warns(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    registration = register(make_dataset("id,a,b,c\n1,nan,,5\n2,1,,5\n"), tmp_path / "home")
    assert [(c.name, c.type, c.missing) for c in registration.columns] == [
        ("a", "numeric", 1),
        ("b", "numeric", 2),
        ("c", "numeric", 0),
    ]
    assert "column 'b' has no value at all" in registration.warnings
    assert "column 'c' is constant" in registration.warnings


def test_strange_column_names_are_only_names(make_dataset: MakeDataset) -> None:
    table = load(make_dataset('id,"a""; DROP TABLE x; --","it\'s",c1\n1,2,3,4\n'))
    assert list(table.columns) == ['a"; DROP TABLE x; --', "it's", "c1"]


def test_a_number_with_underscores_is_a_text(make_dataset: MakeDataset) -> None:
    assert load(make_dataset("id,a\n1,1_000\n2,5\n")).types == {"a": "categorical"}


def write_everywhere(folder: Path) -> list[dict[str, Any] | str]:
    """The same five rows as CSV, Parquet, SQLite and DuckDB."""
    rows = [
        (f"0{i}", i * 0.1, None if i == 2 else i, None if i == 3 else f"行{i % 2}", i % 2) for i in range(5)
    ]
    names = ("id", "rate", "size", "trade", "y")
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    (folder / "d.csv").write_text("\n".join([",".join(names), *lines]), encoding="utf-8")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns).select(["y", "trade", "size", "rate", "id"]), folder / "d.parquet")
    with sqlite3.connect(folder / "d.db") as sqlite:
        sqlite.execute("CREATE TABLE t (id TEXT, rate REAL, size INTEGER, trade TEXT, y INTEGER)")
        sqlite.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    with duckdb.connect(str(folder / "d.duckdb")) as duck:
        duck.execute("CREATE TABLE t (id TEXT, rate DOUBLE, size INTEGER, trade TEXT, y BOOLEAN)")
        duck.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    query = "SELECT * FROM t ORDER BY id;"
    return [
        "d.csv",
        "d.parquet",
        {"kind": "sql", "url": "sqlite:///d.db", "query": query},
        {"kind": "duckdb", "path": "d.duckdb", "query": query},
    ]


def test_all_sources_give_the_same_table_and_version(tmp_path: Path) -> None:
    common = {"name": "d", "id": "id", "id_kind": "opaque", "label": "y"}
    readings = [
        read(describe({**common, "source": source}, tmp_path)) for source in write_everywhere(tmp_path)
    ]
    assert len({reading.version for reading in readings}) == 1
    for reading in readings:
        table = reading.table
        assert [i.decode() for i in table.ids] == ["00", "01", "02", "03", "04"]
        np.testing.assert_array_equal(table.numeric("rate"), [i * 0.1 for i in range(5)])
        np.testing.assert_array_equal(table.numeric("size"), [0, 1, np.nan, 3, 4])
        trade = table.column("trade")
        assert isinstance(trade, CategoryColumn)
        assert trade.codes.tolist() == [0, 1, 0, -1, 0]


@pytest.mark.parametrize(
    ("url", "query", "reason"),
    [
        ("sqlite:///none.db", "SELECT 1", "there is no file"),
        ("sqlite:///d.db", f"SELECT * FROM t{SECRET}", "refused the query"),
        ("sqlite:///d.db", "SELECT id, rate, rate FROM t", "appear twice"),
        ("sqlite:///d.db", "SELECT id, x'00ff' AS a FROM t", "no text, number or date"),
        ("nosuch://d.db", "SELECT 1", "no driver"),
    ],
)
def test_sql_trouble_is_named(tmp_path: Path, url: str, query: str, reason: str) -> None:
    write_everywhere(tmp_path)
    source = {"kind": "sql", "url": url, "query": query}
    content = {"name": "small", "source": source, "id": "id", "id_kind": "opaque"}
    assert reason in refusal(describe(content, tmp_path, party="bank"))


def test_sqlite_cells_of_mixed_type_and_colons_in_the_query(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "m.db") as sqlite:
        sqlite.execute("CREATE TABLE t (id, a)")
        sqlite.executemany("INSERT INTO t VALUES (?, ?)", [("1", 2), ("2", "3.5"), ("3", None), ("4", "x:y")])
    source = {"kind": "sql", "url": "sqlite:///m.db", "query": "SELECT * FROM t WHERE a IS NULL OR a <> ':z'"}
    content = {"name": "m", "source": source, "id": "id", "id_kind": "opaque"}
    column = load(describe(content, tmp_path)).column("a")
    assert isinstance(column, CategoryColumn)
    assert column.levels == ("2", "3.5", "x:y")


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.parquet").write_bytes(b"PAR1" + b"\0" * 100)
    content = {"name": "small", "source": "d.parquet", "id": "id", "id_kind": "opaque"}
    assert "cannot be read" in refusal(describe(content, tmp_path, party="bank"))


def test_columns_that_appear_twice_in_typed_sources_are_refused(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["id", "a", "A"])
    pq.write_table(twice, tmp_path / "d.parquet")
    duckdb.connect(str(tmp_path / "d.duckdb")).close()
    query = {"kind": "duckdb", "path": "d.duckdb", "query": "SELECT 1 AS id, 2 AS a, 3 AS a"}
    for source in ("d.parquet", query):
        content = {"name": "small", "source": source, "id": "id", "id_kind": "opaque"}
        assert "appear twice" in refusal(describe(content, tmp_path, party="bank"))


def test_parquet_keeps_texts_of_digits_as_categories_and_row_order(tmp_path: Path) -> None:
    count = 300_000
    columns = {
        "id": [str(i) for i in range(count)],
        "a": np.arange(count, dtype=float),
        "code": ["07"] * count,
    }
    pq.write_table(pa.table(columns), tmp_path / "d.parquet", row_group_size=10_000)
    content = {"name": "d", "source": "d.parquet", "id": "id", "id_kind": "opaque"}
    table = load(describe(content, tmp_path))
    assert table.types == {"a": "numeric", "code": "categorical"}
    np.testing.assert_array_equal(table.numeric("a"), np.arange(count))
    assert isinstance(table.column("a"), NumericColumn)


def test_csv_row_order_survives_parallel_reading(make_dataset: MakeDataset) -> None:
    count = 600_000
    text = "id,a\n" + "".join(f"{i},{i}\n" for i in range(count))
    table = load(make_dataset(text))
    np.testing.assert_array_equal(table.numeric("a"), np.arange(count))
    np.testing.assert_array_equal(table.ids.astype(int), np.arange(count))
