"""The first steps of every training job: load, align, split. Then each kind of model goes its own way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.data.split import random_split
from saferoom.data.table import PartyTable
from saferoom.errors import ConfigError
from saferoom.jobs.context import JobContext
from saferoom.protocols.psi import align, match
from saferoom.tasks.steps.resume import EarlierJob
from saferoom.tasks.steps.rows import load_rows, own_registration

MINIMUM_EVENTS = 10


def training_rows(
    context: JobContext, earlier: EarlierJob | None = None
) -> tuple[PartyTable, NDArray[np.bool_], NDArray[np.float64] | None]:
    """Aligned rows in the common order, and which of them are for training (n,).

    At the label holder also the labels of the training rows. A job that goes on from an `earlier` one has the
    same rows and the same split.
    """
    session = context.session
    with context.phase("load"):
        table = load_rows(context)
        context.facts["rows"] = len(table)
    with context.phase("align"):
        with session.scope("align"):
            table = table.take(align(session, table.ids, minimum_rows=context.contract.minimum_rows))
        context.facts["aligned"] = len(table)
        context.daemon.record("psi.done", rows=len(table))
        if earlier is not None:
            earlier.check_aligned(table.ids)
    with context.phase("prepare"):
        is_train, labels = _share_split(context, table, earlier)
        if earlier is not None:
            earlier.check_trained(table.ids[is_train])
        context.facts |= {"train_rows": int(is_train.sum()), "test_rows": int((~is_train).sum())}
    return table, is_train, labels


def match_rows(context: JobContext) -> None:
    """The helper's side."""
    with context.phase("align"), context.session.scope("align"):
        match(context.session, minimum_rows=context.contract.minimum_rows)


def _share_split(
    context: JobContext, table: PartyTable, earlier: EarlierJob | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Which aligned rows are for training, and at the label holder their labels.

    The label holder checks its labels before it tells the others anything.
    """
    session, label_holder = context.session, context.contract.label_holder
    if context.me != label_holder:
        return session.receive_one(label_holder, "split", (len(table),), np.bool_), None
    is_train = _own_split(context, table) if earlier is None else earlier.split(table.ids)
    labels = _train_labels(context, table, is_train)
    for peer in session.peers:
        session.disclose("split", peer, is_train, kind="split")
    return is_train, labels


def _own_split(context: JobContext, table: PartyTable) -> NDArray[np.bool_]:
    if table.train is not None:
        return table.train
    return random_split(len(table), context.contract.task.split_seed)


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
