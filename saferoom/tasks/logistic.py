"""The kind `logistic`: align, prepare, train, evaluate, release.

Party and helper take the same steps in the same order. Results are written to the job's staging folder; the
daemon keeps them only when the job has finished everywhere.
"""

from __future__ import annotations

from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.errors import ConfigError
from saferoom.jobs.context import JobContext
from saferoom.kinds.regression import RegressionParams
from saferoom.models.stability import column_stability
from saferoom.scoring.grade_cuts import logit_grid
from saferoom.scoring.points import PointScale
from saferoom.tasks.base import Work
from saferoom.tasks.models.files import save_model, save_stability
from saferoom.tasks.models.logistic import LogisticModel
from saferoom.tasks.models.regression import coefficients_card
from saferoom.tasks.results.quality import save_quality
from saferoom.tasks.steps.grades import (
    Graded,
    grade_training_rows,
    help_grade_training_rows,
    releases_grades_alone,
)
from saferoom.tasks.steps.own_part import check_part
from saferoom.tasks.steps.regression import (
    columns_in_model,
    evaluate_jointly,
    fit_jointly,
    help_evaluate,
    help_fit,
    in_row_order,
    keep_evaluation,
    keep_graded,
)
from saferoom.tasks.steps.scoring import Scoring
from saferoom.tasks.steps.training_rows import match_rows, training_rows
from saferoom.tasks.steps.twins import regression_twin


class Training:
    """The job `train`. The label holder may hold features or none; every other party holds at least one."""

    def party(self, context: JobContext, params: RegressionParams) -> None:
        rows = training_rows(context)
        with context.phase("prepare"):
            preparation = _prepare(context, rows.train)
        own = preparation.transform(rows.train), preparation.transform(rows.test)
        local, trained = fit_jointly(context, params, own[0], rows.labels)
        logits = evaluate_jointly(context, trained, own[1])
        model = LogisticModel(
            context.spec.job_id,
            context.contract.id,
            context.me,
            preparation,
            local.coefficients,
            local.intercept,
            PointScale(),
        )
        total = in_row_order(rows.is_train, logits)
        graded = Graded()
        if releases_grades_alone(context):
            check_part(context, model, rows.table, [context.contract.label_holder])
            graded = grade_training_rows(context, model, rows)
        with context.phase("store"):
            save_model(context.folder, model.to_plain())
            save_quality(context, preparation.dropped, columns_in_model(trained))
            save_stability(context.folder, column_stability(preparation.column_names, *own))
            keep_graded(context, params, rows, own, graded, model.scale)
            if total is not None:
                keep_evaluation(context, params, rows, own, model.judge(total), model.scale)

    def helper(self, context: JobContext, params: RegressionParams) -> None:
        match_rows(context)
        help_evaluate(context, help_fit(context, params))
        if releases_grades_alone(context):
            help_grade_training_rows(context, len(logit_grid()))


WORK = Work(
    jobs={"train": Training(), "score": Scoring()},
    model=LogisticModel.from_plain,
    card=coefficients_card,
    twin=regression_twin,
)


def _prepare(context: JobContext, train: PartyTable) -> Preparation:
    """Standardised columns, fitted on the training rows."""
    preparation = Preparation.fit(train)
    if not preparation.column_names and context.me != context.contract.label_holder:
        raise ConfigError(
            "no usable column is left after preparation",
            remedy="see the registration's warnings for constant and empty columns",
        )
    context.facts["dropped_columns"] = len(preparation.dropped)
    return preparation
