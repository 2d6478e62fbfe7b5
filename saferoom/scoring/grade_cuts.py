"""A grade scheme's cuts in whole units of what parties compare on shares: credit; the more, the better.

    of a regression   −log-odds of default, in units of 2**-18
    of a scorecard    points

A grade's place in the scheme, 0 = best, is the number of thresholds that the credit lies below. What lies on
a cut has the better grade, as in `GradeScheme.assign`; where several parties round, up to half a unit each.
"""

from __future__ import annotations

import math

import numpy as np

from saferoom.arrays import F64, I64
from saferoom.errors import ConfigError, UsageError
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import PointScale, logit_from_pd, pd_from_logit

CREDIT_FRAC_BITS = 18
MOST_CREDIT = 2**28 - 1
"""In units: a credit and a threshold are less than 2**29 apart, so that 30 bits tell which is larger."""


GRID_STEPS = 8
GRID_LOGITS = np.arange(-63, 64) / GRID_STEPS
"""Log-odds, an eighth apart: enterprises of one step are taken for equally risky when an AUC is computed."""


def credit_of_logits(logits: F64) -> I64:
    """Parts of log-odds (n,) as parts of credit (n,), each rounded to a unit. Raises UsageError."""
    units = np.rint(-logits * 2.0**CREDIT_FRAC_BITS)
    if not np.all(np.abs(units) <= MOST_CREDIT):  # false for NaN too
        raise UsageError(
            f"a part of the score is missing, or beyond ±{MOST_CREDIT >> CREDIT_FRAC_BITS} log-odds",
            remedy="check the model's columns",
        )
    return units.astype(np.int64)


def logit_thresholds(scheme: GradeScheme, scale: PointScale) -> list[int]:
    """Of credit in log-odds. `scale` turns cuts on points into log-odds. Raises ConfigError."""
    _check_resolved(scheme)
    if scheme.by == "pd":
        worst = [float(logit_from_pd(cut)) for cut in scheme.cuts]
    else:  # whole points are rounded: half a point below the cut still has the better grade
        worst = [float(scale.logit(cut - 0.5)) for cut in scheme.cuts]
    return [_within(round(-logit * 2**CREDIT_FRAC_BITS)) for logit in worst]


def point_thresholds(scheme: GradeScheme, scale: PointScale) -> list[int]:
    """Of credit in points. `scale` turns cuts on probabilities into points. Raises ConfigError."""
    _check_resolved(scheme)
    if scheme.by == "points":
        return [_within(math.ceil(cut)) for cut in scheme.cuts]
    return [_within(_fewest_points(cut, scale)) for cut in scheme.cuts]


def logit_grid() -> list[int]:
    """`GRID_LOGITS` as credit in log-odds, rising."""
    return [int(cut) for cut in np.sort(credit_of_logits(GRID_LOGITS))]


def point_grid(scale: PointScale) -> list[int]:
    """`GRID_LOGITS` as points, rising; fewer where the scale is coarser."""
    return [int(cut) for cut in np.unique(scale.points(GRID_LOGITS))]


def _fewest_points(pd: float, scale: PointScale) -> int:
    """The fewest whole points whose probability of default is at most this, as `GradeScheme.assign` does."""
    near = round(scale.offset - scale.factor * float(logit_from_pd(pd)))
    fits = [points for points in range(near - 2, near + 3) if pd_from_logit(scale.logit(points)) <= pd]
    return min(fits)


def _within(threshold: int) -> int:
    """No credit lies beyond this."""
    return max(-MOST_CREDIT, min(MOST_CREDIT, threshold))


def _check_resolved(scheme: GradeScheme) -> None:
    if scheme.by == "shares":
        raise ConfigError(
            "a scheme of target shares is cut on scores, and under this contract nobody learns them",
            remedy="give cuts by pd or by points in grades.yaml",
        )
