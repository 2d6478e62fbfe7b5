"""The first steps of every training job: load, align, split. Then each kind of model goes its own way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.checks import check_training_rows
from saferoom.data.split import random_split
from saferoom.data.table import PartyTable
from saferoom.errors import ConfigError
from saferoom.jobs.context import JobContext
from saferoom.protocols.psi import align, match
from saferoom.scoring.grades import GradeScheme
from saferoom.tasks.results.score_files import own_scheme
from saferoom.tasks.steps.grades import agreed_scheme, releases_grades_alone, rule_of
from saferoom.tasks.steps.resume import EarlierJob
from saferoom.tasks.steps.rows import load_rows

MINIMUM_EVENTS = 10


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """Aligned rows in the common order, and which of them are for training, (n,).

    At the label holder also the `labels` of the training rows, and the `scheme` that it grades by.
    """

    table: PartyTable
    is_train: NDArray[np.bool_]
    labels: NDArray[np.float64] | None
    scheme: GradeScheme | None = None

    @property
    def train(self) -> PartyTable:
        return self.table.take(self.is_train)

    @property
    def test(self) -> PartyTable:
        return self.table.take(~self.is_train)


def training_rows(context: JobContext, earlier: EarlierJob | None = None) -> TrainingRows:
    """Load, align and split. A job that resumes an `earlier` one has the same rows and the same split."""
    session = context.session
    with context.phase("load"):
        # Read before anything is disclosed: a scheme that is wrong must not cost the others a job.
        scheme = _scheme(context) if context.me == context.contract.label_holder else None
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
    return TrainingRows(table, is_train, labels, scheme)


def _scheme(context: JobContext) -> GradeScheme:
    """What the label holder grades by: its own scheme, cut as the contract says where that fixes the cuts."""
    own = own_scheme(context.home.grades)
    return agreed_scheme(rule_of(context), own) if releases_grades_alone(context) else own


def match_rows(context: JobContext) -> None:
    """The helper's side."""
    with context.phase("align"), context.session.scope("align"):
        match(context.session, minimum_rows=context.contract.minimum_rows)


def _share_split(
    context: JobContext, table: PartyTable, earlier: EarlierJob | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Which aligned rows are for training, and at the label holder their labels.

    The label holder checks rows and labels before it tells the others anything; they count the rows anew.
    """
    session, label_holder = context.session, context.contract.label_holder
    if context.me != label_holder:
        is_train = session.hear_one(label_holder, "split", (len(table),), np.bool_)
        check_training_rows(context.contract, int(is_train.sum()))
        return is_train, None
    is_train = _own_split(context, table) if earlier is None else earlier.split(table.ids)
    check_training_rows(context.contract, int(is_train.sum()))
    labels = _train_labels(context, table, is_train)
    session.disclose_to_peers("split", is_train, kind="split")
    return is_train, labels


def _own_split(context: JobContext, table: PartyTable) -> NDArray[np.bool_]:
    if table.train is not None:
        return table.train
    return random_split(len(table), context.contract.task.split_seed)


def _train_labels(context: JobContext, table: PartyTable, is_train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The label holder's training labels. Raises ConfigError if they are not what can be trained on."""
    if table.label is None:
        raise ConfigError(
            f"data set {context.registration.name!r} has no label column", remedy="register it with `label:`"
        )
    labels = table.label[is_train].astype(np.float64)
    kind = context.contract.kind
    problem = kind.label.too_few(labels, MINIMUM_EVENTS) if kind.label else ""
    if problem:
        raise ConfigError(problem, remedy="take more rows, or another split")
    return labels
