"""The kind `boosting`: align, split, bin; grow trees together; evaluate, store.

After every tree each party writes down what another job needs to resume from there. Party and helper take the
same steps in the same order; the helper grows no trees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferoom.arrays import F64
from saferoom.data.table import PartyTable
from saferoom.data.tree_columns import TreeColumns
from saferoom.errors import ConfigError
from saferoom.he.keys import Encryption
from saferoom.he.workers import Workers
from saferoom.jobs.context import JobContext
from saferoom.kinds.boosting import BoostingParams
from saferoom.models.alone import AloneFit
from saferoom.models.boosting.contributions import tell_values
from saferoom.models.boosting.gradients import probabilities, validation_rows
from saferoom.models.boosting.model import LocalTrees
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.train import Grown, Labels, OnTree, train_boosting
from saferoom.scoring.points import PointScale
from saferoom.tasks.base import Work
from saferoom.tasks.models.boosting import BoostedModel, log_odds, trees_card
from saferoom.tasks.models.files import save_model
from saferoom.tasks.results.quality import save_quality
from saferoom.tasks.steps.leaves import help_sum_leaves
from saferoom.tasks.steps.own_part import check_part
from saferoom.tasks.steps.resume import EarlierJob, begin_checkpoint
from saferoom.tasks.steps.scoring import Scoring
from saferoom.tasks.steps.training_rows import TrainingRows, match_rows, training_rows
from saferoom.tasks.steps.twins import tree_settings, tree_twin

INLINE_ROWS = 1 << 10
"""Below this, starting processes takes longer than the work."""


@dataclass(frozen=True, slots=True, eq=False)
class _Growing:
    """What trees are grown of at one party."""

    columns: TreeColumns
    rows: TrainingRows
    train: PartyTable
    settings: BoostingSettings
    encryption: Encryption


class Training:
    """The job `train`. The label holder may hold features or none; every other party holds at least one."""

    def party(self, context: JobContext, params: BoostingParams) -> None:
        contract, earlier = context.contract, EarlierJob.of(context)
        rows = training_rows(context, earlier)
        train, settings = rows.train, tree_settings(params, weighted=_is_weighted(context))
        with context.phase("bin"):
            columns = _fit_columns(context, train, params)
        start = _first_start(settings, train)
        if earlier is not None:
            start = _resume(context, earlier, columns, train, params.own_trees)
        encryption = Encryption(params.scheme, params.key_bits, params.randomness)
        growing = _Growing(columns, rows, train, settings, encryption)
        with context.phase("train"):
            checkpoint = begin_checkpoint(context, rows.table.ids, train.ids, columns, start)
            trees, grown = _grow(context, growing, start, checkpoint.save)
            if contract.recipients("reason_codes"):
                trees = tell_values(context.session, trees, settings, contract.label_holder)
            context.facts["iterations"] = len(trees.trees)
        model = BoostedModel(context.spec.job_id, contract.id, context.me, columns, trees, PointScale())
        with context.phase("evaluate"):
            total = _evaluate(context, model, rows, grown)
        with context.phase("store"):
            save_model(context.folder, model.to_plain(), indent=None)
            save_quality(context, columns.dropped, {})
            if total is not None:
                _keep_evaluation(context, growing, model, total)

    def helper(self, context: JobContext, params: BoostingParams) -> None:
        """Match pseudonyms; deal for the sum of leaves of held-out rows."""
        del params
        match_rows(context)
        with context.phase("evaluate"):
            help_sum_leaves(context)


WORK = Work(
    jobs={"train": Training(), "score": Scoring(help_sum_leaves)},
    model=BoostedModel.from_plain,
    card=trees_card,
    twin=tree_twin,
)


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


def _first_start(settings: BoostingSettings, train: PartyTable) -> Grown:
    """Before the first tree: which rows are held out, everybody can draw."""
    return Grown([], held_out=validation_rows(len(train), settings))


def _resume(
    context: JobContext, earlier: EarlierJob, columns: TreeColumns, train: PartyTable, own_trees: int
) -> Grown:
    """Where the earlier job stood, as far as all parties got."""
    with context.phase("resume"):
        earlier.check_columns(columns)
        grown = earlier.resume(context, train.ids, own_trees)
        trees, job = len(grown.trees), context.spec.params["resume"]
        context.facts["resumed_trees"] = trees
        context.daemon.record("job.resumed", reason=f"from tree {trees} of job {job}")
    return grown


def _grow(context: JobContext, growing: _Growing, start: Grown, on_tree: OnTree) -> tuple[LocalTrees, Grown]:
    rows, train, contract = growing.rows, growing.train, context.contract
    labels = None if rows.labels is None else Labels(rows.labels, train.weight)
    with Workers(0 if len(train) < INLINE_ROWS else None) as workers, context.session.scope("train"):
        return train_boosting(
            context.session,
            growing.columns.features(train),
            growing.settings,
            label_holder=contract.label_holder,
            columns={party: len(contract.features_of(party)) for party in contract.parties},
            labels=labels,
            encryption=growing.encryption,
            workers=workers,
            resume=start,
            on_tree=on_tree,
            progress=context.progress,
        )


def _is_weighted(context: JobContext) -> bool:
    """Whether the contract names a column of weights."""
    return bool(context.contract.columns_of(context.contract.label_holder, "weight"))


def _evaluate(context: JobContext, model: BoostedModel, rows: TrainingRows, grown: Grown) -> F64 | None:
    """At the label holder the log-odds of all rows: of training rows it knows them."""
    holder = context.contract.label_holder
    check_part(context, model, rows.table, [holder])
    test = model.joint(context, rows.test, holder)
    if test is None or grown.kept_margins is None:
        return None
    total = np.empty(len(rows.table))
    total[rows.is_train], total[~rows.is_train] = log_odds(grown.kept_margins), test
    return total


def _keep_evaluation(context: JobContext, growing: _Growing, model: BoostedModel, total: F64) -> None:
    # Imported here: scikit-learn takes a second and 100 MB, and only the label holder needs it.
    from saferoom.tasks.results.evaluation import save_evaluation

    alone = _fit_alone(context.me, growing)
    save_evaluation(context.folder, growing.rows, model.judge(total), alone, model.scale)


def _fit_alone(me: str, growing: _Growing) -> AloneFit:
    """Boosted trees of the label holder's own columns, in the clear, with the same settings."""
    rows, train = growing.rows, growing.train
    if rows.labels is None:
        raise ConfigError("the label holder's data set has no label column")
    y, features = rows.labels, {me: growing.columns.features(rows.table)}
    if not features[me]:
        held_out = len(rows.table) - len(y)
        return AloneFit(np.full(len(y), y.mean()), np.full(held_out, y.mean()), np.empty(0), 0.0)
    own = {me: growing.columns.features(train)}
    twin = fit_boosting_plain(own, y, me, growing.settings, train.weight)
    pd = probabilities(twin.margins(features))
    return AloneFit(pd[rows.is_train], pd[~rows.is_train], np.empty(0), 0.0)
