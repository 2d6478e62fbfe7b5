"""The plain, insecure twin of joint boosted trees: all bins and labels in one place, node by node.

The same bins, minimums, fixed point and order of candidates as at the parties: trees come out equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64
from saferoom.models.boosting.columns import columns_of_tree
from saferoom.models.boosting.gradients import (
    EarlyStop,
    base_margin,
    probabilities,
    row_weights,
    sample,
    validation_rows,
)
from saferoom.models.boosting.nodes import ROOT, NodeRows, parent_of
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.split import NO_SPLIT, best_of, by_bin, leaf_weight
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates, Split, goes_left

Features: TypeAlias = Mapping[str, Sequence[BinnedFeature]]


@dataclass(frozen=True, slots=True)
class PlainTree:
    """Splits by node, each with its owner; weights by leaf, in units of 2**-WEIGHT_FRAC_BITS."""

    splits: Mapping[int, tuple[str, Split]]
    weights: Mapping[int, int]

    def margins(self, features: Features) -> I64:
        """The leaf weight of every row, (rows,)."""
        rows = len(next(one for of_party in features.values() for one in of_party).bins)
        nodes = np.zeros(rows, dtype=np.int64)
        for node, (party, split) in sorted(self.splits.items()):
            held = np.flatnonzero(nodes == node).astype(np.int32)
            left = goes_left(features[party][split.column], split, held)
            nodes[held] = 2 * node + np.where(left, 1, 2)
        numbers = sorted(self.weights)
        return np.array([self.weights[n] for n in numbers], dtype=np.int64)[np.searchsorted(numbers, nodes)]


@dataclass(frozen=True, slots=True)
class PlainBoosting:
    """Trees, and the margin that every row starts with."""

    base: int
    trees: tuple[PlainTree, ...]

    def margins(self, features: Features) -> I64:
        """Log-odds of default of all rows, in units of 2**-WEIGHT_FRAC_BITS."""
        rows = len(next(one for of_party in features.values() for one in of_party).bins)
        base = np.full(rows, self.base, dtype=np.int64)
        return sum((tree.margins(features) for tree in self.trees), start=base)


def fit_boosting_plain(
    features: Features, y: F64, label_holder: str, settings: BoostingSettings, weights: F64 | None = None
) -> PlainBoosting:
    """Of the parties' binned columns, in the public order of the parties; labels y (rows,) of 0 and 1."""
    counts, held_out = row_weights(y, weights, settings), validation_rows(len(y), settings)
    base = base_margin(y[~held_out], counts[~held_out])
    margins = np.full(len(y), base, dtype=np.int64)
    trees: list[PlainTree] = []
    stop = EarlyStop(settings, y[held_out], counts[held_out])
    while len(trees) < settings.n_estimators and not stop.now:
        number = len(trees)
        drawn = sample(number, margins, y, counts, ~held_out, settings)
        used = {p: f for p, f in features.items() if p == label_holder or number >= settings.own_trees}
        tree, reached = _grow(number, used, tuple(features), drawn.summed, drawn.sums, settings)
        for leaf, rows in reached.leaves.items():
            margins[rows] += tree.weights[leaf]
        trees.append(tree)
        stop.after(probabilities(margins[held_out]))
    return PlainBoosting(base, tuple(trees[: stop.best(len(trees))]))


def _grow(
    number: int,
    features: Features,
    parties: Sequence[str],
    summed: NDArray[np.bool_],
    sums: I64,
    settings: BoostingSettings,
) -> tuple[PlainTree, NodeRows]:
    rows, splits = NodeRows(summed), {}
    own = {p: columns_of_tree(number, parties.index(p), f, settings) for p, f in features.items()}
    before = {ROOT: {p: np.ones(len(c), dtype=bool) for p, c in own.items()}}
    for _ in range(settings.max_depth):
        lefts = {}
        for pair in rows.pairs(settings.least_rows):
            parent = parent_of(pair)
            nodes = [rows.summed(node) for node in pair]
            kept = {p: c.kept(before[parent][p], nodes, settings.least_rows) for p, c in own.items()}
            for node, held in zip(pair, nodes, strict=True):
                found = _best(own, kept, held, sums, settings)
                if found is None:
                    continue
                party, candidate = found
                split = own[party].split(candidate, held)
                lefts[node] = goes_left(features[party][split.column], split, rows.level[node])
                splits[node] = (party, split)
                before[node] = kept
        rows.descend(lefts)
    rows.finish()
    weights = {leaf: leaf_weight(sums[held].sum(axis=0), settings) for leaf, held in rows.leaves.items()}
    return PlainTree(splits, weights), rows


def _best(
    own: Mapping[str, Candidates],
    kept: Mapping[str, NDArray[np.bool_]],
    held: NDArray[np.int32],
    sums: I64,
    settings: BoostingSettings,
) -> tuple[str, int] | None:
    """The party of the best split of a node, and its candidate: of equal ones the first."""
    most, found = NO_SPLIT, None
    total = sums[held].sum(axis=0)
    for party, candidates in own.items():
        of_bins = by_bin(candidates.features, held, sums)
        best = best_of(candidates.left_sums(of_bins), kept[party], total, settings)
        if best.tied and best.gain > most.gain:
            most, found = best, (party, best.tied[0])
    return found
