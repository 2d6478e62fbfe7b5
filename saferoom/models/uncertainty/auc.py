"""Intervals of the AUC, and whether the joint one differs from that of the label holder alone.

From scores: the variance of DeLong, DeLong and Clarke-Pearson (1988), by midranks (Sun and Xu 2014): n log n.
From the AUC alone, where nobody knows the scores: the variance of Hanley and McNeil (1982), an approximation.
Intervals are made on the logit of the AUC and turned back, so that they stay between 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata

from saferoom.arrays import F64
from saferoom.models.metrics import checked
from saferoom.models.uncertainty.estimate import Difference, Estimate, Z, smaller_class, unseen


@dataclass(frozen=True, slots=True, eq=False)
class DeLong:
    """AUCs (k,) of k scores on the same rows, and their covariance (k, k)."""

    aucs: F64
    covariance: NDArray[np.float64]


def delong(y: ArrayLike, *scores: ArrayLike) -> DeLong:
    """Of scores (n,) each, where more means riskier. Raises as `metrics.checked`."""
    pairs = [checked(y, score) for score in scores]
    bad = pairs[0][0] == 1
    placed = [_placements(score[bad], score[~bad]) for _, score in pairs]
    of_bads, of_goods = (np.array([pair[which] for pair in placed]) for which in (0, 1))
    return DeLong(of_bads.mean(axis=1), _covariance(of_bads) + _covariance(of_goods))


def auc_estimate(y: ArrayLike, score: ArrayLike) -> Estimate:
    """The AUC of one score, with DeLong's interval."""
    found = delong(y, score)
    return _estimate(float(found.aucs[0]), float(found.covariance[0, 0]), smaller_class(y), "delong")


def auc_difference(y: ArrayLike, joint: ArrayLike, alone: ArrayLike) -> Difference:
    """DeLong's test of two correlated AUCs, joint minus alone."""
    found = delong(y, joint, alone)
    contrast = np.array([1.0, -1.0])
    value, variance = contrast @ found.aucs, contrast @ found.covariance @ contrast
    return Difference.of(float(value), float(variance), smaller_class(y), "delong")


def auc_estimate_of_counts(auc: float, events: int, goods: int) -> Estimate:
    """The interval of an AUC that was worked out without scores."""
    variance = hanley_mcneil(auc, events, goods)
    return _estimate(auc, variance, min(events, goods), "hanley_mcneil")


def auc_difference_of_counts(auc: float, y: ArrayLike, alone: ArrayLike) -> Difference:
    """Joint minus alone, where of the joint scores the AUC alone is known.

    How both go together is not known: they are taken for independent, which makes the interval too wide.
    """
    found = delong(y, alone)
    events = int(np.sum(y))
    variance = hanley_mcneil(auc, events, len(np.asarray(y)) - events) + float(found.covariance[0, 0])
    return Difference.of(auc - float(found.aucs[0]), variance, smaller_class(y), "independent")


def hanley_mcneil(auc: float, events: int, goods: int) -> float:
    """The variance of an AUC, with exponential scores in both classes."""
    both_bad, both_good = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (events - 1) * (both_bad - auc**2) + (goods - 1) * (both_good - auc**2)
    return max(spread, 0.0) / (events * goods)


def _estimate(auc: float, variance: float, smaller: int, method: str) -> Estimate:
    """`smaller`: how many rows the smaller class has."""
    if auc in {0.0, 1.0}:  # no error was seen; the rule of Wilson for none among the smaller class
        edge = unseen(smaller)
        return Estimate(auc, *((0.0, edge) if auc == 0 else (1 - edge, 1.0)), method)
    reach = Z * math.sqrt(variance) / (auc * (1 - auc))
    return Estimate(auc, float(expit(logit(auc) - reach)), float(expit(logit(auc) + reach)), method)


def _placements(bads: F64, goods: F64) -> tuple[F64, F64]:
    """Of each bad the share of goods below it, of each good the share of bads above it; ties count half."""
    ranks = rankdata(np.concatenate([bads, goods]))
    of_bads = (ranks[: len(bads)] - rankdata(bads)) / len(goods)
    of_goods = 1 - (ranks[len(bads) :] - rankdata(goods)) / len(bads)
    return of_bads, of_goods


def _covariance(placements: F64) -> NDArray[np.float64]:
    """Of the means of placements (k, n): (k, k). A single row shows no spread: the widest is taken."""
    count = placements.shape[1]
    if count < 2:
        return np.eye(len(placements)) * 0.25
    return np.asarray(np.atleast_2d(np.cov(placements)) / count)
