"""The kind `logistic`: a joint logistic regression on each party's prepared columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from saferoom.kinds.base import TaskKind, Terms, Warned
from saferoom.kinds.grading import GRADE_ONLY
from saferoom.kinds.jobs import Scoring
from saferoom.kinds.labels import BINARY
from saferoom.kinds.regression import RegressionParams, RegressionTraining, part_warnings, unweighted
from saferoom.kinds.roles import one_label_holder, output_objections, own_and_released


class LogisticParams(RegressionParams):
    """Those of the regression, and nothing else."""


class Logistic(TaskKind):
    name = "logistic"
    title = ("vertical logistic regression", "纵向逻辑回归")
    params = LogisticParams
    label = BINARY
    forms = frozenset({"coefficients", "score", GRADE_ONLY})
    releases = MappingProxyType({GRADE_ONLY: (GRADE_ONLY,), "scores": ("score",)})
    jobs = (RegressionTraining(), Scoring("score"))

    def role_problems(self, terms: Terms) -> list[str]:
        return one_label_holder(terms)

    def objections(self, terms: Terms) -> list[str]:
        outputs = output_objections(
            terms, own="coefficients", evaluated=(("score", "evaluation"),), scored="score"
        )
        return [*unweighted(terms, self.name), *outputs]

    def warnings(self, terms: Terms) -> list[Warned]:
        return part_warnings(terms)

    def usual_outputs(self, roles: Mapping[str, str], release: str = "") -> list[dict[str, str]]:
        return own_and_released(roles, "coefficients", self.releases, release)


KIND = Logistic()
