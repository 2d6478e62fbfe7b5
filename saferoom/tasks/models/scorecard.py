"""One party's part of a scorecard: its table of points follows from coefficients, bins and scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from saferoom.arrays import F64, I64
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.kinds.scorecard import TABLE
from saferoom.scoring.points import pd_from_logit
from saferoom.scoring.scorecard import PointsTable
from saferoom.tasks.base import Binned
from saferoom.tasks.models.regression import RegressionModel

_BIN_FACTS = ("name", "share", "default_rate", "woe", "points")
_FEATURE_FACTS = ("name", "iv", "coefficient", "stability_index")


class ScorecardModel(RegressionModel[WoePreparation]):
    """Its parts add up to points."""

    __slots__ = ()
    kind, form, prepared = "scorecard", "points", WoePreparation

    @property
    def table(self) -> PointsTable:
        """This party's points."""
        woe = [column.woe for column in self.preparation.columns]
        return PointsTable.of(woe, self.coefficients, self.intercept, self.scale)

    def part(self, rows: PartyTable) -> F64:
        """This party's points for each row, (n,). The base points count at the intercept's holder."""
        return self.table.part(self.preparation.codes(rows)).astype(np.float64)

    def judge(self, total: F64) -> tuple[F64, I64]:
        """Probability of default and points (n,) of points (n,): the same points always give the same one."""
        points = np.rint(total).astype(np.int64)
        return pd_from_logit(self.scale.logit(points)), points

    def lost(self, rows: PartyTable) -> I64:
        """Points that each column costs each row beside the column's best bin: (n, d), >= 0."""
        return self.table.lost(self.preparation.codes(rows))

    def binned(self) -> Binned:
        return {column.name: (column.bins, column.counts.rows) for column in self.preparation.columns}

    def own_part(self, folder: Path) -> dict[str, Any]:
        """The own table of points, from its file."""
        from saferoom.report.content import Card, CardBin, CardFeature  # loads scikit-learn

        content = json.loads((folder / f"{TABLE}.json").read_text(encoding="utf-8"))
        features = tuple(
            CardFeature(
                **{key: feature[key] for key in _FEATURE_FACTS},
                bins=tuple(CardBin(**{key: one[key] for key in _BIN_FACTS}) for one in feature["bins"]),
                p_value=feature.get("p_value"),
            )
            for feature in content["features"]
        )
        return {"cards": (Card(self.party, features, content.get("base_points")),)}
