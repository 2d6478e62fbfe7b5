"""Each party's own columns, turned so that they are uncorrelated and of one size: Z = (X - mean)·T.

T = M^(-½) of M = (¼·XᵀX + l2·I)/n of the centred columns. ¼ is the logistic loss's largest curvature, so
¼·ZᵀZ/n + penalty = I for this block: M is positive definite even for repeated or constant columns, and the
penalty has eigenvalues in [0, 1]. Centring costs nothing, as the intercept is not penalised; it keeps one-hot
groups apart from the constant one. Weights u of Z are mapped back by the owner: w = T·u.

Where l2 is zero, or next to it, columns that repeat each other leave directions in which M is nothing. T is
zero along them, so that of all coefficients that fit alike the owner gets the smallest; the penalty is one.

A Hessian is made from a public random sample of the rows, where a rare category may be twice as frequent as
in all rows, or missing. In both cases a step would overshoot. The party sees this in its own block, and mends
it: T is shrunk along directions that the sample overstates, and a *lift* is added to the Hessian's own block
along those that it understates. All this is local and in the clear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from saferoom.arrays import F64
from saferoom.errors import UsageError

MOST_CURVATURE = 1.5
LEAST_SHARE = 0.85  # of a direction's curvature in all rows that a sample with its lift shows
_FLOOR = 1e-7  # of the mean curvature: a direction with less is none
_CHUNK = 1 << 13


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Whitening:
    """Fitted on one party's training rows.

    mean (c,): of the columns. turn (c, w): T. penalty (w, w): l2·TᵀT/n. lifts: (w, w) for each sample, by its
    number of rows. With `intercept`, the last column is constant (2.0 after turning): c columns in, w = c + 1
    out; otherwise w = c.
    """

    mean: F64
    turn: F64
    penalty: F64
    intercept: bool
    lifts: Mapping[int, F64] = field(default_factory=dict)

    def ridge(self, rows: int) -> F64:
        """(w, w), to be added to the mean curvature of the sample of so many rows: penalty and lift."""
        return self.penalty + self.lifts.get(rows, 0.0)

    @property
    def width(self) -> int:
        return len(self.penalty)

    def apply(self, features: F64) -> F64:
        """(r, c) -> (r, w)."""
        columns = self.turn.shape[1]
        out = np.full((len(features), self.width), 2.0)
        np.matmul(features, self.turn, out=out[:, :columns])
        out[:, :columns] -= self.mean @ self.turn
        return out

    def coefficients(self, weights: F64) -> F64:
        """Weights (w,) of the turned columns -> coefficients (c,) of the original ones."""
        return np.asarray(self.turn @ weights[: self.turn.shape[1]])


def fit_whitening(
    features: F64,
    l2: float,
    *,
    intercept: bool,
    samples: Sequence[F64] = (),
    most: tuple[float, int] | None = None,
) -> Whitening:
    """Fit on (n, c) features. Raises UsageError if they are not finite.

    samples: subsets of the rows. T is shrunk along those directions in which a sample is far from typical (a
    category that is rare in all rows but not in the sample), so that the curvature, lift included, stays
    below MOST_CURVATURE on each of them.
    most: (sum, rows). T's columns are halved until no block of so many rows of |Z| adds up to more than that.
    """
    rows = len(features)
    mean = features.mean(axis=0) if features.shape[1] else np.zeros(0)
    gram = _gram(features, mean) / rows
    grams = {len(sample): _gram(sample, mean) / len(sample) for sample in samples}
    turn = _turn(gram, rows, l2)
    ridge = l2 / rows * np.eye(len(turn))
    for sample in grams.values():
        turn = _contracted(turn, sample + ridge)
    if most is not None:
        turn = turn * _halvings(features, mean, turn, *most)
    lifts = {size: _lift(turn, gram, sample, ridge) for size, sample in grams.items()}
    border = (0, 1) if intercept else (0, 0)
    return Whitening(
        mean,
        turn,
        np.pad(turn.T @ ridge @ turn + _nothing(turn), border),
        intercept,
        {size: np.pad(lift, border) for size, lift in lifts.items()},
    )


def _gram(features: F64, mean: F64) -> F64:
    """A quarter of the centred cross-products."""
    gram = np.zeros((features.shape[1], features.shape[1]))
    for start in range(0, len(features), _CHUNK):
        centred = features[start : start + _CHUNK] - mean
        gram += centred.T @ centred / 4
    if not np.all(np.isfinite(gram)):
        raise UsageError(
            "a feature is missing, infinite or too large",
            remedy="impute and winsorise the columns before training",
        )
    return gram


def _turn(curvature: F64, rows: int, l2: float) -> F64:
    size = len(curvature)
    if not size:
        return np.zeros((0, 0))
    sizes, axes = np.linalg.eigh(curvature + l2 / rows * np.eye(size))
    least = _FLOOR * max(float(np.trace(curvature)) / size, 1e-9)
    shrunk = np.where(sizes > least, 1 / np.sqrt(np.maximum(sizes, least)), 0.0)
    return np.asarray((axes * shrunk) @ axes.T)


def _nothing(turn: F64) -> F64:
    """The projector onto what the turn maps to zero."""
    if not len(turn):
        return turn
    _, sizes, axes = np.linalg.svd(turn)
    none = axes[sizes <= 1e-9 * sizes[0]]
    return np.asarray(none.T @ none)


def _contracted(turn: F64, curvature: F64) -> F64:
    if not len(turn):
        return turn
    sizes, axes = np.linalg.eigh(turn.T @ curvature @ turn)
    shrink = np.sqrt(MOST_CURVATURE / np.maximum(sizes, MOST_CURVATURE))
    return np.asarray(turn @ (axes * shrink) @ axes.T)


def _lift(turn: F64, gram: F64, sample: F64, ridge: F64) -> F64:
    """The positive part of LEAST_SHARE·(curvature in all rows) - (in the sample), within MOST_CURVATURE."""
    if not len(turn):
        return turn
    lacking = turn.T @ (LEAST_SHARE * gram - sample) @ turn
    sizes, axes = np.linalg.eigh(lacking)
    lift = (axes * np.maximum(sizes, 0.0)) @ axes.T
    bare = turn.T @ (sample + ridge) @ turn
    before, after = np.linalg.eigvalsh(bare)[-1], np.linalg.eigvalsh(bare + lift)[-1]
    if after > MOST_CURVATURE:  # convex in the lift: this share of it keeps the bound
        lift *= max(0.0, MOST_CURVATURE - before) / max(after - before, 1e-12)
    return np.asarray(lift)


def _halvings(features: F64, mean: F64, turn: F64, most: float, block_rows: int) -> F64:
    """Powers of two, one a column.

    By Cauchy-Schwarz most columns are seen to be small enough without their sums.
    """
    offset, largest = mean @ turn, np.full(turn.shape[1], most)
    for start in range(0, len(features), _CHUNK):  # a multiple of block_rows
        turned = features[start : start + _CHUNK] @ turn - offset
        starts = np.arange(0, len(turned), block_rows)
        bound = np.sqrt(block_rows * np.add.reduceat(turned * turned, starts, axis=0).max(axis=0))
        unsure = bound > most
        if unsure.any():
            sums = np.add.reduceat(np.abs(turned[:, unsure]), starts, axis=0).max(axis=0)
            largest[unsure] = np.maximum(largest[unsure], sums)
    return np.asarray(2.0 ** -np.ceil(np.log2(largest / most)))
