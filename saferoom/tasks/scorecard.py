"""The kind `scorecard`: align, bin, select, train, evaluate, release, points.

Columns with wrong signs may be left out after training; then all train again. Party and helper take the same
steps in the same order.
"""

from __future__ import annotations

from saferoom.data.woe import WoePreparation
from saferoom.jobs.context import JobContext
from saferoom.kinds.scorecard import TABLE, ScorecardParams
from saferoom.models.logistic.train import LocalModel
from saferoom.models.scorecard.woe_column import is_wrong_sign
from saferoom.scoring.grade_cuts import point_grid
from saferoom.scoring.points import PointScale
from saferoom.tasks.base import Work
from saferoom.tasks.models.files import save_model
from saferoom.tasks.models.scorecard import ScorecardModel, scorecard_card
from saferoom.tasks.results.quality import save_quality
from saferoom.tasks.results.scorecard_file import save_scorecard
from saferoom.tasks.steps.binning import bin_columns
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
    keep_evaluation,
    keep_graded,
)
from saferoom.tasks.steps.scoring import Scoring
from saferoom.tasks.steps.selection import (
    help_drop_wrong_signs,
    help_select,
    without_collinear,
    without_wrong_signs,
)
from saferoom.tasks.steps.standard_errors import help_errors, own_errors
from saferoom.tasks.steps.training_rows import match_rows, training_rows
from saferoom.tasks.steps.twins import scorecard_twin


class Training:
    """The job `train`. The label holder may hold features or none; every other party holds at least one."""

    def party(self, context: JobContext, params: ScorecardParams) -> None:
        rows = training_rows(context)
        with context.phase("bin"):
            found = bin_columns(context, rows.train, rows.labels, params)
            preparation, factors = without_collinear(context, params, found, rows.train)
        while True:
            own = preparation.transform(rows.train), preparation.transform(rows.test)
            local, trained = fit_jointly(context, params, own[0], rows.labels)
            fewer = without_wrong_signs(context, params, preparation, local.coefficients)
            if fewer is None:
                break
            preparation = fewer
        logits = evaluate_jointly(context, trained, own[1])
        context.facts["dropped_columns"] = len(preparation.dropped)
        context.facts["wrong_signs"] = sum(map(is_wrong_sign, local.coefficients.tolist()))
        errors = None
        if params.standard_errors:
            train_logits = None if logits is None else logits.train
            errors = own_errors(context, preparation, own[0], rows.labels, train_logits)
        model = _part(context, params, preparation, local)
        total, graded = None, Graded()
        check_part(context, model, rows.table, [context.contract.label_holder])
        if releases_grades_alone(context):
            graded = grade_training_rows(context, model, rows)
        else:
            with context.phase("points"), context.session.scope("points"):
                total = model.joint(context, rows.table, context.contract.label_holder)
        with context.phase("store"):
            save_model(context.folder, model.to_plain())
            save_scorecard(context.folder, model, preparation.codes(rows.table), rows.is_train, errors)
            save_quality(context, preparation.dropped, columns_in_model(trained), factors)
            keep_graded(context, params, rows, own, graded, model.scale)
            if total is not None:
                keep_evaluation(context, params, rows, own, model.judge(total), model.scale)

    def helper(self, context: JobContext, params: ScorecardParams) -> None:
        match_rows(context)
        help_select(context, params)
        while True:
            side = help_fit(context, params)
            if not help_drop_wrong_signs(context, params):
                break
        help_evaluate(context, side)
        if params.standard_errors:
            help_errors(context)
        if releases_grades_alone(context):
            help_grade_training_rows(context, len(point_grid(_scale(params))))


WORK = Work(
    jobs={"train": Training(), "score": Scoring()},
    model=ScorecardModel.from_plain,
    card=scorecard_card,
    twin=scorecard_twin,
    tables=(TABLE,),
)


def _part(
    context: JobContext, params: ScorecardParams, preparation: WoePreparation, local: LocalModel
) -> ScorecardModel:
    return ScorecardModel(
        context.spec.job_id,
        context.contract.id,
        context.me,
        preparation,
        local.coefficients,
        local.intercept,
        _scale(params),
    )


def _scale(params: ScorecardParams) -> PointScale:
    return PointScale(float(params.base_points), float(params.base_odds), float(params.pdo))
