"""How a list to be scored is described: from the data set, and from what is said of the list itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
