"""How good a model's probabilities are: figures, tables, and thinned curves for plotting.

Everywhere `y` (n,) is 0 or 1 with 1 = default, and `pd` (n,) the predicted probability of it, 0 to 1.
Both classes must occur. scikit-learn computes what it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

from saferoom.arrays import F64
from saferoom.errors import ShapeError, UsageError, VerificationError

_LOGIT_CLIP = 1e-12


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows of similar prediction: how many, what was predicted, what came."""

    rows: int
    mean_pd: float
    default_rate: float


@dataclass(frozen=True, slots=True)
class LiftBin:
    """A slice of the rows, riskiest first. `capture`: share of all defaults in this and riskier slices."""

    rows: int
    events: int
    default_rate: float
    lift: float
    capture: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Points to plot, thinned: x and y (points,), both 0 to 1."""

    x: F64
    y: F64


def metrics_summary(y: ArrayLike, pd: ArrayLike) -> dict[str, float]:
    """`auc, ks, gini, log_loss, brier`. Raises VerificationError if one class is missing."""
    labels, scores = checked(y, pd)
    auc = float(roc_auc_score(labels, scores))
    return {
        "auc": auc,
        "ks": ks(labels, scores),
        "gini": 2 * auc - 1,
        "log_loss": float(log_loss(labels, scores)),
        "brier": float(brier_score_loss(labels, scores)),
    }


def ks(y: ArrayLike, pd: ArrayLike) -> float:
    """Kolmogorov–Smirnov: the largest distance between the two classes' cumulative shares, 0 to 1."""
    false_positive, true_positive, _ = roc_curve(*checked(y, pd))
    return float(np.max(true_positive - false_positive))


def roc_points(y: ArrayLike, pd: ArrayLike, *, points: int = 200) -> Curve:
    """Receiver operating characteristic: x = share of goods caught, y = share of bads caught."""
    false_positive, true_positive, _ = roc_curve(*checked(y, pd))
    keep = _thin(len(false_positive), points)
    return Curve(false_positive[keep], true_positive[keep])


def ks_points(y: ArrayLike, pd: ArrayLike, *, points: int = 200) -> tuple[Curve, Curve]:
    """Cumulative shares of bads and of goods (y) over the share of rows, riskiest first (x)."""
    labels, scores = checked(y, pd)
    false_positive, true_positive, _ = roc_curve(labels, scores, drop_intermediate=False)
    keep = _thin(len(false_positive), points, always=int(np.argmax(true_positive - false_positive)))
    bad_share = labels.mean()
    rows = bad_share * true_positive[keep] + (1 - bad_share) * false_positive[keep]
    return Curve(rows, true_positive[keep]), Curve(rows, false_positive[keep])


def calibration_table(y: ArrayLike, pd: ArrayLike, *, bins: int = 10) -> tuple[CalibrationBin, ...]:
    """Bins of equal size, lowest predictions first."""
    labels, scores = checked(y, pd)
    order = np.argsort(scores, kind="stable")
    return tuple(
        CalibrationBin(len(rows), float(scores[rows].mean()), float(labels[rows].mean()))
        for rows in np.array_split(order, min(bins, len(order)))
    )


def calibration_line(y: ArrayLike, pd: ArrayLike) -> tuple[float, float] | None:
    """Intercept and slope of the true log odds over the predicted ones: (0, 1) is perfect.

    Source: Cox 1958. A slope below 1 says that predictions are too extreme (overfitting). With
    classes that the predictions part without error the slope is endless; what comes is a large number.
    None if all predictions are the same: any slope would do.
    """
    labels, scores = checked(y, pd)
    clipped = np.clip(scores, _LOGIT_CLIP, 1 - _LOGIT_CLIP)
    logits = np.log(clipped) - np.log1p(-clipped)
    if np.ptp(logits) == 0:
        return None
    fit = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(logits[:, None], labels)
    return float(fit.intercept_[0]), float(fit.coef_[0, 0])


def lift_table(y: ArrayLike, pd: ArrayLike, *, bins: int = 10) -> tuple[LiftBin, ...]:
    """Slices of equal size, riskiest first; `lift` is the slice's default rate over that of all rows."""
    labels, scores = checked(y, pd)
    order = np.argsort(-scores, kind="stable")
    table = []
    caught = 0
    for rows in np.array_split(order, min(bins, len(order))):
        events = int(labels[rows].sum())
        caught += events
        rate = events / len(rows)
        table.append(LiftBin(len(rows), events, rate, rate / labels.mean(), caught / labels.sum()))
    return tuple(table)


def _thin(size: int, points: int, *, always: int = 0) -> NDArray[np.int64]:
    evenly = np.linspace(0, size - 1, min(points, size)).round().astype(np.int64)
    return np.unique(np.append(evenly, always))


def checked(y: ArrayLike, pd: ArrayLike) -> tuple[NDArray[Any], F64]:
    labels = np.asarray(y)
    scores = np.asarray(pd, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise ShapeError(
            f"labels {labels.shape} and probabilities {scores.shape} must be vectors of one length"
        )
    if not np.all((scores >= 0) & (scores <= 1)):  # false for NaN too
        raise UsageError("a probability is missing or not between 0 and 1")
    if not np.all((labels == 0) | (labels == 1)):
        raise UsageError("a label is neither 0 nor 1")
    events = int(np.sum(labels))
    if events in {0, len(labels)}:
        raise VerificationError(
            f"all {len(labels)} labels are of one class, so that nothing can be measured",
            remedy="measure on rows that hold both defaults and good cases",
        )
    return labels.astype(np.int8), scores
