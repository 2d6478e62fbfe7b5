"""Benchmark files: their shape, their correlation, and labels that all parties' columns explain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from saferoom.errors import StorageError, UsageError
from saferoom.ids import is_valid_uscc
from saferoom.lab.benchmark_data import write_benchmark_files
from saferoom.models.alone import fit_alone
from saferoom.models.metrics import metrics_summary

COLUMNS = {"bank": 6, "tax": 8, "power": 5}


def read(paths: dict[str, Path]) -> dict[str, pa.Table]:
    return {party: pyarrow.parquet.read_table(path).sort_by("uscc") for party, path in paths.items()}


def features(table: pa.Table) -> np.ndarray:
    return np.array([table[name].to_numpy() for name in table.column_names if name.startswith("x")]).T


def test_files_hold_the_same_enterprises_in_their_own_orders(tmp_path: Path) -> None:
    paths = write_benchmark_files(tmp_path, COLUMNS, rows=2000, label_holder="bank")
    unsorted = [pyarrow.parquet.read_table(path)["uscc"].to_pylist() for path in paths.values()]
    assert len(unsorted[0]) == 2200
    assert all(is_valid_uscc(code) for code in unsorted[0])
    assert all(set(ids) == set(unsorted[0]) for ids in unsorted)
    assert unsorted[0] != unsorted[1]
    tables = read(paths)
    assert tables["tax"].column_names == ["uscc", *(f"x{i}" for i in range(8))]
    assert tables["bank"].column_names == ["uscc", *(f"x{i}" for i in range(6)), "y", "split"]
    assert tables["bank"]["split"].to_pylist().count("test") == 200


def test_half_the_variance_is_common_and_labels_need_all_parties(tmp_path: Path) -> None:
    tables = read(write_benchmark_files(tmp_path, COLUMNS, rows=20_000, label_holder="bank"))
    blocks = {party: features(table) for party, table in tables.items()}
    pooled = np.hstack(list(blocks.values())).astype(float)
    assert pooled.std(axis=0) == pytest.approx(1, abs=0.03)
    eigenvalues = np.linalg.eigvalsh(np.cov(pooled.T))
    assert eigenvalues[:5] == pytest.approx(0.5, abs=0.05)
    y = tables["bank"]["y"].to_numpy().astype(float)
    assert 0.1 < y.mean() < 0.25

    def auc(x: np.ndarray) -> float:
        return metrics_summary(y, fit_alone(x, y, x[:0], l2=1.0).train_pd)["auc"]

    assert auc(pooled) > auc(blocks["bank"].astype(float)) + 0.02


def test_csv_holds_the_same_and_a_label_holder_may_have_no_feature(tmp_path: Path) -> None:
    columns = {"bank": 0, "tax": 2}
    parquet = write_benchmark_files(tmp_path / "p", columns, rows=50, label_holder="bank", seed=3)
    text = write_benchmark_files(
        tmp_path / "c", columns, rows=50, label_holder="bank", seed=3, file_format="csv"
    )
    for party in columns:
        one = pyarrow.parquet.read_table(parquet[party])
        two = pyarrow.csv.read_csv(text[party])
        assert one.column_names == two.column_names
        assert one["uscc"].to_pylist() == two["uscc"].to_pylist()
        assert np.allclose(features(one), features(two), atol=1e-5)


def test_wrong_calls(tmp_path: Path) -> None:
    for columns, rows in (({"tax": 1}, 10), ({"bank": 1}, 0), ({"bank": -1}, 10)):
        with pytest.raises(UsageError):
            write_benchmark_files(tmp_path, columns, rows=rows, label_holder="bank")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_benchmark_files(tmp_path / "file", COLUMNS, rows=10, label_holder="bank")
