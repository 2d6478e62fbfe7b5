"""What a folder is called says nothing about what lies in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from saferoom.data import describe
from saferoom.data.consent import load_consent
from saferoom.data.loading import read
from saferoom.errors import ConfigError

ROWS = {
    "id": ["A", "B", "C"],
    "y": ["0", "1", "0"],
    "split": ["train", "test", "test"],
    "income": ["1.5", "2.5", "3.5"],
}
FOLDERS = ("y=1", "split=train", "income=9", "id=Z")


def _text(path: Path) -> None:
    lines = [",".join(row) for row in [tuple(ROWS), *zip(*ROWS.values(), strict=True)]]
    path.write_text("\n".join(lines), encoding="utf-8")


def _utf16(path: Path) -> None:
    _text(path)
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-16")


def _workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [tuple(ROWS), *zip(*ROWS.values(), strict=True)]:
        sheet.append(row)
    book.save(path)


WRITERS: dict[str, tuple[Callable[[Path], Any], dict[str, str]]] = {
    "rows.csv": (_text, {"kind": "csv"}),
    "rows.txt": (_utf16, {"kind": "csv", "encoding": "utf-16"}),
    "rows.parquet": (lambda path: pq.write_table(pa.table(ROWS), path), {"kind": "parquet"}),
    "rows.feather": (lambda path: feather.write_feather(pa.table(ROWS), path), {"kind": "arrow"}),
    "rows.xlsx": (_workbook, {"kind": "excel"}),
}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", list(WRITERS))
def test_the_content_of_a_file_counts_alone(tmp_path: Path, name: str, folder: str) -> None:
    write, source = WRITERS[name]
    place = tmp_path / folder
    place.mkdir()
    write(place / name)
    content: dict[str, Any] = {"name": "rows", "id": "id", "id_kind": "opaque", "label": "y"}
    content["split"] = "split"
    content["columns"] = [{"name": "income", "type": "numeric"}]
    table = read(describe({**content, "source": {**source, "path": f"{folder}/{name}"}}, tmp_path)).table
    assert table.ids.tolist() == [b"A", b"B", b"C"]
    assert table.label is not None
    assert table.train is not None
    assert table.label.tolist() == [0, 1, 0]
    assert table.train.tolist() == [True, False, False]
    np.testing.assert_array_equal(table.numeric("income"), [1.5, 2.5, 3.5])


def test_a_folder_gives_no_consent(tmp_path: Path) -> None:
    (tmp_path / "purpose=credit").mkdir()
    (tmp_path / "purpose=credit" / "consent.csv").write_text(
        "id,purpose,valid_from,valid_to,document_hash\nA,other,2024-01-01,,h\n", encoding="utf-8"
    )
    (tmp_path / "rows.csv").write_text("id,a\nA,1\n", encoding="utf-8")
    consent = {"source": "purpose=credit/consent.csv"}
    content = {"name": "rows", "id": "id", "id_kind": "opaque", "source": "rows.csv", "consent": consent}
    assert load_consent(describe(content, tmp_path)).purpose.to_pylist() == ["other"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{folder}/y=1/rows.csv')",
        "SELECT * FROM leak",
        "SELECT 1; COPY (SELECT 1) TO '{folder}/written'",
        "SELECT 1; SET enable_external_access = true",
    ],
)
def test_a_query_reads_and_writes_nothing_but_its_own_file(tmp_path: Path, query: str) -> None:
    (tmp_path / "y=1").mkdir()
    _text(tmp_path / "y=1" / "rows.csv")
    with closing(duckdb.connect(str(tmp_path / "t.db"))) as connection:
        connection.execute(f"CREATE VIEW leak AS SELECT * FROM read_csv('{tmp_path}/y=1/rows.csv')")
    source = {"kind": "duckdb", "path": "t.db", "query": query.format(folder=tmp_path)}
    content = {"name": "rows", "id": "id", "id_kind": "opaque", "source": source}
    with pytest.raises(ConfigError) as caught:
        read(describe(content, tmp_path))
    assert "y=1" not in str(caught.value)
    assert not (tmp_path / "written").exists()
