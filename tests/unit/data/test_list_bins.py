"""A list gets the bins of training, whatever form it comes in: codes, single precision, levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saferoom.data import DatasetDescription, describe
from saferoom.data.list_file import describe_list
from saferoom.data.loading import read
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from tests.scorecard_sets import ROWS, TRAIN, Case, binned, drawn

CODES = (-1.0, 96.0, 9999.0)
LISTED = 3_000
Columns = dict[str, np.ndarray[Any, Any]]


def firms() -> tuple[Columns, np.ndarray[Any, Any]]:
    """Debts with two risky codes and a safe one, a level without defaults, and one that is called `other`."""
    rng = np.random.default_rng(2)
    kind = rng.choice(4, ROWS, p=[0.86, 0.08, 0.05, 0.01])
    debt = np.where(kind == 0, np.round(rng.gamma(3, 9, ROWS), 1), np.array([0, *CODES])[kind])
    full = np.round(rng.normal(size=ROWS), 3)
    segment = rng.choice(["private", "other", "state"], ROWS, p=[0.46, 0.46, 0.08])
    logits = np.array([0, 0.9, -2.0, 1.7])[kind] + np.where(kind == 0, (debt - 27) / 30, 0) + 0.6 * full
    y = drawn(rng, np.where(segment == "state", -30, logits - 1.6))
    return {"debt": debt, "full": full, "segment": segment}, y


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> DatasetDescription:
    folder = tmp_path_factory.mktemp("bins")
    columns, _ = firms()
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    rows = [f"E{number},{line}" for number, line in enumerate(lines)]
    (folder / "rows.csv").write_text("\n".join([",".join(["id", *columns]), *rows]), encoding="utf-8")
    return describe({"name": "rows", "id": "id", "id_kind": "opaque", "source": "rows.csv"}, folder)


@pytest.fixture(scope="module")
def trained(known: DatasetDescription) -> tuple[PartyTable, WoePreparation]:
    table, (_, y) = read(known).table, firms()
    return table, binned(Case(dict(table.columns), y, {"debt": CODES}), own=True)


def _text(folder: Path) -> Path:
    """Codes with a point, as a column of floats is exported, and levels with spaces around them."""
    columns, _ = firms()
    lines = [
        f"E{n},{columns['debt'][n]:.2f},{columns['full'][n]}, {columns['segment'][n]} " for n in range(LISTED)
    ]
    (folder / "list.csv").write_text("\n".join(["id,debt,full,segment", *lines]), encoding="utf-8")
    return folder / "list.csv"


def _parquet(folder: Path, kind: pa.DataType) -> Path:
    columns, _ = firms()
    cut = {name: pa.array(column[:LISTED]) for name, column in columns.items()}
    numbers = {name: cut[name].cast(kind) for name in ("debt", "full")}
    pq.write_table(
        pa.table({"id": [f"E{n}" for n in range(LISTED)], **cut, **numbers}), folder / "list.parquet"
    )
    return folder / "list.parquet"


@pytest.mark.parametrize("form", ["text", "double", "single"])
def test_a_list_gets_the_points_of_training(
    known: DatasetDescription, trained: tuple[PartyTable, WoePreparation], tmp_path: Path, form: str
) -> None:
    table, preparation = trained
    kinds = {"double": pa.float64(), "single": pa.float32()}
    file = _text(tmp_path) if form == "text" else _parquet(tmp_path, kinds[form])
    types = preparation.types
    listed = read(describe_list(known, file, list(types), {}), types=types).table
    expected = preparation.transform(table.take(np.arange(LISTED)))
    np.testing.assert_array_equal(preparation.transform(listed), expected)


def test_codes_and_levels_without_defaults_have_bins_of_their_own(
    trained: tuple[PartyTable, WoePreparation],
) -> None:
    _, preparation = trained
    names = {column.name: column.names for column in preparation.columns}
    assert {"special -1", "special 96", "special 9999"} < set(names["debt"])
    levels = names["segment"]
    assert "state" in levels
    assert len(set(levels)) == len(levels)
    (rest,) = [name for name in levels if name.endswith("all other levels")]
    assert rest != "other"
    _, y = firms()
    segment = firms()[0]["segment"][:TRAIN]
    assert y[:TRAIN][segment == "state"].sum() == 0
