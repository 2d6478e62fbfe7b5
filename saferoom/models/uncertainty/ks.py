"""Intervals of KS, and of joint minus alone, by resampling.

Rows are put into groups by score, and counts by group and class are drawn anew, 400 times, from a fixed
seed: the same rows always give the same interval. KS of a sample is a little too large, because its cut is
the best of many. The draws tell about half of how much: the interval is moved by that, and made wider by as
much again. With a few hundred defaults it holds the true KS in about 92 of 100 samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from saferoom.arrays import F64, I64
from saferoom.models.metrics import checked, ks
from saferoom.models.uncertainty.estimate import Difference, Estimate, Z, smaller_class

METHOD = "bootstrap"
DRAWS, SEED = 400, 20_240_101
GROUPS, PAIRED_GROUPS = 1000, 100


def ks_estimate(y: ArrayLike, score: ArrayLike) -> Estimate:
    """Of a score (n,), where more means riskier. Raises as `metrics.checked`."""
    labels, scores = checked(y, score)
    places, size = _places(scores, GROUPS)
    bads, goods = (np.bincount(places[labels == one], minlength=size) for one in (1, 0))
    return _estimate(ks(labels, scores), bads, goods)


def ks_estimate_of_counts(rows: ArrayLike, events: ArrayLike) -> Estimate:
    """Of counts (g,) by grade, best first: KS at the cuts between grades."""
    bads = np.asarray(events)
    goods = np.asarray(rows) - bads
    return _estimate(_ks(bads[None], goods[None])[0], bads, goods)


def ks_difference(y: ArrayLike, joint: ArrayLike, alone: ArrayLike) -> Difference:
    """KS of the joint score minus KS of the label holder's own, on the same rows (n,)."""
    labels, scores = checked(y, joint)
    _, own = checked(y, alone)
    (first, size), (second, columns) = _places(scores, PAIRED_GROUPS), _places(own, PAIRED_GROUPS)
    pairs = [
        np.bincount(first[labels == one] * columns + second[labels == one], minlength=size * columns)
        for one in (1, 0)
    ]
    drawn = [_draw(one, place).reshape(DRAWS, size, columns) for place, one in enumerate(pairs)]
    moved = _ks(*(one.sum(axis=2) for one in drawn)) - _ks(*(one.sum(axis=1) for one in drawn))
    counted = [one.reshape(1, size, columns) for one in pairs]
    grouped = _ks(*(one.sum(axis=2) for one in counted)) - _ks(*(one.sum(axis=1) for one in counted))
    value = ks(labels, scores) - ks(labels, own)
    shift = float(moved.mean() - grouped[0])
    found = Difference.of(value - shift, float(moved.var()), smaller_class(labels), METHOD)
    return Difference(value, found.low, found.high, found.p_value, METHOD)


def _estimate(value: float, bads: I64, goods: I64) -> Estimate:
    """Of a value, and counts (g,) by group of score, lowest first."""
    drawn = _ks(_draw(bads, 0), _draw(goods, 1))
    too_large = drawn.mean() - _ks(bads[None], goods[None])[0]
    centre, spread = value - too_large, Z * np.hypot(drawn.std(), too_large)
    low, high = max(centre - spread, 0.0), min(centre + spread, 1.0)
    low = min(low, max(value - _unseen_below(bads, goods), 0.0))
    return Estimate(float(value), float(min(low, value)), float(max(high, value)), METHOD)


def _unseen_below(bads: I64, goods: I64) -> float:
    """How much smaller the difference of two shares at the best cut may be: Newcombe (1998), method 10.

    Where few rows stand on the wrong side of the cut, draws of these same rows vary too little.
    """
    caught = [one.sum() - one.cumsum() for one in (bads, goods)]
    best = int(np.argmax(caught[0] / bads.sum() - caught[1] / goods.sum()))
    of_bads, of_goods = (
        binomtest(int(count[best]), int(one.sum())) for count, one in zip(caught, (bads, goods), strict=True)
    )
    low, high = of_bads.proportion_ci(method="wilson").low, of_goods.proportion_ci(method="wilson").high
    return float(np.hypot(of_bads.statistic - low, high - of_goods.statistic))


def _places(score: F64, groups: int) -> tuple[I64, int]:
    """The group of each row, lowest score first, and how many groups there are."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, groups + 1)[1:-1]))
    return np.searchsorted(edges, score, side="left").astype(np.int64), len(edges) + 1


def _draw(counts: I64, stream: int) -> NDArray[np.int64]:
    """Counts (g,) of one class, drawn anew: (DRAWS, g)."""
    rng = np.random.default_rng((SEED, stream))
    filled = np.flatnonzero(counts)
    drawn = np.zeros((DRAWS, len(counts)), dtype=np.int64)
    drawn[:, filled] = rng.multinomial(counts.sum(), counts[filled] / counts.sum(), DRAWS)
    return drawn


def _ks(bads: NDArray[np.int64], goods: NDArray[np.int64]) -> F64:
    """Of counts (draws, g), lowest risk first: (draws,)."""
    below = [one.cumsum(axis=1) / one.sum(axis=1, keepdims=True) for one in (goods, bads)]
    return np.asarray(np.maximum((below[0] - below[1]).max(axis=1), 0.0))
