"""Score points: the log odds of default on a scale people read; higher is better credit.

    points = offset − factor · logit        factor = pdo / ln 2
    offset = base_points − factor · ln(base_odds)

`logit` is ln(pd / (1 − pd)), natural logarithm. `base_odds` are goods per bad at `base_points`; every
`pdo` points more double the odds. Source: Siddiqi, Credit Risk Scorecards, 2006, chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saferoom.arrays import F64
from saferoom.errors import ConfigError


@dataclass(frozen=True, slots=True)
class PointScale:
    """600 points at 20 goods per bad, and 50 points to double the odds, unless told otherwise."""

    base_points: float = 600.0
    base_odds: float = 20.0
    pdo: float = 50.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in asdict(self).values()):
            raise ConfigError("base_points, base_odds and pdo must be finite numbers")
        if self.base_odds <= 0 or self.pdo <= 0:
            raise ConfigError(f"base_odds and pdo must be above 0, got {self.base_odds:g} and {self.pdo:g}")

    @property
    def factor(self) -> float:
        return self.pdo / math.log(2)

    @property
    def offset(self) -> float:
        return self.base_points - self.factor * math.log(self.base_odds)

    def points(self, logit: ArrayLike) -> NDArray[np.int64]:
        """Whole points for log odds of default, (n,) -> (n,)."""
        exact = self.offset - self.factor * np.asarray(logit, dtype=np.float64)
        return np.rint(exact).astype(np.int64)

    def logit(self, points: ArrayLike) -> F64:
        """The inverse: log odds of default that stand for these points."""
        return (self.offset - np.asarray(points, dtype=np.float64)) / self.factor

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> PointScale:
        """From a settings file. Raises ConfigError on unknown keys and on what is not a number."""
        known = {one.name for one in fields(cls)}
        if unknown := set(settings) - known:
            raise ConfigError(f"unknown keys in the points scale: {', '.join(sorted(map(str, unknown)))}")
        wrong = [k for k, v in settings.items() if isinstance(v, bool) or not isinstance(v, int | float)]
        if wrong:
            raise ConfigError(f"not a number in the points scale: {', '.join(wrong)}")
        return cls(**{key: float(value) for key, value in settings.items()})


def pd_from_logit(logit: ArrayLike) -> F64:
    """Probability of default, 0 to 1, without overflow at either end."""
    half: F64 = np.asarray(logit, dtype=np.float64) / 2
    return 0.5 * (1 + np.tanh(half))


def logit_from_pd(pd: ArrayLike) -> F64:
    """The inverse; infinite at 0 and 1."""
    probability: F64 = np.asarray(pd, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.log(probability) - np.log1p(-probability)
