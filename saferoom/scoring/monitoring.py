"""Quarter against quarter: who moved between grades, how far the scores have moved, and who needs a look.

An enterprise raises an alert if its grade fell by `fall` places or more, or if its points fell by more than
`points`. Enterprises in one quarter's list only are counted, not compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import I64
from saferoom.errors import ConfigError, UsageError
from saferoom.scoring.grade_table import migration


@dataclass(frozen=True, slots=True, eq=False)
class Quarter:
    """One list: distinct ids (n,), points (n,), grades (n,) as places in the scheme, 0 = best."""

    ids: NDArray[np.bytes_]
    points: I64
    grades: I64

    def __post_init__(self) -> None:
        if len(np.unique(self.ids)) != len(self.ids):
            raise UsageError("an enterprise stands in a list twice", remedy="score each enterprise once")


@dataclass(frozen=True, slots=True)
class AlertRules:
    """How far a grade, or points, must fall for an alert."""

    fall: int = 2
    points: int = 60

    def __post_init__(self) -> None:
        if self.fall < 1 or self.points < 1:
            raise ConfigError("an alert needs a fall of at least one grade, or one point")


@dataclass(frozen=True, slots=True, eq=False)
class Alerts:
    """The enterprises to look at, largest fall of points first. All (m,)."""

    ids: NDArray[np.bytes_]
    grades_before: I64
    grades_now: I64
    points_before: I64
    points_now: I64
    by_grade: NDArray[np.bool_]
    by_points: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """What changed. `migration` (grades, grades): from which grade (row) to which (column)."""

    common: int
    left: int
    joined: int
    migration: I64
    better: int
    worse: int
    alerts: Alerts


def compare_quarters(before: Quarter, now: Quarter, grades: int, rules: AlertRules) -> Movement:
    """Both lists graded by one scheme of so many `grades`. Raises UsageError if no enterprise is in both."""
    common, first, second = np.intersect1d(before.ids, now.ids, assume_unique=True, return_indices=True)
    if not len(common):
        raise UsageError("no enterprise stands in both lists", remedy="compare lists of the same customers")
    old, new = before.grades[first], now.grades[second]
    points = before.points[first], now.points[second]
    by_grade, by_points = new - old >= rules.fall, points[0] - points[1] > rules.points
    found = np.flatnonzero(by_grade | by_points)
    found = found[np.argsort((points[1] - points[0])[found], kind="stable")]
    alerts = Alerts(
        common[found],
        old[found],
        new[found],
        points[0][found],
        points[1][found],
        by_grade[found],
        by_points[found],
    )
    return Movement(
        common=len(common),
        left=len(before.ids) - len(common),
        joined=len(now.ids) - len(common),
        migration=migration(old, new, grades),
        better=int(np.count_nonzero(new < old)),
        worse=int(np.count_nonzero(new > old)),
        alerts=alerts,
    )
