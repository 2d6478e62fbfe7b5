"""What is known of a figure: its value, the interval it lies in at 95 %, and how that was found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from scipy.special import ndtr, ndtri

LEVEL = 0.95
Z = float(ndtri(0.5 + LEVEL / 2))


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
    def of(cls, value: float, variance: float, method: str) -> Difference:
        """By its sampling variance. Without any, a difference is certain."""
        spread = variance**0.5
        sure = 1.0 if value == 0 else 0.0
        p_value = 2 * float(ndtr(-abs(value) / spread)) if spread > 0 else sure
        return cls(value, max(value - Z * spread, -1.0), min(value + Z * spread, 1.0), p_value, method)

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)
