"""The joint regression that logistic models and scorecards end in, and what the label holder keeps of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.jobs.context import JobContext
from saferoom.kinds.regression import RegressionParams
from saferoom.models.logistic.passes import DealerSide
from saferoom.models.logistic.plan import LogisticSettings
from saferoom.models.logistic.train import (
    LocalModel,
    Logits,
    Trained,
    deal_evaluation,
    deal_logistic,
    evaluate,
    release,
    train_logistic,
)
from saferoom.models.shown import shown_by_rows
from saferoom.scoring.points import PointScale
from saferoom.tasks.steps.grades import Graded
from saferoom.tasks.steps.own_part import check_shown
from saferoom.tasks.steps.training_rows import TrainingRows

USUAL_REACH = 16
"""Scores of most models lie between plus and minus this many log-odds."""


def fit_jointly(
    context: JobContext, params: RegressionParams, train: F64, labels: F64 | None
) -> tuple[LocalModel, Trained]:
    """Train on the prepared training rows `train`, and release to each party its own coefficients.

    What scores could show of the own rows, where they are to be released, is counted before.
    """
    session, holder = context.session, context.contract.label_holder
    if _tells_scores(context):
        reach = params.logit_range or USUAL_REACH
        check_shown(context, shown_by_rows(train, context.contract.released_step, reach), [holder])
    with context.phase("train"):
        _declare_width(context)
        trained = train_logistic(
            session,
            train,
            labels,
            _settings(params),
            label_holder=holder,
            progress=context.progress,
        )
        context.facts["iterations"] = trained.passes
    with context.phase("release"):
        return release(session, trained), trained


def columns_in_model(trained: Trained) -> dict[str, int]:
    """How many prepared columns the model has of each party: all parties learnt that."""
    widths = trained.party.layout.widths
    return {party: width - (party == trained.label_holder) for party, width in widths.items()}


def help_fit(context: JobContext, params: RegressionParams) -> DealerSide:
    """The helper's side: it deals random numbers."""
    with context.phase("train"):
        return deal_logistic(
            context.session,
            _settings(params),
            label_holder=context.contract.label_holder,
            progress=context.progress,
        )


def evaluate_jointly(context: JobContext, trained: Trained, test: F64) -> Logits | None:
    """Rounded scores of training rows, and of the prepared held-out rows `test`, if the contract gives any.

    Of the last model of a job alone: the scores of two models differ by the columns that one leaves out.
    """
    if not _tells_scores(context):
        return None
    with context.phase("evaluate"):
        return evaluate(context.session, trained, test, context.contract.released_step)


def help_evaluate(context: JobContext, side: DealerSide) -> None:
    """The helper's side of `evaluate_jointly`."""
    if _tells_scores(context):
        with context.phase("evaluate"):
            deal_evaluation(side)


def keep_evaluation(
    context: JobContext,
    params: RegressionParams,
    rows: TrainingRows,
    own: tuple[F64, F64],
    judged: tuple[F64, NDArray[np.int64]],
    scale: PointScale,
) -> None:
    """At the label holder: metrics, scores and grades, beside those of its `own` prepared columns alone."""
    if rows.labels is None:
        return
    # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
    from saferoom.models.alone import fit_alone
    from saferoom.tasks.results.evaluation import save_evaluation

    alone = fit_alone(own[0], rows.labels, own[1], l2=params.l2)
    save_evaluation(context.folder, rows, judged, alone, scale)


def keep_graded(
    context: JobContext,
    params: RegressionParams,
    rows: TrainingRows,
    own: tuple[F64, F64],
    graded: Graded,
    scale: PointScale,
) -> None:
    """`keep_evaluation` where nobody learns scores: grades, and what was told of the scores as a whole."""
    if rows.labels is None or graded.grades is None:
        return
    from saferoom.models.alone import fit_alone
    from saferoom.tasks.results.graded_evaluation import save_graded

    alone = fit_alone(own[0], rows.labels, own[1], l2=params.l2)
    save_graded(context.folder, rows, graded, alone, scale)


def in_row_order(is_train: NDArray[np.bool_], logits: Logits | None) -> F64 | None:
    """Log-odds (n,) of training and held-out rows in the common order, where they are known."""
    if logits is None:
        return None
    joint = np.empty(len(is_train))
    joint[is_train], joint[~is_train] = logits.train, logits.test
    return joint


def _tells_scores(context: JobContext) -> bool:
    """Whether the label holder learns the log-odds of training and held-out rows."""
    return context.contract.label_holder in context.contract.recipients("score")


def _settings(params: RegressionParams) -> LogisticSettings:
    """The public settings of the regression, from the contract's task."""
    return LogisticSettings(l2=params.l2, logit_range=params.logit_range)


def _declare_width(context: JobContext) -> None:
    """The regression begins with everybody's number of columns."""
    session = context.session
    with session.scope("train"):
        for node in session.others:
            session.declare("sizes", node, (1,), kind="widths")
