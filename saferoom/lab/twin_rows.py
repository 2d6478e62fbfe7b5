"""The rows of a lab run, as a plaintext twin reads them: from the scores and every party's file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saferoom.data.dataset import DatasetDescription, describe
from saferoom.data.loading import load
from saferoom.data.table import ColumnType, PartyTable
from saferoom.lab.room import Room
from saferoom.models.metrics import metrics_summary


def described(room: Room, party: str) -> DatasetDescription:
    """The party's data set."""
    content = {"name": "twin", **room.parties[party].model_dump(exclude_none=True)}
    return describe(content, room.folder, party=party)


@dataclass(frozen=True, slots=True, eq=False)
class TwinRows:
    """ids, is_train, y, grades (n,) of all aligned rows, in the common order of the job.

    grades: their names. pd (n,): where probabilities were released.
    """

    ids: NDArray[np.bytes_]
    is_train: NDArray[np.bool_]
    y: NDArray[np.int64]
    grades: NDArray[np.str_]
    pd: NDArray[np.float64] | None

    @classmethod
    def read(cls, out: Path) -> TwinRows:
        """From `scores.csv`."""
        with (out / "scores.csv").open(encoding="utf-8", newline="") as lines:
            scored = list(csv.DictReader(lines))
        return cls(
            np.array([row["id"].encode() for row in scored]),
            np.array([row["split"] == "train" for row in scored]),
            np.array([int(row["y"]) for row in scored]),
            np.array([row["grade"] for row in scored]),
            np.array([float(row["pd"]) for row in scored]) if "pd" in scored[0] else None,
        )

    def of_party(self, room: Room, party: str, types: dict[str, ColumnType] | None = None) -> PartyTable:
        """The party's columns for these rows, in their order; without types all of them."""
        columns = None if types is None else list(types)
        table = load(described(room, party), columns, types=types)
        order = np.argsort(table.ids)
        return table.take(order[np.searchsorted(table.ids, self.ids, sorter=order)])

    def measured(self, pd: NDArray[np.float64]) -> dict[str, dict[str, float] | None]:
        """Metrics of probabilities (n,) on training and test rows; None where they hold one class only."""
        parts = {"train": self.is_train, "test": ~self.is_train}
        return {
            name: metrics_summary(self.y[rows], pd[rows]) if len(set(self.y[rows].tolist())) == 2 else None
            for name, rows in parts.items()
        }
