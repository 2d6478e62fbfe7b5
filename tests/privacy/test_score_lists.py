"""A list to be scored is read like the data set that the model came from: whole jobs, every spelling."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saferoom.contracts.contract import Contract
from saferoom.data import catalogue
from tests.node_room import Columns, Nodes, enterprises, opened_nodes, write_rows
from tests.task_room import Played, play

ROWS, ASKED, GAP = 400, 30, -999
USES = {
    "bank": {"uscc": "id", "y": "label", "split": "split", "income": "feature", "code": "feature"}
    | {"own": "feature"},
    "tax": {"uscc": "id", "tax_a": "feature", "tax_b": "feature"},
}
COLUMNS = [{"name": "income"}, {"name": "code", "type": "categorical"}, {"name": "own"}]


def bank_rows() -> Columns:
    """Incomes, a tenth of them -999 for none; codes 1 and 2; and whether the firm owns its house."""
    rng = np.random.default_rng(3)
    rows = enterprises(ROWS)[1]["bank"]
    income = np.round(np.array(rows["bank_a"]) * 100, 1)
    income[rng.random(ROWS) < 0.1] = GAP
    return {
        "uscc": rows["uscc"],
        "y": rows["y"],
        "split": rows["split"],
        "income": income.tolist(),
        "code": (1 + (np.array(rows["bank_b"]) > 0)).tolist(),
        "own": (rng.random(ROWS) < 0.5).tolist(),
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Nodes, Contract, str]]:
    with opened_nodes(tmp_path_factory.mktemp("lists"), ("bank", "tax")) as nodes:
        file = write_rows(nodes.folder / "bank.csv", bank_rows())
        source = {"kind": "csv", "path": str(file), "missing": [GAP]}
        keys: dict[str, Any] = {"columns": COLUMNS, "label": "y", "split": "split"}
        nodes.add_data("bank", "rows", bank_rows(), **keys, source=source)
        nodes.add_data("tax", "rows", enterprises(ROWS)[1]["tax"])
        contract = nodes.activate(nodes.draft(USES))
        job = play(nodes, contract)
        assert job.error is None
        yield nodes, contract, job.job_id


def listed() -> dict[str, list[Any]]:
    return {name: list(values[:ASKED]) for name, values in bank_rows().items() if name not in ("y", "split")}


def _csv(folder: Path, columns: Columns, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    file = folder / "list.csv"
    with file.open("w", encoding=encoding, newline="") as lines:
        writer = csv.writer(lines, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return file


def plain(folder: Path) -> tuple[Path, dict[str, Any]]:
    return _csv(folder, listed()), {}


def empty_cells(folder: Path) -> tuple[Path, dict[str, Any]]:
    columns = listed()
    columns["income"] = ["" if value == GAP else value for value in columns["income"]]
    return _csv(folder, columns), {}


def floats_of_pandas(folder: Path) -> tuple[Path, dict[str, Any]]:
    columns = listed()
    columns["code"] = [f"{code}.0" for code in columns["code"]]
    columns["own"] = [str(own).lower() for own in columns["own"]]
    return _csv(folder, columns), {}


def parquet(folder: Path) -> tuple[Path, dict[str, Any]]:
    columns = listed()
    columns["code"] = [float(code) for code in columns["code"]]
    columns["income"] = [None if value == GAP else value for value in columns["income"]]
    (folder / "income=9").mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "income=9" / "list.parquet")
    return folder / "income=9" / "list.parquet", {}


def gb18030(folder: Path) -> tuple[Path, dict[str, Any]]:
    columns = listed() | {"备注": ["字"] * ASKED}
    columns["income"] = ["无" if value == GAP else f"{value:,}" for value in columns["income"]]
    columns["own"] = [{True: "TRUE", False: "FALSE"}[own] for own in columns["own"]]
    options = {"encoding": "gb18030", "delimiter": ";", "missing": ["无"]}
    return _csv(folder, columns, "gb18030", ";"), options


def workbook(folder: Path) -> tuple[Path, dict[str, Any]]:
    book = openpyxl.Workbook()
    book.create_sheet("notes")
    sheet = book.worksheets[0]
    for row in [list(listed()), *map(list, zip(*listed().values(), strict=True))]:
        sheet.append(row)
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx", {"sheet": "Sheet"}


SPELLINGS: list[Callable[[Path], tuple[Path, dict[str, Any]]]] = [
    empty_cells,
    floats_of_pandas,
    parquet,
    gb18030,
    workbook,
]


def scored(
    trained: tuple[Nodes, Contract, str], file: Path, reading: dict[str, Any] | None = None, **local: Any
) -> tuple[Played, list[dict[str, str]]]:
    nodes, contract, model = trained
    asked = {"input": str(file), "reading": reading or {}, **local}
    params = {"model": model, "rows": ASKED, "mode": "batch"}
    job = play(nodes, contract, "score", params=params, local={"bank": asked})
    if job.error is not None:
        raise job.error
    with (nodes.homes["bank"].model(job.job_id) / "scores.csv").open(encoding="utf-8", newline="") as lines:
        return job, list(csv.DictReader(lines))


def logits(rows: list[dict[str, str]]) -> dict[str, float]:
    pd = {row["id"]: float(row["pd"]) for row in rows}
    return {id_: float(np.log(p / (1 - p))) for id_, p in pd.items()}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_list_gives_the_same_scores(
    trained: tuple[Nodes, Contract, str],
    tmp_path: Path,
    spelling: Callable[[Path], tuple[Path, dict[str, Any]]],
) -> None:
    """Up to the public step to which each party's part is rounded by chance."""
    nodes, _, model = trained
    with (nodes.homes["bank"].model(model) / "scores.csv").open(encoding="utf-8", newline="") as lines:
        expected = logits(list(csv.DictReader(lines)))
    file, reading = spelling(tmp_path)
    job, rows = scored(trained, file, reading)
    found = logits(rows)
    assert len(found) == ASKED
    assert max(abs(found[id_] - expected[id_]) for id_ in found) < 3 / 64
    facts = job.facts["bank"]["list"]
    assert facts["unseen"] == {}
    assert facts["missing"] == {"income": listed()["income"].count(GAP)}
    assert facts["warnings"] == []


def test_scores_stand_in_the_order_of_the_list_with_its_other_columns(
    trained: tuple[Nodes, Contract, str], tmp_path: Path
) -> None:
    backwards = {name: values[::-1] for name, values in listed().items()}
    backwards["pd"] = [f"note, {number}" for number in range(ASKED)]
    backwards["uscc"][4] = "no code"
    file = _csv(tmp_path, backwards)
    _, rows = scored(trained, file, keep=True)
    held = [number for number in range(ASKED) if number != 4]
    assert [row["id"] for row in rows] == [backwards["uscc"][number] for number in held]
    assert [row["list_pd"] for row in rows] == [f"note, {number}" for number in held]
    assert [float(row["income"]) for row in rows] == [backwards["income"][number] for number in held]
    _, alone = scored(trained, file)
    assert set(alone[0]) == {"id", "pd", "points", "grade"}


def test_an_enterprise_with_two_contents_gets_no_score(
    trained: tuple[Nodes, Contract, str], tmp_path: Path
) -> None:
    """One line stands twice, which is harmless; two lines give an enterprise another content each."""
    columns = listed()
    for name, values in columns.items():
        values += [values[0], values[1] if name != "income" else 1.5]
    job, rows = scored(trained, _csv(tmp_path, columns))
    assert len(rows) == ASKED - 1
    assert columns["uscc"][1] not in [row["id"] for row in rows]
    assert job.facts["bank"]["unscored"] == {"id conflicting": 2, "id repeated": 1}


def test_what_the_model_has_not_seen_is_counted_and_warned_of(
    trained: tuple[Nodes, Contract, str], tmp_path: Path
) -> None:
    columns = listed()
    columns["code"] = ["7", *columns["code"][1:20], *(["8"] * 10)]
    columns["own"] = [""] * 25 + columns["own"][25:]
    job, _ = scored(trained, _csv(tmp_path, columns))
    facts = job.facts["bank"]["list"]
    assert facts["unseen"] == {"code": 11}
    assert facts["missing"]["own"] == 25
    assert [warning.split(":")[0] for warning in facts["warnings"]] == ["column 'code'", "column 'own'"]
    assert "11 of 30 rows hold a value that the model does not know" in facts["warnings"][0]
    assert "25 of 30 rows have no value, against 0% in the registered data" in facts["warnings"][1]
    nodes, _, _ = trained
    assert catalogue.recall("rows", nodes.homes["bank"].data).gaps["own"] == 0


def test_a_writing_that_only_the_list_has_is_warned_of(
    trained: tuple[Nodes, Contract, str], tmp_path: Path
) -> None:
    """A decimal comma looks like a thousand separator: 12,125 for 12.125."""
    columns = listed()
    plain, _ = scored(trained, _csv(tmp_path, columns))
    assert plain.facts["bank"]["list"]["warnings"] == []
    columns["income"] = [*columns["income"][:7], "12,125", "8 %", *columns["income"][9:]]
    job, _ = scored(trained, _csv(tmp_path, columns))
    assert job.facts["bank"]["list"]["warnings"] == [
        "column 'income': 2 of 26 numbers are written unusually, first in row 8, and no number in the "
        "registered data with %, thousand separators; check that they are read as they are meant"
    ]
