"""From labels and scores to the parts of a report that are computed from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from saferoom.errors import ShapeError
from saferoom.models import metrics
from saferoom.report.content import Distribution, Grading, HeldOutFigures
from saferoom.scoring.grade_table import grade_table
from saferoom.scoring.grades import GradeScheme


def evaluation_of(y: ArrayLike, pd: ArrayLike, alone_pd: ArrayLike | None = None) -> HeldOutFigures:
    """Curves and tables of the joint `pd` (n,) and the label holder's own `alone_pd` (n,) on the same rows.

    Raises VerificationError if the labels `y` (n,) are of one class.
    """
    bads, goods = metrics.ks_points(y, pd)
    return HeldOutFigures(
        roc=metrics.roc_points(y, pd),
        ks_bads=bads,
        ks_goods=goods,
        ks=metrics.ks(y, pd),
        lift=metrics.lift_table(y, pd),
        calibration=metrics.calibration_table(y, pd),
        calibration_line=metrics.calibration_line(y, pd),
        alone_roc=None if alone_pd is None else metrics.roc_points(y, alone_pd),
    )


def distribution_of(points: ArrayLike, y: ArrayLike, *, bins: int = 24) -> Distribution:
    """Histogram of points (n,) by class; the outer 0.5 % of each class are counted in the outer bins."""
    values, labels = np.asarray(points, dtype=np.float64), np.asarray(y)
    if values.ndim != 1 or values.shape != labels.shape or not len(values):
        raise ShapeError("points and labels must be vectors of one length, not empty")
    classes = (values[labels == 0], values[labels == 1])
    ends = np.array([np.quantile(mine, [0.005, 0.995]) for mine in classes if len(mine)])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    edges = np.linspace(low, max(high, low + 1), bins + 1)
    shares = []
    for mine in classes:
        counts, _ = np.histogram(np.clip(mine, edges[0], edges[-1]), edges)
        shares.append(tuple((counts / max(len(mine), 1)).tolist()))
    return Distribution(tuple(edges.tolist()), *shares)


def grading_of(
    scheme: GradeScheme,
    grades: ArrayLike,
    pd: ArrayLike | None,
    y: ArrayLike | None = None,
    *,
    rows_of: str = "test",
) -> Grading:
    """The grade table of places in `scheme.names` (n,), with default rates where labels are given."""
    return Grading(scheme, grade_table(scheme.names, grades, pd, y), rows_of)
