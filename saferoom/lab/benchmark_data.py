"""Numeric data of any size for measuring speed: correlated columns, logistic labels, one file a party.

Half of every column's variance comes from ten factors common to all parties. Labels depend on all
columns; about one row in six is an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from saferoom.arrays import F32
from saferoom.errors import StorageError, UsageError
from saferoom.lab.codes import synthetic_codes

FACTORS = 10
TEST_SHARE = 0.1
_INTERCEPT, _LOGIT_SPREAD = -2.2, 1.5


def write_benchmark_files(
    folder: Path,
    columns: Mapping[str, int],
    *,
    rows: int,
    label_holder: str,
    seed: int = 0,
    file_format: Literal["parquet", "csv"] = "parquet",
) -> dict[str, Path]:
    """One file a party: the id `uscc` and `columns[party]` features `x0, x1, …` (float32). Returns the paths.

    `rows` training rows and a tenth more to test on; every party holds all of them, each in its own
    order. The label holder's file has `y` and `split` too, and may have no feature.
    """
    if rows < 1 or label_holder not in columns or min(columns.values()) < 0:
        raise UsageError("benchmark files need rows, a label holder among the parties, and column counts")
    rng = np.random.default_rng(seed)
    total = rows + int(rows * TEST_SHARE)
    ids = synthetic_codes(total, rng)
    factors = rng.standard_normal((FACTORS, total), dtype=np.float32)
    weights = rng.normal(size=sum(columns.values()))
    logit = np.zeros(total)
    suffix = {"parquet": ".parquet", "csv": ".csv"}[file_format]
    paths = {party: folder / f"{party}{suffix}" for party in columns}
    used = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for party in sorted(columns, key=lambda name: name == label_holder):  # the label needs all logits
            features = _features(factors, columns[party], rng)
            logit += weights[used : used + columns[party]] @ features
            used += columns[party]
            extra = _label_columns(logit, rows, rng) if party == label_holder else {}
            _write(paths[party], _table(ids, features, extra, rng.permutation(total)))
    except OSError as error:
        raise StorageError(f"cannot write the benchmark data to {folder}: {error.strerror}") from error
    return paths


def _features(factors: F32, width: int, rng: np.random.Generator) -> F32:
    """Columns as rows, (width, n): each is gathered and written on its own."""
    loadings = rng.standard_normal((width, FACTORS), dtype=np.float32)
    loadings /= np.sqrt(2 * np.sum(loadings**2, axis=1, keepdims=True))
    features = rng.standard_normal((width, factors.shape[1]), dtype=np.float32)
    features *= np.float32(np.sqrt(0.5))
    features += loadings @ factors
    return features


def _label_columns(
    logit: NDArray[np.float64], rows: int, rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    spread = float(np.std(logit)) or 1.0
    chance = 1 / (1 + np.exp(-(_INTERCEPT + _LOGIT_SPREAD * logit / spread)))
    y = (rng.random(len(logit)) < chance).astype(np.int8)
    is_test = np.arange(len(logit)) >= rows
    return {"y": y, "split": np.where(is_test, b"test", b"train")}


def _table(
    ids: NDArray[np.bytes_],
    features: F32,
    extra: Mapping[str, NDArray[np.generic]],
    order: NDArray[np.int64],
) -> pa.Table:
    arrays = {"uscc": pa.array(ids[order]).cast(pa.string())}
    arrays |= {f"x{place}": pa.array(column[order]) for place, column in enumerate(features)}
    for name, values in extra.items():
        column = pa.array(values[order])
        arrays[name] = column.cast(pa.string()) if pa.types.is_binary(column.type) else column
    return pa.table(arrays)


def _write(path: Path, table: pa.Table) -> None:
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pyarrow.parquet.write_table(table, path, compression="none", use_dictionary=["split"])
