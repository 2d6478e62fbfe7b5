"""Columns as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from saferoom.data.csv_file import six_digits, write_columns


def test_columns_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    columns = {"id": np.array([b"a", b"b,c"]), "pd": np.array([0.25, 1e-7]), "grade": np.array(["A", "B"])}
    write_columns(path, columns)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["a", "b,c"]
    assert [float(row["pd"]) for row in rows] == [0.25, 1e-7]
    assert [row["grade"] for row in rows] == ["A", "B"]
    assert path.stat().st_mode & 0o077 == 0


def test_six_digits_keep_size_and_sign() -> None:
    values = np.array([0.0, 1.0, -0.123456789, 1234567.0, 3.14159265e-9])
    assert six_digits(values).tolist() == [0.0, 1.0, -0.123457, 1234570.0, 3.14159e-9]
