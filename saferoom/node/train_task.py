"""The job `train`: align, prepare (a scorecard: bin), train, evaluate, release; a scorecard: points.

Every party runs `train`, the helper `help_train`, in the same order of steps. Results are written to the
job's staging folder; the daemon keeps them only when the job has finished everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.params import LogisticParams, ScorecardParams
from saferoom.data.preparation import Preparation
from saferoom.data.split import random_split
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.errors import ConfigError, UsageError
from saferoom.ids import HELPER
from saferoom.models.logistic import (
    LocalModel,
    Logits,
    deal_logistic,
    evaluate,
    release,
    train_logistic,
)
from saferoom.models.logistic_plan import LogisticSettings
from saferoom.models.stability import column_stability
from saferoom.node.binning_task import bin_columns
from saferoom.node.errors_task import help_errors, own_errors
from saferoom.node.job_context import JobContext
from saferoom.node.model_file import PartyModel, save_stability
from saferoom.node.party_rows import load_rows, own_registration
from saferoom.node.scorecard_file import save_scorecard
from saferoom.node.selection_task import (
    help_drop_wrong_signs,
    help_select,
    without_collinear,
    without_wrong_signs,
)
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.protocols.psi import align, match
from saferoom.scoring.points import PointScale

F64 = NDArray[np.float64]

MINIMUM_EVENTS = 10


def train(context: JobContext) -> None:
    """A party's side. The label holder may hold features or none; every other party holds at least one."""
    contract, session = context.contract, context.session
    params = _regression(context)
    with context.phase("load"):
        table = load_rows(context)
        context.facts["rows"] = len(table)
    with context.phase("align"):
        with session.scope("align"):
            table = table.take(align(session, table.ids, minimum_rows=contract.minimum_rows))
        context.facts["aligned"] = len(table)
        context.daemon.record("psi.done", rows=len(table))
    with context.phase("prepare"):
        is_train, labels = _share_split(context, table)
        context.facts |= {"train_rows": int(is_train.sum()), "test_rows": int((~is_train).sum())}
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
        if total is not None:
            # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
            from saferoom.node.results import Evaluation, own_scheme

            scheme = own_scheme(context.home.root / "grades.yaml")
            Evaluation.make(table, is_train, own, model.judge(total), scheme, l2=params.l2).save(
                context.folder
            )


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
    _regression(context)
    with context.phase("align"), context.session.scope("align"):
        match(context.session, minimum_rows=context.contract.minimum_rows)
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
        raise UsageError(
            f"this version cannot train a {context.contract.task.kind} model yet",
            remedy="agree on a contract for a scorecard, or update all nodes",
        )
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


def _share_split(
    context: JobContext, table: PartyTable
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Which aligned rows are for training, and at the label holder their labels.

    The label holder checks its labels before it tells the others anything.
    """
    session, label_holder = context.session, context.contract.label_holder
    if context.me != label_holder:
        return session.receive_one(label_holder, "split", (len(table),), np.bool_), None
    is_train = table.train
    if is_train is None:
        is_train = random_split(len(table), context.contract.task.split_seed)
    labels = _train_labels(context, table, is_train)
    for peer in session.peers:
        session.disclose("split", peer, is_train, kind="split")
    return is_train, labels


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


def _train_labels(context: JobContext, table: PartyTable, is_train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The label holder's training labels. Raises ConfigError if a class has too few rows."""
    if table.label is None:
        registration = own_registration(context.contract, context.me, context.home)
        raise ConfigError(
            f"data set {registration.name!r} has no label column", remedy="register it with `label:`"
        )
    labels = table.label[is_train].astype(np.float64)
    events = int(labels.sum())
    if min(events, len(labels) - events) < MINIMUM_EVENTS:
        raise ConfigError(
            f"the training rows hold fewer than {MINIMUM_EVENTS} rows of one class",
            remedy="take more rows, or another split",
        )
    return labels
