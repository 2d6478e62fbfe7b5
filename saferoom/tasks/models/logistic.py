"""One party's part of a logistic regression: enough to score with its own rows and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from saferoom.arrays import F64, I64
from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError, UsageError
from saferoom.scoring.grade_cuts import credit_of_logits, logit_grid, logit_thresholds
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import pd_from_logit
from saferoom.tasks.base import Binned
from saferoom.tasks.models.files import load_stability
from saferoom.tasks.models.regression import RegressionModel


class LogisticModel(RegressionModel[Preparation]):
    """Its parts add up to log-odds."""

    __slots__ = ()
    kind, form, prepared = "logistic", "score", Preparation

    def judge(self, total: F64) -> tuple[F64, I64]:
        """Probability of default and points (n,) of log-odds (n,)."""
        return pd_from_logit(total), self.scale.points(total)

    def credit(self, rows: PartyTable) -> I64:
        """This party's part of the log-odds, turned round: the more, the better. (n,)"""
        return credit_of_logits(self.part(rows))

    def thresholds(self, scheme: GradeScheme) -> list[int]:
        return logit_thresholds(scheme, self.scale)

    def grid(self) -> list[int]:
        return logit_grid()

    def lost(self, rows: PartyTable) -> I64:
        del rows
        raise RefusedError(
            "reason codes are of scorecards and boosted trees", remedy="name a model of these kinds"
        )

    def binned(self) -> Binned:
        raise UsageError(
            "features have bins in a scorecard or boosted trees only", remedy="name a model of these kinds"
        )

    def own_part(self, folder: Path) -> dict[str, Any]:
        """Own coefficients, and how their columns moved."""
        from saferoom.report.content import Coefficients  # loads scikit-learn, which daemons do without

        values = dict(zip(self.preparation.column_names, self.coefficients.tolist(), strict=True))
        stability = load_stability(folder)
        return {"coefficients": (Coefficients(self.party, values, self.intercept, stability),)}
