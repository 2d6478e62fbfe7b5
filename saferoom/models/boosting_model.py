"""What each party keeps of joint boosted trees: the shape of every tree, and its own splits.

The label holder keeps besides who owns each split, the weight of each leaf, and the margin of every row
before the first tree. Weights are in units of 2**-WEIGHT_FRAC_BITS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from saferoom.protocols.candidates import Split

Shape: TypeAlias = tuple[int, ...]
"""The nodes of a tree that are split, in rising order: the root is 0, the children of v are 2v+1 and 2v+2."""


def leaves_of(shape: Shape) -> tuple[int, ...]:
    """The leaves of a tree, in rising order."""
    if not shape:
        return (0,)
    below = {child for node in shape for child in (2 * node + 1, 2 * node + 2)}
    return tuple(sorted(below - set(shape)))


@dataclass(frozen=True, slots=True)
class LocalTree:
    """One tree as a party knows it. `owners` and `weights` at the label holder alone."""

    shape: Shape
    splits: Mapping[int, Split]
    owners: Mapping[int, str] = field(default_factory=dict)
    weights: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalTrees:
    """A party's part of the model. `base` at the label holder alone."""

    trees: tuple[LocalTree, ...]
    base: int | None = None
