"""The job `train` of boosted trees: align, split, bin; grow trees together; evaluate, store.

After every tree each party writes down what another job needs to go on from there.

Every party runs `train_boosted`, the helper `help_train_boosted`, in the same order of steps.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.params import BoostingParams
from saferoom.data.table import PartyTable
from saferoom.data.tree_columns import TreeColumns
from saferoom.errors import ConfigError, UsageError
from saferoom.he.keys import Encryption
from saferoom.he.workers import Workers
from saferoom.jobs.context import JobContext
from saferoom.models.alone import AloneFit
from saferoom.models.boosting.contributions import tell_values
from saferoom.models.boosting.gradients import probabilities, validation_rows
from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.train import Grown, Labels, OnTree, train_boosting
from saferoom.scoring.points import PointScale
from saferoom.tasks.boosted_model import BoostedModel, log_odds
from saferoom.tasks.leaves import help_sum_leaves, sum_leaves
from saferoom.tasks.resume import EarlierJob, begin_checkpoint
from saferoom.tasks.training_rows import match_rows, training_rows

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

INLINE_ROWS = 1 << 10
"""Below this, starting processes takes longer than the work."""


def train_boosted(context: JobContext) -> None:
    """A party's side. The label holder may hold features or none; every other party holds at least one."""
    params, earlier = params_of_job(context), EarlierJob.of(context)
    table, is_train, y = training_rows(context, earlier)
    train = table.take(is_train)
    with context.phase("bin"):
        columns = _fit_columns(context, train, params)
    start = _first_start(context, train) if earlier is None else _go_on(context, earlier, columns, train)
    with context.phase("train"):
        checkpoint = begin_checkpoint(context, table.ids, train.ids, columns, start)
        labels = None if y is None else Labels(y, _weights(table, is_train))
        trees, grown = _grow(context, columns, train, labels, start, checkpoint.save)
        if context.contract.recipients("reason_codes"):
            trees = tell_values(context.session, trees, context.contract.label_holder)
        context.facts["iterations"] = len(trees.trees)
    model = BoostedModel(context.spec.job_id, context.contract.id, context.me, columns, trees, PointScale())
    with context.phase("evaluate"):
        total = _evaluate(context, model, table, is_train, grown)
    with context.phase("store"):
        model.save(context.folder)
        if total is not None:
            _save_evaluation(context, model, table, is_train, total)


def help_train_boosted(context: JobContext) -> None:
    """The helper's side: match pseudonyms; deal for the sum of leaves of held-out rows. It grows no trees."""
    match_rows(context)
    with context.phase("evaluate"):
        help_sum_leaves(context)


def params_of_job(context: JobContext) -> BoostingParams:
    """The contract's parameters. Raises UsageError if it is no contract of boosted trees."""
    params = context.contract.task.params
    if not isinstance(params, BoostingParams):
        raise UsageError("the contract's task is not boosting")
    return params


def boosting_settings(params: BoostingParams, *, weighted: bool) -> BoostingSettings:
    """The public settings of the trees, from the contract's task."""
    names = {field.name for field in fields(BoostingSettings)} - {"weighted"}
    return BoostingSettings(**{name: getattr(params, name) for name in names}, weighted=weighted)


def _fit_columns(context: JobContext, train: PartyTable, params: BoostingParams) -> TreeColumns:
    columns = TreeColumns.fit(train, params.max_bin)
    if not columns.bins and context.me != context.contract.label_holder:
        raise ConfigError(
            "no usable column is left",
            step="bin",
            remedy="see the registration's warnings for constant and empty columns",
        )
    context.facts["dropped_columns"] = len(columns.dropped)
    return columns


def _first_start(context: JobContext, train: PartyTable) -> Grown:
    """Before the first tree: which rows are held out, everybody can draw."""
    settings = boosting_settings(params_of_job(context), weighted=_is_weighted(context))
    return Grown([], held_out=validation_rows(len(train), settings))


def _go_on(context: JobContext, earlier: EarlierJob, columns: TreeColumns, train: PartyTable) -> Grown:
    """Where the earlier job stood, as far as all parties got."""
    with context.phase("resume"):
        earlier.check_columns(columns)
        grown = earlier.go_on(context, train.ids, params_of_job(context).own_trees)
        context.facts["resumed_trees"] = len(grown.trees)
        context.daemon.record("job.resumed", job=context.spec.params["resume"], trees=len(grown.trees))
    return grown


def _grow(
    context: JobContext,
    columns: TreeColumns,
    train: PartyTable,
    labels: Labels | None,
    start: Grown,
    on_tree: OnTree,
) -> tuple[LocalTrees, Grown]:
    params = params_of_job(context)
    with Workers(0 if len(train) < INLINE_ROWS else None) as workers, context.session.scope("train"):
        return train_boosting(
            context.session,
            columns.features(train),
            boosting_settings(params, weighted=_is_weighted(context)),
            label_holder=context.contract.label_holder,
            labels=labels,
            encryption=Encryption(params.scheme, params.key_bits, params.randomness),
            workers=workers,
            resume=start,
            on_tree=on_tree,
            progress=context.progress,
        )


def _is_weighted(context: JobContext) -> bool:
    """Whether the contract names a column of weights."""
    holder = context.contract.parties[context.contract.label_holder]
    return bool(holder.columns_for("weight"))


def _weights(table: PartyTable, is_train: Mask) -> F64 | None:
    return None if table.weight is None else table.weight[is_train]


def _evaluate(
    context: JobContext, model: BoostedModel, table: PartyTable, is_train: Mask, grown: Grown
) -> F64 | None:
    """At the label holder the log-odds of all rows: of training rows it knows them."""
    test = sum_leaves(context, model, table.take(~is_train), context.contract.label_holder)
    if test is None or grown.kept_margins is None:
        return None
    total = np.empty(len(table))
    total[is_train], total[~is_train] = log_odds(grown.kept_margins), test
    return total


def _save_evaluation(
    context: JobContext, model: BoostedModel, table: PartyTable, is_train: Mask, total: F64
) -> None:
    # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
    from saferoom.tasks.results import Evaluation, own_scheme

    scheme = own_scheme(context.home.root / "grades.yaml")
    alone = _fit_alone(context, model.preparation, table, is_train)
    Evaluation.make(table, is_train, alone, model.judge(total), scheme).save(context.folder)


def _fit_alone(context: JobContext, columns: TreeColumns, table: PartyTable, is_train: Mask) -> AloneFit:
    """Boosted trees of the label holder's own columns, in the clear, with the same settings."""
    label, features = table.label, {context.me: columns.features(table)}
    if label is None:
        raise ConfigError("the label holder's data set has no label column")
    y = label[is_train].astype(np.float64)
    if not features[context.me]:
        return AloneFit(np.full(len(y), y.mean()), np.full(len(table) - len(y), y.mean()), np.empty(0), 0.0)
    settings = boosting_settings(params_of_job(context), weighted=_is_weighted(context))
    weights = _weights(table, is_train)
    own = {context.me: columns.features(table.take(is_train))}
    pd = probabilities(fit_boosting_plain(own, y, context.me, settings, weights).margins(features))
    return AloneFit(pd[is_train], pd[~is_train], np.empty(0), 0.0)
