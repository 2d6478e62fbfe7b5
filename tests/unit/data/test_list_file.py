"""How a list to be scored is described: from the data set, and from what is said of the list itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from saferoom.data import DatasetDescription, describe
from saferoom.data.familiar import Levels, strangeness, warnings
from saferoom.data.list_file import describe_list
from saferoom.data.loading import read
from saferoom.data.table import CategoryColumn, NumericColumn, PartyTable
from saferoom.errors import ConfigError, UsageError

KNOWN: dict[str, Any] = {
    "name": "known",
    "id": "firm",
    "id_kind": "opaque",
    "time_zone": "UTC",
    "columns": [{"name": "a", "type": "numeric"}, {"name": "day", "type": "date"}],
    "source": {"kind": "csv", "path": "k.csv", "encoding": "gb18030", "delimiter": ";", "missing": ["无"]},
}


def known(folder: Path, **changes: Any) -> DatasetDescription:
    return describe(KNOWN | changes, folder, party="bank")


def test_a_list_is_read_with_the_data_set_s_own_settings(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("firm;day;a\n甲;2024年1月2日;1,200\n乙;;无\n", encoding="gb18030")
    description = describe_list(known(tmp_path), tmp_path / "l.csv", ["a", "day"], {})
    table = read(description).table
    assert [id_.decode() for id_ in table.ids] == ["甲", "乙"]
    np.testing.assert_array_equal(table.numeric("a"), [1200, np.nan])
    np.testing.assert_array_equal(table.numeric("day"), [19724, np.nan])
    assert description.time_zone == "UTC"


def test_what_is_said_of_the_list_overrules_and_adds(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("firm,a\nx,-\ny,无\nz,3\n", encoding="utf-8")
    options = {"encoding": "utf-8", "delimiter": ",", "missing": ["-"]}
    table = read(describe_list(known(tmp_path), tmp_path / "l.csv", ["a"], options)).table
    np.testing.assert_array_equal(table.numeric("a"), [np.nan, np.nan, 3])


def test_a_list_of_another_form_takes_what_fits_it(tmp_path: Path) -> None:
    found = describe_list(known(tmp_path), tmp_path / "l.parquet", ["a"], {})
    assert found.source.model_dump(exclude={"path"}) == {"kind": "parquet", "missing": ("无",)}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("l.parquet", {"encoding": "gb18030"}, "a list of kind parquet has no --encoding"),
        ("l.csv", {"sheet": "1"}, "a list of kind csv has no --sheet"),
        ("l.pdf", {}, "a list's name must end in"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        describe_list(known(tmp_path), tmp_path / name, ["a"], options)


def test_what_is_wrong_with_a_list_is_said_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("firm;a\nx;many\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="the list: column 'a' should be numeric, but row 1") as caught:
        read(describe_list(known(tmp_path), tmp_path / "l.csv", ["a"], {}))
    assert caught.value.party == "bank"
    assert "--missing" in caught.value.remedy
    assert "many" not in str(caught.value)


def _workbook(*rows: tuple[str, ...], more_sheets: int = 0) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for _ in range(more_sheets):
        book.create_sheet()
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


WRONG: dict[str, tuple[bytes | None, str, str]] = {
    "absent.csv": (None, "there is no file", "check the path"),
    "absent.xlsx": (None, "there is no file", "check the path"),
    "empty.csv": (b"", "empty.csv is empty", "export the table again"),
    "empty.xlsx": (b"", "empty.xlsx is empty", "export the table again"),
    "blank.csv": (b"\n\n", "has no header line", "in the first line"),
    "blank.xlsx": (_workbook(), "has no header row", "in the first row"),
    "header.csv": (b"firm;a\n", "no rows: a header and at least one row", "export the table again"),
    "header.xlsx": (_workbook(("firm", "a")), "no rows: a header and at least one", "export the table again"),
    "no-id.csv": (b"company;a\nSECRET;1\n", "no column 'firm' (the id) among the 2", "--delimiter"),
    "no-id.xlsx": (_workbook(("SECRET",), ("x",)), "no column 'firm' (the id), 'a' among the 1", "header"),
    "spaces.csv": (b" Firm;a\nSECRET;1\n", "column 1 differs from 'firm' in case, spaces or width", "names"),
    "comma.csv": (b"firm,a\nSECRET,1\n", "among the 1 of the source", "--delimiter"),
    "bytes.csv": (b"firm;a\n\xff\xff;1\n", "is not gb18030 text", "--encoding of a list"),
    "twice.csv": (b"firm;a\nSECRET;1\nSECRET;2\n", "2 have an id that other rows give other", "keep one row"),
    "no-ids.csv": (b"firm;a\n;1\n", "none of the 1 rows has a valid id", "check `id`"),
    "text.xlsx": (b"firm;a\n", "cannot be read as an Excel workbook", "save it as .xlsx"),
    "sheets.xlsx": (_workbook(("firm", "a"), more_sheets=1), "has 2 sheets", "--sheet of a list"),
    "text.parquet": (b"firm;a\n", "cannot be read as a file of kind parquet", "of the kind that its name"),
    "text.arrow": (b"firm;a\n", "cannot be read as a file of kind arrow", "of the kind that its name"),
    "old.xls": (b"SECRET", "the ending of this one is .xls", "save it in one of these forms"),
}
"""What the file holds, what is said of it, and what to do."""


@pytest.mark.parametrize("name", WRONG)
def test_what_was_expected_what_came_and_what_to_do(tmp_path: Path, name: str) -> None:
    content, message, remedy = WRONG[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ConfigError, UsageError)) as caught:
        read(describe_list(known(tmp_path), tmp_path / name, ["a"], {}))
    assert message in str(caught.value)
    assert remedy in caught.value.remedy
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("name", ["folder.csv", "folder.xlsx", "folder.parquet"])
def test_a_folder_is_no_list(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match="is a folder, and a file is expected"):
        read(describe_list(known(tmp_path), tmp_path / name, ["a"], {}))


class _Trained:
    """A preparation that knows two trades, and saw one row in ten of others."""

    levels = {"trade": Levels(frozenset({"steel", "coal"}), 0.1)}


def _list(unseen: int, gaps: int, rows: int = 100) -> PartyTable:
    trade = np.array([2] * unseen + [0] * (rows - unseen), dtype=np.int32)
    income = np.array([np.nan] * gaps + [1.0] * (rows - gaps))
    columns = {
        "trade": CategoryColumn(trade, ("coal", "steel", "tea")),
        "income": NumericColumn(income),
    }
    ids = np.array([str(n).encode() for n in range(rows)])
    return PartyTable(ids=ids, columns=columns, label=None, train=None)


@pytest.mark.parametrize(
    ("unseen", "gaps", "warned"),
    [(15, 25, []), (16, 25, ["trade"]), (0, 26, ["income"]), (50, 90, ["trade", "income"])],
)
def test_a_list_is_warned_of_where_it_is_far_from_training(unseen: int, gaps: int, warned: list[str]) -> None:
    found = strangeness(_list(unseen, gaps), _Trained())
    assert [(each.unseen, each.missing) for each in found] == [(unseen, 0), (0, gaps)]
    said = list(warnings(found, 100, _Trained(), {"income": 0.05}))
    assert [text.split("'")[1] for text in said] == warned
