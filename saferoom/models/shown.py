"""How much a release of rounded sums shows of one party's own part: counted before the party takes part.

    holds    H(X) bits: what the part says of an enterprise, X being the part as it is
    shows    I(X; R) = H(R) − H(R | X) bits: what is left of that in R, the part rounded by chance to the step

Whoever learns the sum and knows all other parts learns R; with more parties, or less knowledge, it learns
less. Where R shows nearly all that the part holds, and many enterprises share each value of it, the columns
that the part is made of can be told from scores. Bits are a mean over the rows that are counted.

Source: Shannon 1948; mutual information of a value and its dithered quantisation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64

NEARLY_ALL = 0.9
SHARED_BY = 10
MOST_ROWS = 50_000
"""More rows change nothing in the figures: every so-manieth stands for all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Of `rows` rows: distinct `values` of the part, the bits it `holds`, those that a release `shows`."""

    rows: int
    values: int
    holds: float
    shows: float

    @property
    def share(self) -> float:
        """Of what the part holds, how much is shown."""
        return min(1.0, self.shows / self.holds) if self.holds else 0.0

    @property
    def tells_columns(self) -> bool:
        """Whether columns can be told from it: enterprises share few values, and nearly all is shown."""
        return self.values > 1 and self.share >= NEARLY_ALL and self.rows >= SHARED_BY * self.values


def shown_by_part(part: F64, step: float) -> Shown:
    """Of the own part (n,) itself, rounded by chance to `step`."""
    part = part[:: every(len(part))]
    _, counts = np.unique(part, return_counts=True)
    lower = np.floor(part / step)
    up = part / step - lower
    shows = _rounded(lower, up) - float(_coin(up).mean()) if len(part) else 0.0
    return Shown(len(part), len(counts), _entropy(counts), max(0.0, shows))


def shown_by_rows(prepared: NDArray[Any], step: float, reach: float) -> Shown:
    """Of a part that is made of `prepared` rows (n, d) by weights that are not known here: at most so much.

    Scores lie between plus and minus `reach`.
    """
    rows = prepared[:: every(len(prepared))]
    counts = _distinct_rows(rows)
    holds = _entropy(counts)
    return Shown(len(rows), len(counts), holds, min(holds, math.log2(1 + 2 * reach / step)))


def every(rows: int) -> int:
    """Of so many rows, every which one is counted."""
    return max(1, -(-rows // MOST_ROWS))


def shown_by_grades(shown: Shown, grades: int) -> Shown:
    """Of the same part, where the sum's grade alone is released, one of so many: at most so much."""
    return replace(shown, shows=min(shown.holds, math.log2(grades)))


def _distinct_rows(rows: NDArray[Any]) -> NDArray[np.int64]:
    """How often each distinct row stands there."""
    if not rows.shape[1]:
        return np.array([len(rows)])
    whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1] * rows.itemsize)))
    return np.unique(whole.ravel(), return_counts=True)[1]


def _entropy(counts: NDArray[np.int64] | F64) -> float:
    shares = counts[counts > 0] / max(1.0, float(counts.sum()))
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def _rounded(lower: F64, up: F64) -> float:
    """The entropy of the rounded values: each row stands at two of them, by its chances."""
    places, inverse = np.unique(np.concatenate([lower, lower + 1]), return_inverse=True)
    return _entropy(np.bincount(inverse, np.concatenate([1 - up, up]), len(places)))


def _coin(chance: F64) -> F64:
    """The entropy of each chance to go up."""
    inside = np.clip(chance, 1e-12, 1 - 1e-12)
    return np.asarray(-inside * np.log2(inside) - (1 - inside) * np.log2(1 - inside))
