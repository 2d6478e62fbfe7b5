"""The joint regression that logistic models and scorecards end in, and what the label holder keeps of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.jobs.context import JobContext
from saferoom.kinds.regression import RegressionParams
from saferoom.models.logistic.plan import LogisticSettings
from saferoom.models.logistic.train import (
    LocalModel,
    Logits,
    deal_logistic,
    evaluate,
    release,
    train_logistic,
)
from saferoom.tasks.steps.training_rows import TrainingRows


def fit_jointly(
    context: JobContext, params: RegressionParams, own: tuple[F64, F64], labels: F64 | None
) -> tuple[LocalModel, Logits | None]:
    """Train on the prepared training rows `own[0]`, evaluate on both, release.

    Own coefficients, and who may the scores.
    """
    session = context.session
    with context.phase("train"):
        _declare_width(context)
        trained = train_logistic(
            session,
            own[0],
            labels,
            _settings(params),
            label_holder=context.contract.label_holder,
            progress=context.progress,
        )
        context.facts["iterations"] = trained.party.plan.passes
    with context.phase("evaluate"):
        logits = evaluate(session, trained, own[1])
    with context.phase("release"):
        return release(session, trained), logits


def help_fit(context: JobContext, params: RegressionParams) -> None:
    """The helper's side: it deals random numbers."""
    with context.phase("train"):
        deal_logistic(
            context.session,
            _settings(params),
            label_holder=context.contract.label_holder,
            progress=context.progress,
        )


def keep_evaluation(
    context: JobContext,
    params: RegressionParams,
    rows: TrainingRows,
    own: tuple[F64, F64],
    judged: tuple[F64, NDArray[np.int64]],
) -> None:
    """At the label holder: metrics, scores and grades, beside those of its `own` prepared columns alone."""
    if rows.labels is None:
        return
    # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
    from saferoom.models.alone import fit_alone
    from saferoom.tasks.results.evaluation import save_evaluation

    alone = fit_alone(own[0], rows.labels, own[1], l2=params.l2)
    save_evaluation(context.folder, rows, judged, alone)


def in_row_order(is_train: NDArray[np.bool_], logits: Logits | None) -> F64 | None:
    """Log-odds (n,) of training and held-out rows in the common order, where they are known."""
    if logits is None:
        return None
    joint = np.empty(len(is_train))
    joint[is_train], joint[~is_train] = logits.train, logits.test
    return joint


def _settings(params: RegressionParams) -> LogisticSettings:
    """The public settings of the regression, from the contract's task."""
    return LogisticSettings(l2=params.l2, logit_range=params.logit_range)


def _declare_width(context: JobContext) -> None:
    """The regression begins with everybody's number of columns."""
    session = context.session
    with session.scope("train"):
        for node in session.others:
            session.declare("sizes", node, (1,), kind="widths")
