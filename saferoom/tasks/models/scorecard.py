"""One party's part of a scorecard: its table of points follows from coefficients, bins and scale."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from saferoom.arrays import F64, I64
from saferoom.contracts.contract import Contract
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.kinds.score_step import points_step
from saferoom.kinds.scorecard import TABLE
from saferoom.models.scorecard.woe_column import is_wrong_sign
from saferoom.scoring.grade_cuts import point_grid, point_thresholds
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import pd_from_logit
from saferoom.scoring.scorecard import PointsTable
from saferoom.tasks.base import Binned
from saferoom.tasks.models.regression import RegressionModel, coefficients_card

_BIN_FACTS = ("name", "share", "default_rate", "woe", "points", "rows", "events")
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

    def step(self, contract: Contract) -> float:
        """In points."""
        return points_step(contract.released_step, self.scale.factor)

    def judge(self, total: F64) -> tuple[F64, I64]:
        """Probability of default and points (n,) of points (n,): the same points always give the same one."""
        points = np.rint(total).astype(np.int64)
        return pd_from_logit(self.scale.logit(points)), points

    def credit(self, rows: PartyTable) -> I64:
        """This party's points for each row, (n,)."""
        return self.table.part(self.preparation.codes(rows))

    def thresholds(self, scheme: GradeScheme) -> list[int]:
        return point_thresholds(scheme, self.scale)

    def grid(self) -> list[int]:
        return point_grid(self.scale)

    def lost(self, rows: PartyTable) -> I64:
        """Points that each column costs each row beside the column's best bin: (n, d), >= 0."""
        return self.table.lost(self.preparation.codes(rows))

    def binned(self) -> Binned:
        return {column.name: (column.bins, column.counts.rows) for column in self.preparation.columns}

    def own_part(self, folder: Path) -> dict[str, Any]:
        """The own table of points, from its file."""
        from saferoom.report.content import Card, CardFeature  # loads scikit-learn

        content = json.loads((folder / f"{TABLE}.json").read_text(encoding="utf-8"))
        features = tuple(
            CardFeature(
                **{key: feature[key] for key in _FEATURE_FACTS},
                bins=tuple(_card_bin(one) for one in feature["bins"]),
                p_value=feature.get("p_value"),
                wrong_sign=is_wrong_sign(feature["coefficient"]),
                iv_counted=feature.get("iv_counted"),
                iv_lost_to_trend=feature.get("iv_lost_to_trend"),
                joined=tuple((one["what"], one["with"]) for one in feature.get("joined", ())),
            )
            for feature in content["features"]
        )
        card = Card(self.party, features, content.get("base_points"), content.get("dropped", {}))
        return {"cards": (card,)}


def _card_bin(one: Mapping[str, Any]) -> Any:
    from saferoom.report.content import CardBin  # loads scikit-learn

    return CardBin(**{key: one[key] for key in _BIN_FACTS}, estimated=one.get("estimated", False))


def scorecard_card(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A model card's part: own coefficients, wrong signs, and why columns were left out."""
    card = coefficients_card(plain)
    wrong = [name for name, value in card["coefficients"].items() if is_wrong_sign(value)]
    return {**card, "wrong_signs": wrong, "dropped": dict(plain["preparation"]["dropped"])}
