"""What the label holder computes for each tree: gradients, which rows count, and when to stop.

Gradients are in fixed point. Boosting stops once the log loss of rows that no tree was grown on rises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from saferoom.arrays import F64, I64, Mask
from saferoom.models.boosting.settings import FRAC_BITS, WEIGHT_FRAC_BITS, BoostingSettings
from saferoom.ring.public import public_order, public_share

_UNITS = 2.0**FRAC_BITS


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sample:
    """The rows a tree is grown on. summed (rows,); sums (rows, 3): gradient, hessian, event, 0 elsewhere."""

    summed: Mask
    sums: I64


def probabilities(margins: I64) -> F64:
    """Of default, of margins in units of 2**-WEIGHT_FRAC_BITS."""
    return np.asarray(1.0 / (1.0 + np.exp(-margins * 2.0**-WEIGHT_FRAC_BITS)))


def row_weights(y: F64, weights: F64 | None, settings: BoostingSettings) -> F64:
    """What each row counts: its own weight, times `scale_pos_weight` if it is an event."""
    own = np.ones(len(y)) if weights is None else weights
    return np.asarray(own * np.where(y == 1, settings.scale_pos_weight, 1.0))


def base_margin(y: F64, weights: F64) -> int:
    """The log-odds that every row starts with, those of all rows together, in units of leaf weights."""
    rate = float(np.sum(weights * y) / np.sum(weights))
    return round(math.log(rate / (1 - rate)) * (1 << WEIGHT_FRAC_BITS))


def validation_rows(rows: int, settings: BoostingSettings) -> Mask:
    """Training rows that trees are not grown on, but judged by: (rows,)."""
    chosen = np.zeros(rows, dtype=bool)
    count = max(round(rows * settings.validation_share), 1) if settings.validation_share else 0
    chosen[public_order(f"saferoom validation {settings.seed}", rows)[:count]] = True
    return chosen


def sample(tree: int, margins: I64, y: F64, weights: F64, usable: Mask, settings: BoostingSettings) -> Sample:
    """Gradients and hessians of the rows that tree number `tree` is grown on, out of the usable ones."""
    chances = probabilities(margins)
    gradients, hessians = weights * (chances - y), weights * chances * (1 - chances)
    summed, factors = _share(tree, usable, settings), np.ones(len(y))
    if settings.top_rate is not None and settings.other_rate is not None:
        order = public_order(_name(tree, settings), len(y))
        summed, factors = _by_gradient(gradients, usable, order, settings.top_rate, settings.other_rate)
    sums = np.zeros((len(y), 3), dtype=np.int64)
    sums[:, 0] = np.rint(gradients * factors * _UNITS)
    sums[:, 1] = np.maximum(np.rint(hessians * factors * _UNITS), 1)
    sums[:, 2] = y
    sums[~summed] = 0
    return Sample(summed, sums)


def is_as_agreed(tree: int, summed: Mask, usable: Mask, settings: BoostingSettings) -> bool:
    """Whether tree number `tree` may be grown on the rows `summed`: those that all draw from the usable ones.

    Of rows that are chosen by gradient, only how many they are, and that none is a validation row.
    """
    if settings.top_rate is None or settings.other_rate is None:
        return np.array_equal(summed, _share(tree, usable, settings))
    rows = int(usable.sum())
    top, other = round(settings.top_rate * rows), round(settings.other_rate * rows)
    return not (summed & ~usable).any() and int(summed.sum()) == top + min(other, rows - top)


def _share(tree: int, usable: Mask, settings: BoostingSettings) -> Mask:
    """The usable rows, or the share of them that the public seed draws for a tree."""
    if settings.subsample >= 1:
        return usable.copy()
    return usable & public_share(_name(tree, settings), len(usable), settings.subsample)


def _name(tree: int, settings: BoostingSettings) -> str:
    return f"saferoom rows {settings.seed} {tree}"


def _by_gradient(gradients: F64, usable: Mask, drawn: I64, top: float, other: float) -> tuple[Mask, F64]:
    """Gradient-based one-side sampling; `drawn` (rows,) is the order in which the others are drawn.

    Source: Ke et al. 2017 (LightGBM), algorithm 2.
    """
    places = np.flatnonzero(usable)
    order = places[np.argsort(-np.abs(gradients[places]), kind="stable")]
    most = round(top * len(places))
    summed, factors = np.zeros(len(usable), dtype=bool), np.ones(len(usable))
    summed[order[:most]] = True
    rest = drawn[(usable & ~summed)[drawn]][: round(other * len(places))]
    summed[rest] = True
    factors[rest] = (1 - top) / other
    return summed, factors


class EarlyStop:
    """y, weights (rows,) of the validation rows; `losses` after the trees that are there already."""

    def __init__(
        self, settings: BoostingSettings, y: F64, weights: F64, losses: tuple[float, ...] = ()
    ) -> None:
        self._rounds = settings.early_stopping_rounds
        self._y, self._weights = y, weights
        self.losses = losses

    @property
    def now(self) -> bool:
        """Whether the last rounds brought nothing."""
        if self._rounds is None or not self.losses:
            return False
        return len(self.losses) > self._best() + self._rounds

    def after(self, chances: F64) -> None:
        """Told the probabilities (rows,) after one more tree."""
        if self._rounds is None:
            return
        # Bounded away from 0 and 1, where the logarithm would not be finite.
        chances = np.clip(chances, 1e-15, 1 - 1e-15)
        losses = -np.where(self._y == 1, np.log(chances), np.log(1 - chances))
        self.losses = (*self.losses, float(np.average(losses, weights=self._weights)))

    def best(self, trees: int) -> int:
        """How many of the first `trees` trees to keep: up to the one with the least loss."""
        return trees if self._rounds is None else self._best() + 1

    def _best(self) -> int:
        """Place of the least loss."""
        return int(np.argmin(self.losses))
