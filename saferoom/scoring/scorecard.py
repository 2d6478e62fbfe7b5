"""Points of a scorecard: what each bin of each feature adds to an enterprise's total.

    points of a bin   = −factor · coefficient · woe                     rounded
    base points       = offset − factor · intercept                     rounded; at the label holder
    total             = base + Σ points  =  offset − factor · logit     within half a point a feature, and
    one half

`factor` and `offset` are those of the `PointScale`, which the contract names. A party's table holds its own
features alone; only the total of all parties' points says anything about the enterprise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.scoring.points import PointScale

Points = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PointsTable:
    """One party's table.

    For each feature the points of its bins (b,), and the base points, 0 but at one party.
    """

    features: tuple[Points, ...]
    base: int = 0

    @classmethod
    def of(cls, woe: Sequence[F64], coefficients: F64, intercept: float | None, scale: PointScale) -> Self:
        """From the WOE of each feature's bins, its coefficient, and at the label holder the intercept."""
        pairs = zip(woe, coefficients.tolist(), strict=True)
        features = tuple(bin_points(each, coefficient, scale) for each, coefficient in pairs)
        return cls(features, 0 if intercept is None else base_points(intercept, scale))

    def part(self, codes: NDArray[np.int64]) -> Points:
        """This party's points of each row, from the bins of its features: (n, d) -> (n,)."""
        total = np.full(len(codes), self.base, dtype=np.int64)
        for place, each in enumerate(self.features):
            total += each[codes[:, place]]
        return total

    def lost(self, codes: NDArray[np.int64]) -> Points:
        """What each feature costs each row beside the feature's best bin: (n, d) -> (n, d), >= 0."""
        lost = np.empty(codes.shape, dtype=np.int64, order="F")
        for place, each in enumerate(self.features):
            lost[:, place] = each.max() - each[codes[:, place]]
        return lost


def bin_points(woe: F64, coefficient: float, scale: PointScale) -> Points:
    """Points of each bin of one feature: (b,) -> (b,)."""
    return np.rint(-scale.factor * coefficient * woe).astype(np.int64)


def base_points(intercept: float, scale: PointScale) -> int:
    """What every enterprise starts from."""
    return round(scale.offset - scale.factor * intercept)


def largest_rounding(features: int) -> float:
    """How far a total can be from its unrounded value: half a point for each feature and for the base."""
    return (features + 1) / 2
