"""What each party keeps of joint boosted trees: the shape of every tree, and its own splits.

The label holder keeps besides who owns each split, the weight of each leaf, and the margin of every row
before the first tree. Weights and values are in units of 2**-WEIGHT_FRAC_BITS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from saferoom.protocols.candidates import Split

Shape: TypeAlias = tuple[int, ...]
"""The nodes of a tree that are split, in rising order: the root is 0, the children of v are 2v+1 and 2v+2."""


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
