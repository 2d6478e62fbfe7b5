"""What a grading looks like: counts and default rates, whether they rise from grade to grade, migration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saferoom.errors import ShapeError


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grade's rows. `events` and `default_rate` are None where labels are unknown or no row is there."""

    name: str
    rows: int
    share: float
    mean_pd: float | None
    events: int | None
    default_rate: float | None


@dataclass(frozen=True, slots=True)
class Reversal:
    """A worse grade with a lower default rate than its better neighbour.

    `p_value`: how likely at least this difference is if both rates were the same (one-sided, pooled z test).
    """

    better: str
    worse: str
    p_value: float


def grade_table(
    names: Sequence[str], grades: ArrayLike, pd: ArrayLike | None, y: ArrayLike | None = None
) -> tuple[GradeRow, ...]:
    """One line a grade, best first; `grades` (n,) are places in `names`, from `GradeScheme.assign`.

    `pd` (n,) is None where nobody learnt it.
    """
    places = _places(grades, len(names))
    scores = None if pd is None else np.asarray(pd, dtype=np.float64)
    labels = None if y is None else np.asarray(y)
    if any(given is not None and given.shape != places.shape for given in (scores, labels)):
        raise ShapeError("grades, probabilities and labels must be vectors of one length")
    rows = []
    for place, name in enumerate(names):
        mine = places == place
        count = int(mine.sum())
        events = None if labels is None else int(labels[mine].sum())
        rows.append(
            GradeRow(
                name,
                count,
                count / max(len(places), 1),
                float(scores[mine].mean()) if count and scores is not None else None,
                events,
                events / count if events is not None and count else None,
            )
        )
    return tuple(rows)


def reversals(table: Sequence[GradeRow]) -> tuple[Reversal, ...]:
    """Neighbouring grades (empty ones skipped) whose default rates fall where they should rise."""
    filled = [(row, row.events) for row in table if row.events is not None and row.rows]
    found = []
    for (better, events_better), (worse, events_worse) in pairwise(filled):
        difference = events_better / better.rows - events_worse / worse.rows
        if difference > 0:
            pooled = (events_better + events_worse) / (better.rows + worse.rows)
            spread = math.sqrt(pooled * (1 - pooled) * (1 / better.rows + 1 / worse.rows))
            found.append(
                Reversal(better.name, worse.name, 0.5 * math.erfc(difference / spread / math.sqrt(2)))
            )
    return tuple(found)


def too_small(table: Sequence[GradeRow], minimum_rows: int) -> tuple[str, ...]:
    """Names of grades with fewer rows than that."""
    return tuple(row.name for row in table if row.rows < minimum_rows)


def migration(previous: ArrayLike, now: ArrayLike, grades: int) -> NDArray[np.int64]:
    """How many of the same enterprises moved from which grade (row) to which (column): (grades, grades)."""
    before, after = _places(previous, grades), _places(now, grades)
    if before.shape != after.shape:
        raise ShapeError(f"two gradings of the same enterprises, not of {len(before)} and {len(after)}")
    counts = np.bincount(before * grades + after, minlength=grades * grades)
    return counts.reshape(grades, grades).astype(np.int64)


def _places(grades: ArrayLike, size: int) -> NDArray[np.int64]:
    places = np.asarray(grades)
    if places.ndim != 1 or not np.issubdtype(places.dtype, np.integer):
        raise ShapeError("grades are a vector of places in the scheme")
    if np.any((places < 0) | (places >= size)):
        raise ShapeError(f"a grade outside the {size} of the scheme")
    return places.astype(np.int64)
