"""`model.json`: one party's part of a model, enough to score with its own rows and nobody else's."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.data.loading import write_private
from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.errors import StorageError
from saferoom.scoring.points import PointScale

FILE = "model.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class PartyModel:
    """Coefficients (d,) in prepared units, their preparation, and at the label holder the intercept.

    `scale` turns log-odds into points.
    """

    job: str
    contract: str
    party: str
    kind: str
    preparation: Preparation
    coefficients: NDArray[np.float64]
    intercept: float | None
    scale: PointScale

    def part(self, table: PartyTable) -> NDArray[np.float64]:
        """This party's part of the log-odds of each row: (n,). The intercept counts at its holder."""
        return self.preparation.transform(table) @ self.coefficients + (self.intercept or 0.0)

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "version": VERSION,
            "kind": self.kind,
            "job": self.job,
            "contract": self.contract,
            "party": self.party,
            "columns": list(self.preparation.column_names),
            "coefficients": self.coefficients.tolist(),
            "points": asdict(self.scale),
            "preparation": self.preparation.to_dict(),
        }
        if self.intercept is not None:
            plain["intercept"] = self.intercept
        return plain

    def save(self, folder: Path) -> None:
        write_private(folder / FILE, json.dumps(self.to_plain(), ensure_ascii=False, indent=1))

    @classmethod
    def load(cls, folder: Path) -> PartyModel:
        """The part in a model's folder. Raises StorageError."""
        return cls.from_file(folder / FILE)

    @classmethod
    def from_file(cls, file: Path) -> PartyModel:
        """Raises StorageError if the file is missing, damaged or of another version."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            if plain["version"] != VERSION:
                raise StorageError(
                    "the model is of another version", remedy="score with the SafeRoom that made it"
                )
            return cls(
                job=plain["job"],
                contract=plain["contract"],
                party=plain["party"],
                kind=plain["kind"],
                preparation=Preparation.from_dict(plain["preparation"]),
                coefficients=np.array(plain["coefficients"], dtype=np.float64),
                intercept=plain.get("intercept"),
                scale=PointScale.from_dict(plain["points"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError("the model file is missing or damaged", remedy="train again") from error
