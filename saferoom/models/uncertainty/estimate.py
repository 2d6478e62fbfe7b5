"""What is known of a figure: its value, the interval it lies in at 95 %, and how that was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

LEVEL = 0.95
Z = float(ndtri(0.5 + LEVEL / 2))
_NOTHING = 1e-15  # a variance that is rounding alone


def unseen(rows: int) -> float:
    """The share that an error may have which none of so many rows showed: the edge of Wilson's interval."""
    return Z**2 / (rows + Z**2)


def smaller_class(y: ArrayLike) -> int:
    """How many rows the smaller class of labels (n,) has."""
    labels = np.asarray(y)
    events = int(labels.sum())
    return min(events, len(labels) - events)


@dataclass(frozen=True, slots=True)
class Estimate:
    """`low` to `high` holds the true value in 95 of 100 samples. `method`: delong, hanley_mcneil, …"""

    value: float
    low: float
    high: float
    method: str

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """Joint minus alone. `p_value`: two-sided, of the hypothesis that there is none."""

    value: float
    low: float
    high: float
    p_value: float
    method: str

    @classmethod
    def of(cls, value: float, variance: float, smaller: int, method: str) -> Difference:
        """By its sampling variance. `smaller`: how many rows the smaller class has.

        Rows that show no variance at all leave what Wilson's interval leaves of an error never seen.
        """
        spread = variance**0.5 if variance > _NOTHING else unseen(smaller) / Z
        p_value = 2 * float(ndtr(-abs(value) / spread))
        return cls(value, max(value - Z * spread, -1.0), min(value + Z * spread, 1.0), p_value, method)

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)
