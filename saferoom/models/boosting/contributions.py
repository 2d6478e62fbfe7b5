"""What splits are worth, and how much each own column moves a row's log-odds: what reason codes are made of.

    value(leaf) = its weight          value(node) = mean of its leaves, weighted by training rows
    told        = value(left) - value(right), of each party's own splits, in steps of 1/64 log-odds

Steps are coarse, about a point each at 50 points to double the odds, so that a value says less of single
labels. The label holder rounds up or down at random, with the chance at which the expected value is the exact
one: over many trees the errors cancel out.

    contribution of a column = Σ P(the row reaches v) · (share of rows right · value   if it goes left
                                                         -share of rows left · value   if it goes right)

over the own splits v of the column, in all trees. `value` is what was told of v; shares are of the training
rows in v. Along the path to v the row goes its way at own splits, and both ways at those of others, by their
shares. So a party's contributions add up to

    E[log-odds | its columns of the row] - E[log-odds]

where an unknown column sends a row as it sent the training rows. Sources: Saabas 2014 (treeinterpreter), for
the steps along a path; Lundberg, Erion, Lee 2018 (Consistent individualized feature attribution for tree
ensembles), algorithm 1, for paths of which some columns are unknown.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from saferoom.arrays import F64, I64
from saferoom.channel.session import Session
from saferoom.errors import PeerError
from saferoom.models.boosting.model import LocalTree, LocalTrees, Sides, leaves_of
from saferoom.models.boosting.settings import WEIGHT_FRAC_BITS, BoostingSettings
from saferoom.models.boosting.sizes import most_joint_leaves

VALUE_FRAC_BITS = 6
"""Of values that are told."""
_COARSE = WEIGHT_FRAC_BITS - VALUE_FRAC_BITS  # 16 bits are drawn for each
_LARGEST = 1 << (7 + VALUE_FRAC_BITS)  # leaves lie within 64 log-odds, their differences within 128


def tell_values(s: Session, trees: LocalTrees, settings: BoostingSettings, label_holder: str) -> LocalTrees:
    """At every party its trees with the `values` of its own splits; all parties call it.

    Each is sent as many as there can be splits: those that are not needed are 0. Discloses "split_values" to
    each feature holder. The label holder keeps its own unrounded.
    Raises PeerError for values that cannot be, or of another number of splits.
    """
    if s.me != label_holder:
        told = _hear(s, label_holder, sum(len(tree.splits) for tree in trees.joint), _most(trees, settings))
        return _with_values(trees, told << _COARSE)
    found = [split_values(tree) for tree in trees.trees]
    for peer in s.peers:
        mine = [
            differences[node]
            for tree, differences in zip(trees.joint, found[trees.own :], strict=True)
            for node in tree.shape
            if tree.owners[node] == peer
        ]
        told = np.zeros(_most(trees, settings), dtype=np.int64)
        told[: len(mine)] = coarse(np.array(mine, dtype=np.int64))
        s.disclose("values", peer, told, kind="split_values")
    own = [found[n][node] for n, tree in enumerate(trees.trees) for node in sorted(tree.splits)]
    return _with_values(trees, np.array(own, dtype=np.int64))


def split_values(tree: LocalTree) -> dict[int, int]:
    """Of each node that splits: value(left) - value(right), in units of leaf weights."""
    values: dict[int, float] = {leaf: float(tree.weights[leaf]) for leaf in leaves_of(tree.shape)}
    for node in reversed(tree.shape):
        left, right = 2 * node + 1, 2 * node + 2
        total = values[left] * tree.covers[left] + values[right] * tree.covers[right]
        values[node] = total / tree.covers[node]
    return {node: round(values[2 * node + 1] - values[2 * node + 2]) for node in tree.shape}


def coarse(values: I64) -> I64:
    """Values (n,) in units of leaf weights -> in steps of 2**-VALUE_FRAC_BITS, at random up or down."""
    drawn = np.frombuffer(secrets.token_bytes(2 * len(values)), dtype=np.uint16)
    return np.asarray((values + drawn) >> _COARSE)


def _most(trees: LocalTrees, settings: BoostingSettings) -> int:
    """Splits of all joint trees at most."""
    return most_joint_leaves(trees, settings.max_depth, settings.least_rows) - len(trees.joint)


def _hear(s: Session, label_holder: str, count: int, most: int) -> I64:
    s.declare("values", s.me, (most,), kind="split_values")
    told = s.receive_one(label_holder, "values", (most,), np.int64)
    if ((told < -_LARGEST) | (told > _LARGEST)).any() or told[count:].any():
        raise PeerError("values that no split has", party=label_holder, step=s.step("values"))
    return told[:count]


def _with_values(trees: LocalTrees, flat: I64) -> LocalTrees:
    """Values of own splits, tree by tree and by rising node."""
    numbers = iter(flat.tolist())
    valued = [
        replace(tree, values={node: next(numbers) for node in sorted(tree.splits)}) for tree in trees.trees
    ]
    return replace(trees, trees=tuple(valued))


def contributions(trees: Iterable[tuple[LocalTree, Sides]], rows: int, columns: int) -> F64:
    """Log-odds (rows, columns) of own columns, of trees and which rows their own splits send left (rows,)."""
    total = np.zeros((rows, columns), order="F")
    for tree, sides in trees:
        _add(tree, sides, total)
    return total * 2.0**-WEIGHT_FRAC_BITS


def _add(tree: LocalTree, sides: Sides, total: F64) -> None:
    chances = {0: np.ones(len(total))}
    for node in tree.shape:
        left, right = 2 * node + 1, 2 * node + 2
        on_left = tree.covers[left] / tree.covers[node]
        chance = chances.pop(node)
        if node in tree.splits:
            step = np.where(sides[node], 1 - on_left, -on_left) * tree.values[node]
            total[:, tree.splits[node].column] += chance * step
            chances[left], chances[right] = chance * sides[node], chance * ~sides[node]
        else:
            chances[left], chances[right] = chance * on_left, chance * (1 - on_left)
