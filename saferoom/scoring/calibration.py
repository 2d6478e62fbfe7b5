"""Cut points of a grade scheme from target default rates, on rows whose outcome is known.

Rows are taken from the lowest probability of default upwards. Each grade but the last takes as many rows as
it can while its default rate stays at or below its target; the last takes the rest. Rows of equal
probability are never parted. What comes is checked: every grade has its minimum of rows, and default rates
rise from grade to grade.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saferoom.arrays import F64
from saferoom.errors import ConfigError, ShapeError, VerificationError
from saferoom.scoring.grade_table import GradeRow, Reversal, grade_table, reversals, too_small
from saferoom.scoring.grades import GradeScheme


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A scheme whose cuts are probabilities, and what it does to the rows it was calibrated on."""

    scheme: GradeScheme
    table: tuple[GradeRow, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What is wrong with a grading: reversed neighbours, and grades of too few rows."""

    table: tuple[GradeRow, ...]
    reversals: tuple[Reversal, ...]
    too_small: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.reversals and not self.too_small


def check_grading(
    scheme: GradeScheme, pd: ArrayLike, points: ArrayLike, y: ArrayLike | None, *, minimum_rows: int
) -> Check:
    """The grade table (n,) rows give, and its faults; without labels `y` reversals cannot be seen."""
    grades = scheme.assign(pd, points)
    table = grade_table(scheme.names, grades, pd, y)
    return Check(table, reversals(table), too_small(table, minimum_rows))


def calibrate(
    scheme: GradeScheme, pd: ArrayLike, y: ArrayLike, targets: Sequence[float], *, minimum_rows: int
) -> Calibrated:
    """The scheme with new cuts: `targets` are the default rates, 0 to 1, that all grades but the last may
    have.

    Shapes:   pd, y (n,).
    Raises:   ConfigError (targets that do not fit), VerificationError (a grade that cannot be filled, or
    rates that
              do not rise).
    """
    _check_targets(scheme, targets)
    scores, labels = np.asarray(pd, dtype=np.float64), np.asarray(y)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise ShapeError("probabilities and outcomes are vectors of one length")
    order = np.argsort(scores, kind="stable")
    cuts = _cuts(scheme.names, scores[order], labels[order], targets, minimum_rows)
    grades = tuple(replace(g, cut=c) for g, c in zip(scheme.grades, [*cuts, None], strict=True))
    found = replace(scheme, by="pd", grades=grades)
    check = check_grading(found, scores, np.zeros(len(scores)), labels, minimum_rows=minimum_rows)
    if check.too_small:
        raise VerificationError(
            f"grade {check.too_small[0]} would hold fewer than {minimum_rows} rows",
            remedy="set targets farther apart, take more rows, or a lower minimum",
        )
    if check.reversals:
        first = check.reversals[0]
        raise VerificationError(
            f"grade {first.worse} would have a lower default rate than {first.better}",
            remedy="set targets farther apart, or have fewer grades",
        )
    return Calibrated(found, check.table)


def usual_targets(pd: ArrayLike, y: ArrayLike, grades: int) -> tuple[float, ...]:
    """Target default rates that so many grades can meet on these rows (n,): those of slices of equal size.

    Two digits each, rounded up, so that each slice meets its own. Empty where rates do not rise, or where
    there are too few rows to say.
    """
    order = np.argsort(np.asarray(pd, dtype=np.float64), kind="stable")
    slices = np.array_split(np.asarray(y)[order], grades)
    if not all(len(one) for one in slices):
        return ()
    targets = tuple(_rounded_up(float(one.mean())) for one in slices[:-1])
    rises = all(a < b for a, b in pairwise([0.0, *targets, float(slices[-1].mean())]))
    return targets if rises else ()


def _rounded_up(rate: float) -> float:
    if rate <= 0:
        return 0.0
    digits = 1 - math.floor(math.log10(rate))
    return float(math.ceil(round(rate * 10.0**digits, 9)) / 10.0**digits)


def _check_targets(scheme: GradeScheme, targets: Sequence[float]) -> None:
    if len(targets) != len(scheme.grades) - 1:
        raise ConfigError(
            f"{len(scheme.grades)} grades take {len(scheme.grades) - 1} target default rates,"
            f" not {len(targets)}"
        )
    if not all(0 < target < 1 for target in targets) or any(a >= b for a, b in pairwise(targets)):
        raise ConfigError("target default rates lie between 0 and 1, and rise from grade to grade")


def _cuts(
    names: Sequence[str], pd: F64, y: NDArray[np.integer], targets: Sequence[float], minimum_rows: int
) -> list[float]:
    """pd (n,) rising, y (n,) in the same order."""
    events = np.append(0, np.cumsum(y))
    ends = np.append(np.flatnonzero(np.diff(pd)) + 1, len(pd)) if len(pd) else np.zeros(0, dtype=np.intp)
    start, cuts = 0, []
    for name, target in zip(names, targets, strict=False):
        possible = ends[ends >= start + max(minimum_rows, 1)]
        rates = (events[possible] - events[start]) / (possible - start)
        fits = possible[rates <= target]
        if not len(fits) or fits[-1] == len(pd):
            problem = "no rows" if not len(fits) else "all remaining rows"
            raise VerificationError(
                f"{problem} fit grade {name} at its target default rate",
                remedy="set other targets, or a lower minimum of rows",
            )
        end = int(fits[-1])
        cuts.append(float(pd[end - 1] + pd[end]) / 2)
        start = end
    return cuts
