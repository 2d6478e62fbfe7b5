"""What registration says of each column: types, gaps, unusual writings, by row number and never by value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from saferoom.data import DatasetDescription, describe
from saferoom.data.catalogue import Registration, recall, register
from saferoom.data.loading import read
from saferoom.data.proposal import propose
from saferoom.data.words import FORMS, PROFILE, REMARKS
from saferoom.errors import ConfigError, UsageError

MakeDataset = Callable[..., DatasetDescription]
ROWS = 60
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

# The writing of n, what it means as a number, and what is said of it.
WRITINGS: dict[str, tuple[Callable[[int], str], Callable[[int], float], str]] = {
    "thousands": (lambda n: f"{n * 1234:,}", lambda n: n * 1234.0, "thousand separators"),
    "percent": (lambda n: f"{n}.5%", lambda n: (n + 0.5) / 100, "%"),
    "yuan": (lambda n: f"¥{n + 1},000", lambda n: (n + 1) * 1000.0, "yuan"),
    "wan": (lambda n: f"{n}.5万元", lambda n: n * 10_000.0 + 5000, "units such as 万"),
    "full width": (lambda n: str(n).translate(FULL_WIDTH), float, "full-width characters"),
    "brackets": (lambda n: f"({n + 1})", lambda n: -n - 1.0, "brackets for a minus"),
}


def column(texts: Sequence[str]) -> str:
    return "\n".join(["id,a", *(f'e{n},"{text}"' for n, text in enumerate(texts))])


def registered(dataset: DatasetDescription, folder: Path) -> Registration:
    return register(dataset, folder / "home")


def test_one_text_among_numbers_does_not_lose_the_column(make_dataset: MakeDataset, tmp_path: Path) -> None:
    texts = [str(20 + n % 50) for n in range(3000)]
    texts[17] = "N/A"
    with pytest.raises(ConfigError, match="2999 of 3000 values read as numbers, row 18 does not") as caught:
        registered(make_dataset(column(texts)), tmp_path)
    assert "N/A" not in str(caught.value)
    source = {"kind": "csv", "path": "data.csv", "missing": ["N/A"]}
    found = registered(make_dataset(column(texts), source=source), tmp_path)
    assert (found.types, found.columns[0].missing, found.warnings) == ({"a": "numeric"}, 1, ())


@pytest.mark.parametrize("name", list(WRITINGS))
def test_usual_writings_are_understood_where_the_type_is_named(
    make_dataset: MakeDataset, tmp_path: Path, name: str
) -> None:
    write, number, form = WRITINGS[name]
    text = column([write(n) for n in range(ROWS)])
    with pytest.raises(ConfigError, match="name the type"):
        registered(make_dataset(text), tmp_path)
    dataset = make_dataset(text, columns=[{"name": "a", "type": "numeric"}])
    np.testing.assert_allclose(read(dataset).table.numeric("a"), [number(n) for n in range(ROWS)], rtol=1e-15)
    (warning,) = [each for each in registered(dataset, tmp_path).warnings if "written with" in each]
    assert form in warning


def test_a_few_odd_cells_are_pointed_at(make_dataset: MakeDataset, tmp_path: Path) -> None:
    texts = [str(n) for n in range(ROWS)]
    texts[40], texts[50] = "1,040", "5%"
    found = registered(make_dataset(column(texts), columns=[{"name": "a", "type": "numeric"}]), tmp_path)
    writing = found.columns[0].writing
    assert writing is not None
    assert (writing.known, writing.numbers, writing.unusual) == (60, 58, 2)
    assert writing.first_row == {"unusual": 41}
    assert "2 of 60 numbers are written with thousand separators, %, first in row 41" in found.warnings[0]
    assert "5 % is read as 0.05" in found.warnings[1]


@pytest.mark.parametrize(
    ("texts", "type_", "warning"),
    [
        ([f"2024/1/{n % 28 + 1}" for n in range(ROWS)], "categorical", "60 of 60 values are dates"),
        ([f"{n:03}" for n in range(ROWS)], "categorical", "are taken for codes"),
        (["-" if n % 5 == 0 else str(n) for n in range(ROWS)], "categorical", "48 of 60 values read as num"),
        (["True", "false"] * 30, "numeric", ""),
        (["是", "否"] * 30, "categorical", ""),
    ],
)
def test_what_is_guessed_is_said(
    make_dataset: MakeDataset, tmp_path: Path, texts: list[str], type_: str, warning: str
) -> None:
    found = registered(make_dataset(column(texts)), tmp_path)
    assert found.types == {"a": type_}
    assert len(found.warnings) == bool(warning)
    assert warning in "".join(found.warnings)


def test_dates_and_booleans_are_numbers_where_named(make_dataset: MakeDataset) -> None:
    text = "id,day,flag\na,2024年1月2日,是\nb,2024/1/1,否\nc,,\n"
    columns = [{"name": "day", "type": "date"}, {"name": "flag", "type": "boolean"}]
    table = read(make_dataset(text, columns=columns)).table
    np.testing.assert_array_equal(table.numeric("day"), [19724, 19723, np.nan])
    np.testing.assert_array_equal(table.numeric("flag"), [1, 0, np.nan])


def test_numbers_that_a_source_keeps_as_text_are_pointed_at(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": list("abc"), "code": ["1", "2", "3"]}), tmp_path / "t.parquet")
    dataset = describe({"name": "t", "id": "id", "id_kind": "opaque", "source": "t.parquet"}, tmp_path)
    (warning,) = registered(dataset, tmp_path).warnings
    assert "all 3 values are numbers, but the source keeps them as text" in warning


def test_a_pandas_row_number_is_no_feature_unless_it_is_described(tmp_path: Path) -> None:
    index = "__index_level_0__"
    pq.write_table(
        pa.table({"id": list("abc"), "a": [1.0, 2.0, 4.0], index: [0, 1, 2]}), tmp_path / "t.parquet"
    )
    content = {"name": "t", "id": "id", "id_kind": "opaque", "source": "t.parquet"}
    found = registered(describe(content, tmp_path), tmp_path)
    assert found.types == {"a": "numeric"}
    assert found.warnings == (f"column '{index}' is a row number of pandas: it is left out",)
    described = registered(describe({**content, "columns": [index]}, tmp_path), tmp_path)
    assert (described.types, described.warnings) == ({index: "numeric"}, ())


SECRETS = ("机密值", "98,765", "2031年7月9日", "4321.0", "'0077", "5.55E+17")


def test_no_value_is_told(make_dataset: MakeDataset, tmp_path: Path) -> None:
    """Neither in what is kept, but for the list of rejected ids, nor in what is refused."""
    cells = [*SECRETS[:3], "1.5"] * 20
    rows = [f'{SECRETS[3 + n % 3] if n < 3 else n},"{cell}","{cell}"' for n, cell in enumerate(cells)]
    text = "\n".join(["id,a,b", *rows])
    dataset = make_dataset(text, columns=[{"name": "a", "type": "categorical"}, {"name": "b"}])
    kept = registered(dataset, tmp_path).model_dump_json()
    assert [secret for secret in SECRETS if secret in kept] == []
    for type_ in ("numeric", "date", "boolean"):
        with pytest.raises(ConfigError, match="row ") as caught:
            read(make_dataset(text, columns=[{"name": "a", "type": type_}]))
        assert [secret for secret in SECRETS if secret in str(caught.value)] == []


def test_remarks_are_kept_and_say_the_same_in_both_languages(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    texts = ["1,000", *map(str, range(2, 60))]
    register(make_dataset(column(texts), columns=[{"name": "a", "type": "numeric"}]), tmp_path)
    found = recall("small", tmp_path)
    (remark,) = found.remarks
    assert remark.text() == found.warnings[0]
    assert remark.text("zh") == "列“a”：59 个数中有 1 个写法特殊（千位分隔符），首见于第 1 行"
    for table in (REMARKS, FORMS, PROFILE):
        assert all(english and chinese for english, chinese in table.values())
    names = [set(_facts(english)) == set(_facts(chinese)) for english, chinese in REMARKS.values()]
    assert all(names)


def _facts(template: str) -> list[str]:
    return [part.split("}")[0].split("!")[0] for part in template.split("{")[1:]]


def test_a_proposal_can_be_added_as_it_stands(tmp_path: Path) -> None:
    """A GB18030 file with semicolons, gaps in words, money, dates: all of it is proposed, and read so."""
    lines = ["编号;y;收入;日期;行业;代码"]
    for n in range(ROWS):
        income = "无" if n == 7 else f"¥{n + 1},000"
        trade = "钢铁" if n % 3 else "煤炭"
        lines.append(f"E{n};{n % 2};{income};2024年1月{n % 28 + 1}日;{trade};{n % 9:03}")
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="gb18030")
    text = propose(tmp_path / "t.csv", zone="+08:00")
    content = yaml.safe_load(text)
    assert content["source"] == {
        "kind": "csv",
        "path": "t.csv",
        "encoding": "gb18030",
        "delimiter": ";",
        "missing": ["无"],
    }
    assert (content["id"], content["id_kind"], content["label"]) == ("编号", "opaque", "y")
    types = {column["name"]: column["type"] for column in content["columns"]}
    assert types == {"收入": "numeric", "日期": "date", "行业": "categorical", "代码": "categorical"}
    assert "E1" not in text
    assert "2,000" not in text
    reading = read(describe(content, tmp_path))
    assert reading.counts.clean == ROWS
    assert np.isnan(reading.table.numeric("收入")[7])
    assert reading.table.numeric("收入")[1] == 2000


def test_a_proposal_asks_which_value_means_default(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,default\na,Yes\nb,No\n", encoding="utf-8")
    label = yaml.safe_load(propose(tmp_path / "t.csv", zone="+08:00"))["label"]
    assert label == {"column": "default", "event": "?"}


def test_only_data_files_are_proposed_for(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "t.db")).close()
    for name in ("t.db", "absent.csv"):
        with pytest.raises(UsageError):
            propose(tmp_path / name, zone="+08:00")
