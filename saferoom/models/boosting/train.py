"""Joint gradient-boosted trees: every party brings columns, one the labels, and keeps its own splits.

    for each tree       label holder: gradients of the present margins; who takes part, on which rows
        for each level  feature holders: sums over their candidate splits (`protocols/split_sums.py`)
                        label holder: the best split of each node    chosen
                        its owner: which rows go left                left
                        label holder: all rows' sides, to everybody  sides
    after all           how many trees count

The label holder computes weights of leaves from its own gradients and the rows it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64
from saferoom.channel.session import Session
from saferoom.errors import PeerError, UsageError
from saferoom.he.generation import generate_key
from saferoom.he.keys import Encryption, PrivateKey
from saferoom.he.workers import Workers
from saferoom.models.boosting.feature import FeatureSide
from saferoom.models.boosting.gradients import (
    EarlyStop,
    base_margin,
    probabilities,
    row_weights,
    sample,
    validation_rows,
)
from saferoom.models.boosting.label import LabelSide
from saferoom.models.boosting.model import LocalTree, LocalTrees
from saferoom.models.boosting.nodes import ENOUGH, MORE
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.split_sums import receive_key, send_key
from saferoom.sharing.values import Public

Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Labels:
    """What the label holder alone brings: y (rows,) of 0 and 1; weights (rows,) or None."""

    y: F64
    weights: F64 | None = None


@dataclass(slots=True)
class Grown:
    """Where training stands after a tree: what a job needs to resume there.

    `held_out`: the validation rows (rows,). At the label holder also the margins (rows,), those of the trees
    that are to be kept, and the losses of the validation rows.
    """

    trees: list[LocalTree]
    base: int | None = None
    margins: I64 | None = None
    kept_margins: I64 | None = None
    held_out: NDArray[np.bool_] | None = None
    losses: tuple[float, ...] = ()


OnTree: TypeAlias = Callable[[Grown], None]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Side:
    """What either side works with, and whom it tells."""

    s: Session
    features: Sequence[BinnedFeature]
    settings: BoostingSettings
    workers: Workers
    on_tree: OnTree
    progress: Progress
    columns: Mapping[str, int]

    def tell(self, grown: Grown) -> None:
        """After a tree."""
        self.on_tree(grown)
        self.progress("train", len(grown.trees), self.settings.n_estimators)


def train_boosting(
    s: Session,
    features: Sequence[BinnedFeature],
    settings: BoostingSettings,
    *,
    label_holder: str,
    columns: Mapping[str, int],
    labels: Labels | None = None,
    encryption: Encryption | None = None,
    key: PrivateKey | None = None,
    workers: Workers,
    resume: Grown | None = None,
    on_tree: OnTree = lambda grown: None,
    progress: Progress = lambda name, done, total: None,
) -> tuple[LocalTrees, Grown]:
    """Grow trees together; all parties call it.

    `columns`: how many each party brings at most, by name. `labels`, and a `key` if it is not to be a fresh
    one, are given at the label holder.

    Shapes:   features of (rows,) bins each -> this party's trees, and where training stands.
    Reveals:  to the label holder `split_sums`; to the owner of each split `chosen_splits`; to every party
              `tree_rows`; to each feature holder `tree_shapes`. Each is declared once a tree.
    Source:   Cheng et al. 2021 (SecureBoost); Chen, Guestrin 2016 (XGBoost);
              docs/protocols/boosting.md.
    Raises:   UsageError, PeerError (a peer that does not follow the protocol), PeerTimeout.
    """
    if (labels is not None) != (s.me == label_holder):
        raise UsageError("labels are given at the label holder and nowhere else", party=s.me)
    chosen = encryption or Encryption()
    grown = resume or Grown([])
    _agree_on_start(s, grown)
    side = _Side(s, features, settings, workers, on_tree, progress, columns)
    if labels is None:
        return _at_feature_holder(side, label_holder, chosen, grown)
    return _at_label_holder(side, labels, generate_key(chosen) if key is None else key, grown)


def _at_label_holder(side: _Side, labels: Labels, key: PrivateKey, grown: Grown) -> tuple[LocalTrees, Grown]:
    s, settings = side.s, side.settings
    y, counts = labels.y, row_weights(labels.y, labels.weights, settings)
    held_out = _held_out(grown, len(y), settings)
    if grown.margins is None or grown.base is None:
        grown.base = base_margin(y[~held_out], counts[~held_out])
        grown.margins = np.full(len(y), grown.base, dtype=np.int64)
    send_key(s, s.peers, key)
    growing = LabelSide(s, side.features, settings, key, side.workers, side.columns)
    stop = EarlyStop(settings, y[held_out], counts[held_out], grown.losses)
    while len(grown.trees) < settings.n_estimators and not stop.now:
        number = len(grown.trees)
        drawn = sample(number, grown.margins, y, counts, ~held_out, settings)
        tree, rows = growing.grow(number, drawn)
        for leaf, held in rows.leaves.items():
            grown.margins[held] += tree.weights[leaf]
        grown.trees.append(tree)
        stop.after(probabilities(grown.margins[held_out]))
        if stop.best(number + 1) == number + 1:
            grown.kept_margins = grown.margins.copy()
        grown.losses = stop.losses
        s.confirm("tree")
        side.tell(grown)
    count = stop.best(len(grown.trees))
    for peer in s.peers:
        s.declare("tree", peer, (count,), kind="tree_shapes")
    s.broadcast("tree", Public(np.array([ENOUGH, count], dtype=np.int64)))
    return LocalTrees(tuple(grown.trees[:count]), min(settings.own_trees, count), grown.base), grown


def _at_feature_holder(
    side: _Side, label_holder: str, encryption: Encryption, grown: Grown
) -> tuple[LocalTrees, Grown]:
    s, features, settings = side.s, side.features, side.settings
    key = receive_key(s, label_holder, encryption)
    held_out = _held_out(grown, len(features[0].bins), settings)
    growing = FeatureSide(
        s, label_holder, features, settings, key, side.workers, ~held_out, side.columns[s.me]
    )
    while True:
        what, number = s.hear_one(label_holder, "tree", (2,), np.int64).tolist()
        if what != MORE:
            break
        if number != len(grown.trees) or number >= settings.n_estimators:
            raise PeerError("it is at another tree", party=label_holder, step=s.step("tree"))
        grown.trees.append(growing.grow(number))
        s.confirm("tree")
        side.tell(grown)
    if what != ENOUGH or not 0 <= number <= len(grown.trees):
        raise PeerError("it counts other trees than there are", party=label_holder, step=s.step("tree"))
    s.declare("tree", s.me, (number,), kind="tree_shapes")
    return LocalTrees(tuple(grown.trees[:number]), min(settings.own_trees, number)), grown


def _held_out(grown: Grown, rows: int, settings: BoostingSettings) -> NDArray[np.bool_]:
    """The validation rows: drawn before the first tree, and the same enterprises when a job goes on."""
    if grown.held_out is None:
        grown.held_out = validation_rows(rows, settings)
    return grown.held_out


def _agree_on_start(s: Session, grown: Grown) -> None:
    """All resume from as many trees."""
    s.broadcast("trees", Public(np.array([len(grown.trees)], dtype=np.int64)))
    for peer in s.peers:
        if int(s.hear_one(peer, "trees", (1,), np.int64)[0]) != len(grown.trees):
            raise PeerError(
                "it resumes from another tree",
                party=peer,
                step=s.step("trees"),
                remedy="start the job again, without resuming an earlier one",
            )
