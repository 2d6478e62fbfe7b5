"""Golden counts on the real data sets, and the baseline design on their training rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.data import CategoryColumn, Preparation, describe, load, register
from saferoom.data.loading import Reading, read
from saferoom.ids import is_valid_uscc, normalise_uscc

pytestmark = pytest.mark.shared_data
SETS = ("bank_marketing", "breast", "gmsc", "polish1", "uci_default")
FILES = [
    (name, party)
    for name in SETS
    for party in ("bank", "tax", "utility")
    if (name, party) != ("breast", "utility")
]


def description(folder: Path, name: str, party: str) -> Any:
    opaque = name == "breast"
    keys = {"id": "id", "id_kind": "opaque"} if opaque else {"id": "uscc", "id_kind": "uscc"}
    if party == "bank":
        keys |= {"label": "y", "split": "split"}
    return describe({"name": f"{name}-{party}", "source": f"{name}/{party}.csv", **keys}, folder)


@pytest.fixture(scope="module")
def counted(shared_data_dir: Path) -> dict[str, Any]:
    content = json.loads((shared_data_dir / "baselines.json").read_text(encoding="utf-8"))
    return {name: content[name]["counts"] for name in SETS}


@pytest.mark.parametrize(("name", "party"), FILES)
def test_counts_are_those_of_the_baselines(
    shared_data_dir: Path, tmp_path: Path, counted: dict[str, Any], name: str, party: str
) -> None:
    expected = counted[name][party]
    found = register(description(shared_data_dir, name, party), tmp_path)
    assert found.counts.rows == expected["rows"]
    assert found.counts.clean == expected["distinct valid ids"]
    assert found.counts.untidy == expected.get("untidy ids", 0)
    assert found.counts.invalid == expected.get("invalid ids", 0)
    assert found.counts.repeated == expected["repeated rows"]
    assert found.counts.missing == found.counts.conflicting == 0
    assert len(found.columns) == counted[name]["pooled"]["columns"][party]
    texts = [f"{party}.{c.name}" for c in found.columns if c.type == "categorical"]
    assert texts == [c for c in counted[name]["pooled"]["text columns"] if c.startswith(party + ".")]
    if party == "bank":
        train, test = map(int, expected["split train/test, all rows"].split("/"))
        assert (found.train_rows, found.counts.clean) == (train, train + test)
        assert found.events is not None
        assert abs(found.events / found.counts.clean - expected["bad rate, all rows"]) < 1e-5


def test_gmsc_finds_what_is_known_to_be_untidy(shared_data_dir: Path) -> None:
    tax = read(description(shared_data_dir, "gmsc", "tax"), [])
    utility = read(description(shared_data_dir, "gmsc", "utility"), [])
    assert (tax.counts.untidy, utility.counts.invalid, utility.counts.repeated) == (1530, 20, 15)
    assert sum(reason == "invalid" for _, reason, _ in utility.rejected) == 20
    assert all(
        not is_valid_uscc(normalise_uscc(code)) for _, why, code in utility.rejected if why == "invalid"
    )


@pytest.mark.parametrize("name", SETS)
def test_the_parties_share_the_rows_of_the_baselines(
    shared_data_dir: Path, counted: dict[str, Any], name: str
) -> None:
    readings = {p: read(description(shared_data_dir, n, p)) for n, p in FILES if n == name}
    tables = [reading.table for reading in readings.values()]
    common = set(tables[0].ids.tolist()).intersection(*(table.ids.tolist() for table in tables[1:]))
    pooled = counted[name]["pooled"]
    assert len(common) == pooled["rows"]
    assert missing_cells(readings, common) == pooled["missing cells"]
    bank = readings["bank"].table
    assert bank.train is not None
    assert bank.label is not None
    here = np.array([i in common for i in bank.ids.tolist()])
    assert (int(bank.train[here].sum()), int((~bank.train[here]).sum())) == (pooled["train"], pooled["test"])
    assert int(bank.label[here & ~bank.train].sum()) == pooled["bad in test"]


def missing_cells(readings: dict[str, Reading], common: set[bytes]) -> int:
    total = 0
    for reading in readings.values():
        table = reading.table.take(np.array([i in common for i in reading.table.ids.tolist()]))
        total += sum(column.missing for column in table.columns.values())
    return total


@pytest.mark.parametrize(
    ("name", "party"), [("gmsc", "tax"), ("polish1", "bank"), ("bank_marketing", "utility")]
)
def test_preparation_is_the_baseline_design(shared_data_dir: Path, name: str, party: str) -> None:
    """The design of the baselines, computed from the file by the standard library and numpy."""
    dataset = description(shared_data_dir, name, party)
    table = load(dataset)
    train = np.arange(len(table)) % 3 > 0
    matrix = Preparation.fit(table, train).transform(table)
    rows = cells(dataset.source.path, len(table))
    expected = []
    for column, kind in table.types.items():
        expected += designed(rows[column], train, numeric=kind == "numeric")
    np.testing.assert_allclose(matrix, np.column_stack(expected), rtol=0, atol=1e-12)
    assert any(isinstance(c, CategoryColumn) for c in table.columns.values()) == (name == "bank_marketing")


def cells(path: Path, count: int) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    return {name: [row[name] for row in rows] for name in rows[0]}


def designed(texts: list[str], train: np.ndarray, *, numeric: bool) -> list[np.ndarray]:
    if not numeric:
        values = np.array([text or "(missing)" for text in texts])
        return [(values == level).astype(float) for level in sorted(set(values[train].tolist()))]
    x = np.array([float(text) if text else np.nan for text in texts])
    gap = np.isnan(x)
    known = x[train & ~gap]
    low, high = np.quantile(known, [0.005, 0.995])
    x = np.where(gap, np.clip(np.median(known), low, high), np.clip(x, low, high))
    mean, sd = x[train].mean(), x[train].std()
    columns = [(x - mean) / sd] if sd > 0 else []
    return [*columns, gap.astype(float)] if gap[train].any() else columns
