"""The public plan of a joint logistic regression: which passes over which rows, at which precision.

It depends on public sizes and settings only, so every party and the dealer make the same one, and the number
of passes says nothing about the data. The reasons for the figures are in
docs/adr/0002-joint-logistic-passes.md.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from saferoom.errors import ConfigError
from saferoom.protocols.sigmoid import SineSeries

SMALL_ROWS = 10_000
LARGE_ROWS = 50_000
LARGE_CELLS = 3_000_000
BLOCK_ROWS = 128
MANY_COLUMNS = 160
MOMENTUM_BITS = 7


@dataclass(frozen=True, slots=True)
class LogisticSettings:
    """Public settings of a joint logistic regression.

    l2: weight of ½‖w‖² against the *sum* of log losses (scikit-learn's 1/C); >= 0, the intercept is not
    penalised.
    logit_range: scores beyond ±range are not trusted; 8, 16 or 32, or None to choose by the number of rows.
    """

    l2: float = 1.0
    logit_range: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.l2) and self.l2 >= 0):
            raise ConfigError("l2 must be a number >= 0")
        if self.logit_range not in (None, 8, 16, 32):
            raise ConfigError("logit_range must be 8, 16 or 32", remedy="leave it out to have it chosen")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class NewtonStep:
    """Compute and invert the Hessian on `rows` public random rows, then make `passes` steps on the subset.

    `damping` is added to every row's curvature (at most ¼): far from the optimum it keeps the step from
    overshooting.
    """

    rows: int
    damping: float
    passes: int


@dataclass(frozen=True, slots=True)
class FullPass:
    """A step on all rows with the last inverse: u - stride·V·g."""

    series: SineSeries
    stride: float


@dataclass(frozen=True, slots=True)
class Scales:
    """Word size of row vectors; fractional bits of features and of weights in the forward product."""

    word_bits: int
    feature_bits: int
    weight_bits: int


WIDE = Scales(64, 12, 20)


@dataclass(frozen=True, slots=True)
class AcceleratedPass:
    """A pass over all rows from a point ahead; `momentum` in units of 2**-MOMENTUM_BITS."""

    series: SineSeries
    momentum: int


@dataclass(frozen=True, slots=True)
class Acceleration:
    """For many columns: every row of the subset weighs `weight` in the matrix that is inverted, once."""

    weight: float
    passes: tuple[AcceleratedPass, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all agree on before the first pass. `full` is empty where the subset is all rows.

    With `acceleration` there are no Newton steps, and all passes are over all rows.
    """

    rows: int
    columns: int
    subset_rows: int
    newton: tuple[NewtonStep, ...]
    low: float
    subset_series: SineSeries
    full: tuple[FullPass, ...]
    full_scales: Scales
    acceleration: Acceleration | None = None

    @property
    def passes(self) -> int:
        accelerated = len(self.acceleration.passes) if self.acceleration else 0
        return sum(step.passes for step in self.newton) + len(self.full) + accelerated

    @property
    def parted(self) -> bool:
        """The subset is masked apart from all rows."""
        return bool(self.full) or self.subset_rows < self.rows

    @property
    def samples(self) -> list[int]:
        """Sizes of the first parts of the subset whose curvature is inverted."""
        sizes = {self.subset_rows} if self.acceleration else {step.rows for step in self.newton}
        return sorted(sizes - {self.rows})

    @property
    def reach(self) -> float:
        """Largest |score| for which the fit can be trusted."""
        return self.subset_series.reach


def make_plan(rows: int, columns: int, settings: LogisticSettings) -> Plan:
    """The plan for `rows` training rows and all parties' `columns`, the constant one included."""
    if columns > MANY_COLUMNS:
        return _many(rows, columns, settings.logit_range)
    if rows <= SMALL_ROWS:
        return _small(rows, columns, settings.logit_range or 32)
    if rows <= LARGE_ROWS or rows * columns <= LARGE_CELLS:
        return _middle(rows, columns, settings.logit_range or 16)
    return _large(rows, columns, settings.logit_range or 8)


_SPECTRUM = (0.5, 1.4)  # of V·H where V comes from a subset; measured, see docs/adr/0002
_TERMS = {8: 8, 16: 14, 32: 32}


def _series(reach: int, terms: int, subset: int, bits: int = 13) -> SineSeries:
    """For uint64 words. The slope's scale leaves room for the sum of `subset` rows in 62 bits."""
    room = 62 - 2 * WIDE.feature_bits - math.ceil(math.log2(2.5 * subset))
    return SineSeries(_period_bits(reach), terms, bits, bits, slope_bits=min(9, room - bits))


def _narrow_series(reach: int, terms: int, word_bits: int = 32) -> SineSeries:
    return SineSeries(_period_bits(reach), terms, 6, 7, word_bits=word_bits)


def _period_bits(reach: int) -> int:
    return int(math.log2(reach)) + 2


def _small(rows: int, columns: int, reach: int) -> Plan:
    dampings = (0.1, 0.03, 0.01, 0.003, 0.001, 5e-4, 5e-4, 5e-4, 5e-4, 5e-4)
    newton = tuple(NewtonStep(rows, damping, 1) for damping in dampings)
    series = _series(reach, _TERMS[reach] + 4, rows, bits=15)
    return Plan(rows, columns, rows, newton, 5e-4, series, (), WIDE)


def _middle_steps(subset: int) -> tuple[NewtonStep, ...]:
    return (
        NewtonStep(max(subset // 4, 1), 0.06, 2),
        NewtonStep(max(subset // 2, 1), 0.01, 1),
        NewtonStep(subset, 0.01, 1),
    )


def _middle(rows: int, columns: int, reach: int) -> Plan:
    subset = min(rows, 14_000 + 4 * columns)
    series = _series(reach, _TERMS[reach], subset)
    return Plan(rows, columns, subset, _middle_steps(subset), 0.005, series, _full((series,) * 5), WIDE)


def _large(rows: int, columns: int, reach: int) -> Plan:
    subset = min(rows, max(12_000, 5 * columns, min(24_000, 600_000 // columns)))
    half, few, many = _TERMS[reach] // 2, _TERMS[reach] * 3 // 4, _TERMS[reach]
    full = _full(tuple(_narrow_series(reach, terms) for terms in (half, half, few, many, many)))
    scales = _narrow_scales(reach)
    series = _series(reach, few, subset)
    newton = (NewtonStep(subset // 4, 0.04, 3), NewtonStep(subset, 0.01, 2))
    return Plan(rows, columns, subset, newton, 0.005, series, full, scales)


def _full(series: tuple[SineSeries, ...]) -> tuple[FullPass, ...]:
    return tuple(FullPass(*planned) for planned in zip(series, _strides(len(series)), strict=True))


def _strides(count: int) -> list[float]:
    """Chebyshev's: after `count` passes the error is least for the worst eigenvalue of V·H in _SPECTRUM.

    Short and long by turns, so that no direction grows on the way; a short one last, which adds least noise.
    """
    low, high = _SPECTRUM
    angles = (math.pi * (2 * number + 1) / (2 * count) for number in range(count))
    strides = [2 / (low + high + (high - low) * math.cos(angle)) for angle in angles]
    return [strides[0], *strides[:1:-1], strides[1]] if count > 2 else strides


def _many(rows: int, columns: int, reach: int | None) -> Plan:
    """One inverse of a bound, accelerated passes: the more, the closer to separable the data may be."""
    subset = min(rows, max(8 * columns, min(32 * columns + 4_000, 30_000)))
    weight = 0.25 if subset == rows else 0.25 / (1 - math.sqrt(columns / subset)) ** 2
    narrow = rows > LARGE_ROWS
    reach = reach or (32 if rows <= SMALL_ROWS else 8 if narrow else 16)
    bits = 15 if rows <= SMALL_ROWS else 13
    words = 32 if subset < rows else WIDE.word_bits  # the subset's rows serve for all where it is all rows
    coarse, fine = (
        _narrow_series(reach, terms, words) if narrow else _series(reach, terms, subset, bits)
        for terms in (_TERMS[reach] * 5 // 8, _TERMS[reach])
    )
    scales = _narrow_scales(reach) if narrow else WIDE
    passes, curvature = _effort(rows, columns)
    planned = tuple(
        AcceleratedPass(coarse if number < passes * 2 // 3 else fine, momentum)
        for number, momentum in enumerate(_momenta(passes, curvature))
    )
    # Directions that the penalty alone determines have a curvature of the size of l2 / rows.
    low = 0.002 if rows <= SMALL_ROWS else 0.001
    return Plan(rows, columns, subset, (), low, fine, (), scales, Acceleration(weight, planned))


def _effort(rows: int, columns: int) -> tuple[int, float]:
    """Number of passes; the least curvature they are tuned to, against the bound of ¼ a row."""
    if rows <= SMALL_ROWS or rows < 10 * columns:
        return 140, 0.002
    return (60, 0.01) if rows <= LARGE_ROWS else (40, 0.02)


def _momenta(passes: int, curvature: float) -> tuple[int, ...]:
    """Nesterov's k/(k + 3), up to what is best for that curvature; none in the first pass."""
    root = math.sqrt(curvature)
    most = (1 - root) / (1 + root)
    growing = (min(number / (number + 3), most) for number in range(passes - 1))
    return (0, *(math.floor(momentum * 2**MOMENTUM_BITS) for momentum in growing))


def _narrow_scales(reach: int) -> Scales:
    return Scales(32, 8, 32 - 8 - _period_bits(reach))
