"""The job `train`: align, prepare (a scorecard: bin), train, evaluate, release; a scorecard: points.

Every party runs `train`, the helper `help_train`, in the same order of steps. Results are written to the
job's staging folder; the daemon keeps them only when the job has finished everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.params import LogisticParams, ScorecardParams
from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.errors import ConfigError, UsageError
from saferoom.ids import HELPER
from saferoom.jobs.context import JobContext
from saferoom.models.logistic.plan import LogisticSettings
from saferoom.models.logistic.train import (
    LocalModel,
    Logits,
    deal_logistic,
    evaluate,
    release,
    train_logistic,
)
from saferoom.models.stability import column_stability
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.scoring.points import PointScale
from saferoom.tasks.models.logistic import PartyModel, save_stability
from saferoom.tasks.results.scorecard_file import save_scorecard
from saferoom.tasks.steps.binning import bin_columns
from saferoom.tasks.steps.selection import (
    help_drop_wrong_signs,
    help_select,
    without_collinear,
    without_wrong_signs,
)
from saferoom.tasks.steps.standard_errors import help_errors, own_errors
from saferoom.tasks.steps.training_rows import match_rows, training_rows

F64 = NDArray[np.float64]


def train(context: JobContext) -> None:
    """A party's side. The label holder may hold features or none; every other party holds at least one."""
    contract, session = context.contract, context.session
    params = _regression(context)
    table, is_train, labels = training_rows(context)
    with context.phase("bin" if contract.task.kind == "scorecard" else "prepare"):
        preparation = _fit_preparation(context, table.take(is_train), labels)
    while True:
        own = preparation.transform(table.take(is_train)), preparation.transform(table.take(~is_train))
        local, logits = _fit(context, own, labels)
        fewer = without_wrong_signs(context, preparation, local.coefficients)
        if fewer is None:
            break
        preparation = fewer
    train_logits = None if logits is None else logits.train
    errors = own_errors(context, preparation, own[0], labels, train_logits)
    model = _part(context, preparation, local)
    if model.table is not None:
        with context.phase("points"), session.scope("points"):
            total = masked_sum(
                session, model.part(table), contract.label_holder, PairwisePads.agree(session), kind="points"
            )
    else:
        total = _in_row_order(is_train, logits)
    with context.phase("store"):
        model.save(context.folder)
        if isinstance(preparation, WoePreparation):
            save_scorecard(context.folder, model, preparation.codes(table), is_train, errors)
        else:
            save_stability(context.folder, column_stability(preparation.column_names, *own))
        if total is not None and labels is not None:
            # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
            from saferoom.models.alone import fit_alone
            from saferoom.tasks.results.evaluation import Evaluation, own_scheme

            scheme = own_scheme(context.home.root / "grades.yaml")
            alone = fit_alone(own[0], labels, own[1], l2=params.l2)
            Evaluation.make(table, is_train, alone, model.judge(total), scheme).save(context.folder)


def _fit(context: JobContext, own: tuple[F64, F64], labels: F64 | None) -> tuple[LocalModel, Logits | None]:
    """Train on the prepared training rows, evaluate on both, release.

    Own coefficients, and who may the scores.
    """
    session = context.session
    with context.phase("train"):
        _declare_width(context)
        trained = train_logistic(
            session,
            own[0],
            labels,
            logistic_settings(context),
            label_holder=context.contract.label_holder,
            progress=context.progress,
        )
        context.facts["iterations"] = trained.party.plan.passes
    with context.phase("evaluate"):
        logits = evaluate(session, trained, own[1])
    with context.phase("release"):
        return release(session, trained), logits


def help_train(context: JobContext) -> None:
    """The helper's side: match pseudonyms, deal random numbers."""
    match_rows(context)
    help_select(context)
    while True:
        with context.phase("train"):
            deal_logistic(
                context.session,
                logistic_settings(context),
                label_holder=context.contract.label_holder,
                progress=context.progress,
            )
        if not help_drop_wrong_signs(context):
            break
    help_errors(context)


def logistic_settings(context: JobContext) -> LogisticSettings:
    """The public settings of the regression, from the contract's task."""
    params = _regression(context)
    return LogisticSettings(l2=params.l2, logit_range=params.logit_range)


def _regression(context: JobContext) -> LogisticParams:
    """The parameters of the regression that the job ends in. Raises UsageError if it is none."""
    params = context.contract.task.params
    if not isinstance(params, LogisticParams):
        raise UsageError("the contract's task is no regression")
    return params


def _part(context: JobContext, preparation: Preparation | WoePreparation, model: LocalModel) -> PartyModel:
    params = context.contract.task.params
    scale = PointScale()
    if isinstance(params, ScorecardParams):
        scale = PointScale(float(params.base_points), float(params.base_odds), float(params.pdo))
    return PartyModel(
        job=context.spec.job_id,
        contract=context.contract.id,
        party=context.me,
        kind=context.contract.task.kind,
        preparation=preparation,
        coefficients=model.coefficients,
        intercept=model.intercept,
        scale=scale,
    )


def _declare_width(context: JobContext) -> None:
    """The regression begins with everybody's number of columns."""
    session = context.session
    with session.scope("train"):
        for node in (*session.peers, HELPER):
            session.declare("sizes", node, (1,), kind="widths")


def _fit_preparation(
    context: JobContext, train: PartyTable, labels: F64 | None
) -> Preparation | WoePreparation:
    """Fitted on the training rows: WOE columns for a scorecard, standardised ones otherwise."""
    params = context.contract.task.params
    if isinstance(params, ScorecardParams):
        found = bin_columns(context, train, labels, params)
        return without_collinear(context, found, train)
    preparation = Preparation.fit(train)
    if not preparation.column_names and context.me != context.contract.label_holder:
        raise ConfigError(
            "no usable column is left after preparation",
            remedy="see the registration's warnings for constant and empty columns",
        )
    context.facts["dropped_columns"] = len(preparation.dropped)
    return preparation


def _in_row_order(is_train: NDArray[np.bool_], logits: Logits | None) -> F64 | None:
    if logits is None:
        return None
    joint = np.empty(len(is_train))
    joint[is_train], joint[~is_train] = logits.train, logits.test
    return joint
