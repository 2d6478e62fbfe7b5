"""The job `train`: align, prepare, train, evaluate, release.

Every party runs `train`, the helper `help_train`, in the same order of steps. Results are written to the
job's staging folder; the daemon keeps them only when the job has finished everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.data.preparation import Preparation
from saferoom.data.split import random_split
from saferoom.data.table import PartyTable
from saferoom.errors import ConfigError
from saferoom.ids import HELPER
from saferoom.models.logistic import (
    LocalModel,
    deal_logistic,
    evaluate,
    release,
    train_logistic,
)
from saferoom.models.logistic_plan import LogisticSettings
from saferoom.node.job_context import JobContext
from saferoom.node.model_file import PartyModel
from saferoom.node.party_rows import load_rows, own_registration
from saferoom.protocols.psi import align, match
from saferoom.scoring.points import PointScale

MINIMUM_EVENTS = 10


def train(context: JobContext) -> None:
    """A party's side. The label holder may hold features or none; every other party holds at least one."""
    contract, session = context.contract, context.session
    label_holder = contract.label_holder
    settings = logistic_settings(context)
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
        preparation, train_x, test_x = _prepare(context, table, is_train)
        context.facts |= {"train_rows": int(is_train.sum()), "test_rows": int((~is_train).sum())}
    with context.phase("train"):
        _declare_width(context)
        trained = train_logistic(
            session,
            train_x,
            labels,
            settings,
            label_holder=label_holder,
            progress=context.progress,
        )
        context.facts["iterations"] = trained.party.plan.passes
    with context.phase("evaluate"):
        logits = evaluate(session, trained, test_x)
    with context.phase("release"):
        model = release(session, trained)
    with context.phase("store"):
        _part(context, preparation, model).save(context.folder)
        if logits is not None:
            # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
            from saferoom.node.results import Evaluation, own_scheme

            scheme = own_scheme(context.home.root / "grades.yaml")
            own = (train_x, test_x)
            evaluation = Evaluation.make(
                table, is_train, own, (logits.train, logits.test), scheme, l2=settings.l2
            )
            evaluation.save(context.folder)


def help_train(context: JobContext) -> None:
    """The helper's side: match pseudonyms, deal random numbers."""
    with context.phase("align"), context.session.scope("align"):
        match(context.session, minimum_rows=context.contract.minimum_rows)
    with context.phase("train"):
        deal_logistic(
            context.session,
            logistic_settings(context),
            label_holder=context.contract.label_holder,
            progress=context.progress,
        )


def logistic_settings(context: JobContext) -> LogisticSettings:
    """The public settings of the regression, from the contract's task."""
    return LogisticSettings(**context.contract.task.params.model_dump())


def _part(context: JobContext, preparation: Preparation, model: LocalModel) -> PartyModel:
    return PartyModel(
        job=context.spec.job_id,
        contract=context.contract.id,
        party=context.me,
        kind=context.contract.task.kind,
        preparation=preparation,
        coefficients=model.coefficients,
        intercept=model.intercept,
        scale=PointScale(),
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


def _prepare(
    context: JobContext, table: PartyTable, is_train: NDArray[np.bool_]
) -> tuple[Preparation, NDArray[np.float64], NDArray[np.float64]]:
    """Fit the preparation on the training rows; return it with the training and test matrices."""
    preparation = Preparation.fit(table.take(is_train))
    train_x = preparation.transform(table.take(is_train))
    if not train_x.shape[1] and context.me != context.contract.label_holder:
        raise ConfigError(
            "no usable column is left after preparation",
            remedy="see the registration's warnings for constant and empty columns",
        )
    context.facts["dropped_columns"] = len(preparation.dropped)
    return preparation, train_x, preparation.transform(table.take(~is_train))


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
