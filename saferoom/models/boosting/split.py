"""Which of many candidate splits of a node is best: XGBoost's gain, on exact sums of fixed-point integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64
from saferoom.models.boosting.settings import FRAC_BITS, LEAST_GAIN, WEIGHT_FRAC_BITS, BoostingSettings
from saferoom.protocols.bins import BinnedFeature

_UNIT = 2.0**-FRAC_BITS
_WEIGHT_UNIT = 2.0**WEIGHT_FRAC_BITS
_LARGEST_LEAF = 2.0**28
"""In units of leaf weights: 64 log-odds."""


@dataclass(frozen=True, slots=True)
class Best:
    """The highest gain, and the places of all candidates that reach it; none if no split is good enough."""

    gain: float
    tied: tuple[int, ...]


NO_SPLIT = Best(0.0, ())


def by_bin(features: Sequence[BinnedFeature], rows: NDArray[np.int32], sums: I64) -> list[I64]:
    """Of each column the sums of those of `rows` in each bin, (bins, 3); `sums` are those of every row.

    Exact: NumPy adds up as floats, and every sum is below 2**53.
    """
    fields = [np.take(field, rows).astype(np.float64) for field in sums.T]
    found = []
    for feature in features:
        bins = feature.bins[rows]
        columns = [np.bincount(bins, weights=field, minlength=feature.count) for field in fields]
        found.append(np.stack(columns, axis=1).astype(np.int64))
    return found


def best_of(left: I64, kept: NDArray[np.bool_], node: I64, settings: BoostingSettings) -> Best:
    """Of candidates whose left sides sum to `left` (candidates, 3), in a node with the sums `node` (3,).

    Source: Chen, Guestrin 2016, equation 7, without the factor 1/2, as XGBoost compares it with gamma.
    """
    if not kept.any():
        return NO_SPLIT
    right = node - left
    least_weight = max(settings.min_child_weight, _UNIT)
    possible = kept & (np.minimum(left[:, 1], right[:, 1]) * _UNIT >= least_weight)
    if settings.min_leaf_events:
        possible &= np.minimum(left[:, 2], right[:, 2]) >= settings.min_leaf_events
    places = np.flatnonzero(possible)
    if not len(places):
        return NO_SPLIT
    gains = _gain(left[places], settings) + _gain(right[places], settings) - _gain(node, settings)
    most = float(gains.max())
    if most <= LEAST_GAIN or most < settings.gamma:
        return NO_SPLIT
    return Best(most, tuple(places[gains == most].tolist()))


def leaf_weight(node: I64, settings: BoostingSettings) -> int:
    """The step that a leaf with the sums `node` (3,) takes, shrunk, in units of 2**-WEIGHT_FRAC_BITS."""
    gradients, hessians = float(node[0]) * _UNIT, float(node[1]) * _UNIT
    step = -gradients / (hessians + settings.reg_lambda) * settings.learning_rate
    return round(float(np.clip(step * _WEIGHT_UNIT, -_LARGEST_LEAF, _LARGEST_LEAF)))


def _gain(sums: I64, settings: BoostingSettings) -> F64:
    gradients, hessians = sums[..., 0] * _UNIT, sums[..., 1] * _UNIT
    return np.asarray(gradients * gradients / (hessians + settings.reg_lambda))
