"""Registering: what is stored, what the version depends on, and that a change is noticed."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from saferoom.data import DatasetDescription, check, forget, list_registered, load, recall, register
from saferoom.data.loading import read
from saferoom.errors import ConfigError, StorageError

MakeDataset = Callable[..., DatasetDescription]
OLD_VERSION = "sha256:f1bfc4ff569105ab098abcfa9601249a43fbf1484fa0b4a2248a48102eca2a0b"
REJECTED = ("untidy", "missing", "invalid", "repeated", "conflicting")
TEXT = "id,y,split,a,b\n1,0,train,1,x\n2,1,test,2,\n3,0,train,,y\n3,0,train,,y\n"


def test_a_registration_is_stored_privately_and_comes_back(make_dataset: MakeDataset, tmp_path: Path) -> None:
    home = tmp_path / "home" / "data"
    stored = register(make_dataset(TEXT, label="y", split="split"), home)
    assert recall("small", home) == stored
    assert list_registered(home) == [stored]
    assert (stored.counts.rows, stored.counts.clean, stored.counts.repeated) == (4, 3, 1)
    assert (stored.events, stored.train_rows) == (1, 2)
    assert stored.types == {"a": "numeric", "b": "categorical"}
    assert [column.missing for column in stored.columns] == [1, 1]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in home.iterdir())
    assert stored.version.startswith("sha256:")
    forget("small", home)
    assert list(home.iterdir()) == []


def test_the_log_gets_no_label_balance_and_no_path(make_dataset: MakeDataset, tmp_path: Path) -> None:
    text = json.dumps(register(make_dataset(TEXT, label="y"), tmp_path / "home").for_log())
    assert str(tmp_path) not in text
    assert "events" not in text
    assert '"clean": 3' in text


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (TEXT.replace("1,x", "1.0,x"), True),
        ("b,a,split,y,id\nx,1,train,0,1\n,2,test,1,2\ny,,train,0,3\ny,,train,0,3\n", True),
        (TEXT.replace("\n", "\r\n"), True),
        (TEXT.replace("1,x", "1.0000001,x"), False),
        (TEXT.replace("2,1,test", "2,0,test"), False),
        (TEXT.replace("2,1,test", "2,1,train"), False),
        (TEXT.replace("1,x", "1,xy"), False),
        (TEXT.replace("2,\n", "2,(missing)\n"), False),
        (TEXT.replace(",b\n", ",c\n"), False),
        (TEXT.replace("1,0,train", "01,0,train"), False),
        (TEXT + "4,0,train,1,x\n", False),
    ],
)
def test_the_version_is_of_the_content(make_dataset: MakeDataset, changed: str, same: bool) -> None:
    before = read(make_dataset(TEXT, label="y", split="split")).version
    after = read(make_dataset(changed, label="y", split="split")).version
    assert (before == after) == same


def test_the_version_tells_where_one_text_ends(make_dataset: MakeDataset) -> None:
    one = read(make_dataset("id,a\n1,xy\n2,z\n")).version
    two = read(make_dataset("id,a\n1,x\n2,yz\n")).version
    assert one != two


def test_minus_zero_is_zero_to_the_version(make_dataset: MakeDataset) -> None:
    assert read(make_dataset("id,a\n1,-0\n2,5\n")).version == read(make_dataset("id,a\n1,0\n2,5\n")).version


def test_the_version_is_computed_as_written_down(make_dataset: MakeDataset) -> None:
    """By the standard library alone: contracts pin versions, so no library or release may change them."""

    def texts(*cells: str | None) -> str:
        lengths = b"".join(struct.pack("<i", -1 if c is None else len(c.encode())) for c in cells)
        data = "".join(c or "" for c in cells).encode()
        return hashlib.sha256(lengths).hexdigest() + hashlib.sha256(data).hexdigest()

    def numbers(*cells: float) -> str:
        return hashlib.sha256(struct.pack(f"<{len(cells)}d", *cells)).hexdigest()

    columns = [
        ["feature", "a", "numeric", numbers(1, 2, math.nan, math.nan)],
        ["feature", "b", "categorical", texts("x", None, "y", "y")],
        ["id opaque", "id", "categorical", texts("1", "2", "3", "3")],
        ["label", "y", "numeric", numbers(0, 1, 0, 0)],
        ["split", "split", "categorical", texts("train", "test", "train", "train")],
    ]
    content = ["saferoom data version 1", "4", *(part for column in columns for part in column)]
    expected = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
    assert read(make_dataset(TEXT, label="y", split="split")).version == f"sha256:{expected}"


def test_a_changed_file_is_noticed(make_dataset: MakeDataset, tmp_path: Path) -> None:
    stored = register(make_dataset(TEXT, label="y"), tmp_path / "home")
    check(stored)
    load(stored.description, ["a"], types=stored.types, version=stored.version)
    make_dataset(TEXT.replace("2,1,test,2", "2,1,test,3"))
    for read_again in (
        lambda: check(stored),
        lambda: load(stored.description, ["b"], types=stored.types, version=stored.version),
    ):
        with pytest.raises(ConfigError, match="has changed since it was registered") as caught:
            read_again()
        assert "register the data set again" in caught.value.remedy


def test_warnings_name_what_may_surprise(make_dataset: MakeDataset, tmp_path: Path) -> None:
    lines = "".join(f"{i},0,name {i},5,7\n" for i in range(101))
    stored = register(
        make_dataset("id,y,many,same,\u00e9\n" + lines + ",0,x,5,7\n", label="y"), tmp_path / "h"
    )
    text = "\n".join(stored.warnings)
    assert "column 'many' has 101 categories" in text
    assert "column 'same' is constant" in text
    assert "one class only" in text
    assert "1 rows left out: id missing" in text


def test_a_query_without_an_order_is_warned_of(tmp_path: Path, make_dataset: MakeDataset) -> None:
    with sqlite3.connect(tmp_path / "d.db") as sqlite:
        sqlite.execute("CREATE TABLE t AS SELECT '1' AS id, 2 AS a")
    source = {"kind": "sql", "url": "sqlite:///d.db", "query": "SELECT * FROM t"}
    assert any(
        "ORDER BY" in text for text in register(make_dataset("", source=source), tmp_path / "h").warnings
    )


@pytest.mark.parametrize("name", ["none", "../small", "a/b", ""])
def test_an_unknown_or_impossible_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        recall(name, tmp_path)


def test_a_damaged_registration_is_a_storage_error(make_dataset: MakeDataset, tmp_path: Path) -> None:
    register(make_dataset(TEXT), tmp_path / "home")
    (tmp_path / "home" / "small.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be read"):
        list_registered(tmp_path / "home")
    forget("small", tmp_path / "home")
    assert list_registered(tmp_path / "home") == []
    with pytest.raises(ConfigError, match="no data set 'small' is registered"):
        forget("small", tmp_path / "home")


def test_a_folder_that_cannot_be_written_is_a_storage_error(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("a file, no folder", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"):
        register(make_dataset(TEXT), tmp_path / "home")


def test_a_registration_of_the_release_before_goes_on_working(tmp_path: Path) -> None:
    """It has no zone, no writings and no remarks; the version of plain data has not changed."""
    (tmp_path / "t.csv").write_text("id,y,split,a,trade\na,1,train,1.5,x\nb,0,test,,y\n", encoding="utf-8")
    folder = tmp_path / "home"
    folder.mkdir()
    described = {
        "source": {"kind": "csv", "path": str(tmp_path / "t.csv"), "encoding": "utf-8", "missing": []},
        "name": "t",
        "party": "bank",
        "id": "id",
        "id_kind": "opaque",
        "label": "y",
        "split": "split",
    }
    facts = {"missing": 0, "constant": False}
    (folder / "t.json").write_text(
        json.dumps(
            {
                "name": "t",
                "version": OLD_VERSION,
                "registered_at": "2026-01-01T00:00:00Z",
                "counts": {"rows": 2, "clean": 2} | dict.fromkeys(REJECTED, 0),
                "columns": [
                    {"name": "a", "type": "numeric", "levels": 0, **facts},
                    {"name": "trade", "type": "categorical", "levels": 2, **facts},
                ],
                "events": 1,
                "train_rows": 1,
                "warnings": ["an old word"],
                "description": described,
            }
        ),
        encoding="utf-8",
    )
    found = recall("t", folder)
    check(found)
    assert (found.description.time_zone, found.warnings, found.remarks) == ("+08:00", ("an old word",), ())
    (tmp_path / "t.csv").write_text("id,y,split,a,trade\na,1,train,1.5,x\nb,0,test,,z\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="or an earlier release read it otherwise") as caught:
        check(found)
    assert "register the data set again" in caught.value.remedy
