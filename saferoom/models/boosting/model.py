"""What each party keeps of joint boosted trees, and what it allows by it: shapes, own splits, leaves reached.

    heap    root 0, children of v: 2v+1 (left), 2v+2 (right)
    shape   the numbers of the nodes that split, in order; leaves are the children that do not

The label holder keeps besides who owns each split, the weight of each leaf, and the margin of every row
before the first tree. Weights and values are in units of 2**-WEIGHT_FRAC_BITS. A split that another party
knows allows both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Mask
from saferoom.errors import ShapeError, UsageError
from saferoom.protocols.candidates import Split

Shape: TypeAlias = tuple[int, ...]
"""The nodes of a tree that are split, in rising order: the root is 0, the children of v are 2v+1 and 2v+2."""
Sides: TypeAlias = Mapping[int, Mask]
"""Of a party's own nodes: which rows go left, (rows,)."""


@dataclass(frozen=True, slots=True)
class LocalTree:
    """One tree as a party knows it, by node. `covers`: training rows; `splits`: of own columns.

    At the label holder alone: `owners` and `gains` of all splits, and `weights` of leaves. `values` of own
    splits, if reason codes are to be given: how the mean weights of the leaves left and right differ.
    """

    shape: Shape
    covers: Mapping[int, int]
    splits: Mapping[int, Split]
    owners: Mapping[int, str] = field(default_factory=dict)
    gains: Mapping[int, float] = field(default_factory=dict)
    weights: Mapping[int, int] = field(default_factory=dict)
    values: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalTrees:
    """A party's part of the model.

    Of the first `own` trees, grown on the label holder's columns alone, the others know nothing. `base` is
    the margin before the first tree, at the label holder alone.
    """

    trees: tuple[LocalTree, ...]
    own: int = 0
    base: int | None = None

    @property
    def joint(self) -> tuple[LocalTree, ...]:
        """The trees that all parties grew together."""
        return self.trees[self.own :]


def leaves_of(shape: Shape) -> tuple[int, ...]:
    """The numbers of a tree's leaves, in order; the root if nothing splits.

    Raises UsageError if the numbers are not in order, or a node's parent does not split.
    """
    nodes = set(shape)
    ordered = all(low < high for low, high in pairwise((-1, *shape)))
    if not ordered or any(node > 0 and (node - 1) // 2 not in nodes for node in shape):
        raise UsageError("the nodes of a tree are numbered in order, each under one that splits")
    below = [child for node in shape for child in (2 * node + 1, 2 * node + 2)]
    return tuple(child for child in below or [0] if child not in nodes)


def reached_leaves(shape: Shape, sides: Sides, rows: int) -> NDArray[np.bool_]:
    """The leaves to which a party's own splits let each row go.

    Shapes: sides: of its own nodes (rows,) bool, "goes left" -> (rows, leaves) bool, leaves in the order of
    `leaves_of`. Without sides every leaf is allowed.
    Raises: UsageError (not the shape of a tree), ShapeError (sides of other nodes, or of other rows).
    """
    leaves = leaves_of(shape)
    if not sides.keys() <= set(shape):
        raise ShapeError("sides are given of nodes that do not split")
    if any(left.shape != (rows,) or left.dtype != np.bool_ for left in sides.values()):
        raise ShapeError(f"sides are {rows} bits a node, one a row")
    allowed: dict[int, NDArray[np.bool_]] = {0: np.ones(rows, dtype=bool)}
    for node in shape:
        before = allowed.pop(node)
        left = sides.get(node)
        allowed[2 * node + 1] = before if left is None else before & left
        allowed[2 * node + 2] = before if left is None else before > left  # and not left
    return np.stack([allowed[leaf] for leaf in leaves], axis=1)
