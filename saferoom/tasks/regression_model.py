"""`model.json`: one party's part of a model, enough to score with its own rows and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.errors import RefusedError, StorageError
from saferoom.files.private import write_output
from saferoom.scoring.points import PointScale, pd_from_logit
from saferoom.scoring.scorecard import PointsTable

FILE, STABILITY = "model.json", "stability.json"
VERSION = 1


def save_stability(folder: Path, stability: Mapping[str, float]) -> None:
    """How each prepared column moved from training to test rows, for this party's own report."""
    write_output(folder / STABILITY, json.dumps(stability, ensure_ascii=False, indent=1))


@dataclass(frozen=True, slots=True)
class PartyModel:
    """Coefficients (d,) in prepared units, their preparation, and at the label holder the intercept.

    `scale` turns log-odds into points. A scorecard has WOE columns and its `table` of points, and scores by
    it.
    """

    job: str
    contract: str
    party: str
    kind: str
    preparation: Preparation | WoePreparation
    coefficients: NDArray[np.float64]
    intercept: float | None
    scale: PointScale

    @property
    def table(self) -> PointsTable | None:
        """This party's points, if the model is a scorecard: they follow from coefficients and scale."""
        if not isinstance(self.preparation, WoePreparation):
            return None
        woe = [column.woe for column in self.preparation.columns]
        return PointsTable.of(woe, self.coefficients, self.intercept, self.scale)

    def part(self, rows: PartyTable) -> NDArray[np.float64]:
        """This party's part of each row's total, (n,): of log-odds, or of a scorecard's points.

        The intercept, or the base points, count at their holder.
        """
        if self.table is not None and isinstance(self.preparation, WoePreparation):
            return self.table.part(self.preparation.codes(rows)).astype(np.float64)
        return self.preparation.transform(rows) @ self.coefficients + (self.intercept or 0.0)

    def lost(self, rows: PartyTable) -> NDArray[np.int64]:
        """Points that each column costs each row beside the column's best bin: (n, d), >= 0.

        Raises RefusedError if the model is no scorecard.
        """
        if self.table is None or not isinstance(self.preparation, WoePreparation):
            raise RefusedError(
                "reason codes are of scorecards and boosted trees", remedy="name a model of these kinds"
            )
        return self.table.lost(self.preparation.codes(rows))

    def judge(self, total: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Probability of default and points (n,) of the sum of all parties' parts (n,).

        A scorecard's probability is that of its points: the same points always give the same one.
        """
        if self.table is None:
            return pd_from_logit(total), self.scale.points(total)
        points = np.rint(total).astype(np.int64)
        return pd_from_logit(self.scale.logit(points)), points

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
        write_output(folder / FILE, json.dumps(self.to_plain(), ensure_ascii=False, indent=1))

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> PartyModel:
        """Back from `to_plain`. Raises KeyError, TypeError, ValueError, StorageError if it is not one."""
        check_version(plain)
        return cls(
            job=plain["job"],
            contract=plain["contract"],
            party=plain["party"],
            kind=plain["kind"],
            preparation=_preparation(plain["kind"], plain["preparation"]),
            coefficients=np.array(plain["coefficients"], dtype=np.float64),
            intercept=plain.get("intercept"),
            scale=PointScale.from_dict(plain["points"]),
        )


def check_version(plain: Mapping[str, Any]) -> None:
    """Raises StorageError for a model of another version."""
    if plain["version"] != VERSION:
        raise StorageError("the model is of another version", remedy="score with the SafeRoom that made it")


def _preparation(kind: str, content: Mapping[str, Any]) -> Preparation | WoePreparation:
    return WoePreparation.from_dict(content) if kind == "scorecard" else Preparation.from_dict(content)
