"""Whether probabilities fit the defaults that came: the test of Hosmer and Lemeshow (1980)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from saferoom.models.metrics import checked

GROUPS = 10


@dataclass(frozen=True, slots=True)
class HosmerLemeshow:
    """`p_value`: how likely deviations of this size are if all probabilities are right."""

    statistic: float
    groups: int
    degrees: int
    p_value: float

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)


def hosmer_lemeshow(y: ArrayLike, pd: ArrayLike, *, fitted: bool) -> HosmerLemeshow | None:
    """On tenths of the rows (n,) by probability; rows of equal probability stay together.

    `fitted`: these are the rows that the model was trained on, which takes two degrees of freedom. None
    where too few groups are left. Raises as `metrics.checked`.
    """
    labels, scores = checked(y, pd)
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    places = np.searchsorted(edges, scores, side="left")
    rows = np.bincount(places)
    predicted, events = np.bincount(places, scores), np.bincount(places, labels)
    filled = rows > 0
    rows, predicted, events = rows[filled], predicted[filled], events[filled]
    degrees = len(rows) - (2 if fitted else 0)
    spread = predicted * (1 - predicted / rows)
    if degrees < 1 or np.any(spread <= 0):
        return None
    statistic = float(np.sum((events - predicted) ** 2 / spread))
    return HosmerLemeshow(statistic, len(rows), degrees, float(chdtrc(degrees, statistic)))
