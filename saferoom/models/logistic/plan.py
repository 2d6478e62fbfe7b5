"""The public plan of a joint logistic regression: which passes over which rows, at which precision.

It depends on public sizes and settings only, so every party and the dealer make the same one. It goes in
stages. The first suits ordinary data; a later one begins anew, more carefully, if the one before it ended
without all checks of its last passes holding. So the number of passes says as much as these checks do.
The reasons for the figures are in docs/adr/0002-joint-logistic-passes.md.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from saferoom.errors import ConfigError
from saferoom.protocols.sigmoid import SineSeries

SMALL_ROWS = 10_000
LARGE_ROWS = 50_000
LARGE_CELLS = 3_000_000
BLOCK_ROWS = 32
MANY_COLUMNS = 160
MOMENTUM_BITS = 7
MOST_REACH = 64


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
    overshooting. `least`: eigenvalues of the mean Hessian down to this are inverted in full.
    """

    rows: int
    damping: float
    passes: int
    least: float


@dataclass(frozen=True, slots=True)
class FullPass:
    """A step on all rows with the last inverse: u - stride·V·g."""

    series: SineSeries
    stride: float


@dataclass(frozen=True, slots=True)
class CheckedPass:
    """A step on all rows, with `renewal` by an inverse that is made before it, and whether it was small.

    `renewal`, if there is one, has one step, and that is this one.
    """

    series: SineSeries
    stride: float
    renewal: NewtonStep | None = None


@dataclass(frozen=True, slots=True)
class Scales:
    """Word size of row vectors; fractional bits of features and of weights in the forward product."""

    word_bits: int
    feature_bits: int
    weight_bits: int


WIDE = Scales(64, 14, 20)


@dataclass(frozen=True, slots=True)
class AcceleratedPass:
    """A pass over all rows from a point ahead; `momentum` in units of 2**-MOMENTUM_BITS.

    `window`, if not 0: afterwards it is checked how far the last `window` passes have moved.
    """

    series: SineSeries
    momentum: int
    window: int = 0


@dataclass(frozen=True, slots=True)
class Acceleration:
    """For many columns: every row of the subset weighs `weight` in the matrix that is inverted, once."""

    weight: float
    passes: tuple[AcceleratedPass, ...]
    least: float


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps on the subset, then on all rows, then on all rows until a check holds.

    With `acceleration` all passes are over all rows, and there are no others. `series`: of the subset.
    """

    reach: float
    series: SineSeries
    scales: Scales
    newton: tuple[NewtonStep, ...] = ()
    full: tuple[FullPass, ...] = ()
    checked: tuple[CheckedPass, ...] = ()
    acceleration: Acceleration | None = None

    @property
    def passes(self) -> int:
        """As many as there are if the first check holds."""
        if self.acceleration:
            return 1 + next(n for n, one in enumerate(self.acceleration.passes) if one.window)
        return sum(step.passes for step in self.newton) + len(self.full) + 1

    @property
    def checks(self) -> int:
        """At most so many."""
        accelerated = self.acceleration.passes if self.acceleration else ()
        return len(self.checked) + sum(one.window > 0 for one in accelerated)


@dataclass(frozen=True, slots=True)
class Plan:
    """What all agree on before the first pass."""

    rows: int
    columns: int
    subset_rows: int
    parted: bool
    stages: tuple[Stage, ...]

    @property
    def passes(self) -> int:
        """Of data that need no more than the first check."""
        return self.stages[0].passes

    @property
    def checks(self) -> int:
        """At most so many."""
        return sum(stage.checks for stage in self.stages)

    @property
    def wide(self) -> bool:
        """Many columns: accelerated passes."""
        return self.stages[0].acceleration is not None

    @property
    def scales(self) -> Scales:
        """Of all rows: words and features are alike in every stage."""
        return self.stages[0].scales

    @property
    def samples(self) -> list[int]:
        """Sizes of the first parts of the subset whose curvature is inverted."""
        sizes = {self.subset_rows} if self.wide else {step.rows for step in self.stages[0].newton}
        return sorted(sizes - {self.rows})


def make_plan(rows: int, columns: int, settings: LogisticSettings) -> Plan:
    """The plan for `rows` training rows and all parties' `columns`, the constant one included."""
    if columns > MANY_COLUMNS:
        return _many(rows, columns, settings.logit_range)
    if rows <= SMALL_ROWS:
        return _small(rows, columns, settings.logit_range)
    if rows <= LARGE_ROWS or rows * columns <= LARGE_CELLS:
        return _middle(rows, columns, settings.logit_range)
    return _large(rows, columns, settings.logit_range)


_SPECTRUM = (0.5, 1.4)  # of V·H where V comes from a subset; measured, see docs/adr/0002
_TERMS = {8: 8, 16: 14, 32: 32, 64: 68}
_FINE_TERMS = {8: 10, 16: 20, 32: 36, 64: 72}
_APPROACH = (0.1, 0.03, 0.01, 0.003, 0.001)
_LEAST, _CAREFUL_LEAST = 0.002, 0.00015  # the last is as far as the inverse's words reach
_CAREFUL_DAMPING = 1e-4


def _series(reach: int, terms: int, bits: int = 13) -> SineSeries:
    """For uint64 words."""
    return SineSeries(_period_bits(reach), terms, bits, bits)


def _last_series(rows: int, reach: int) -> SineSeries:
    """Of checked passes: with more terms, for an error of the series would stay in what is released."""
    return _series(reach, _FINE_TERMS[reach], _bits(rows, 13))


def _bits(rows: int, most: int = 15) -> int:
    """Of factors and dealt shares each: a sum over all rows has 58, with those of features."""
    return min(most, (58 - WIDE.feature_bits - (rows - 1).bit_length()) // 2)


def _narrow_series(reach: int, terms: int, word_bits: int = 32) -> SineSeries:
    return SineSeries(_period_bits(reach), terms, 7, 8, word_bits=word_bits)


def _period_bits(reach: int) -> int:
    return int(math.log2(reach)) + 2


def _small(rows: int, columns: int, reach: int | None) -> Plan:
    stages = tuple(_newton_alone(rows, one) for one in _later(reach))
    return Plan(rows, columns, rows, False, stages)


def _newton_alone(rows: int, reach: int) -> Stage:
    """Every check looks at a Newton step on all rows."""
    series = _series(reach, _FINE_TERMS[reach], _bits(rows))
    newton = tuple(NewtonStep(rows, damping, 1, _LEAST) for damping in _APPROACH)
    dampings = (5e-4, 2e-4, *(_CAREFUL_DAMPING,) * 14)
    last = (CheckedPass(series, 1.0, NewtonStep(rows, damping, 1, _CAREFUL_LEAST)) for damping in dampings)
    return Stage(reach, series, WIDE, newton, (), tuple(last))


def _careful(rows: int, subset: int, reach: int) -> Stage:
    """For separated data, and columns that nearly repeat each other across parties."""
    series = _series(reach, _FINE_TERMS[reach], _bits(rows))
    newton = tuple(NewtonStep(subset, damping, 1, _LEAST) for damping in _APPROACH)
    renewal = NewtonStep(subset, _CAREFUL_DAMPING, 1, _CAREFUL_LEAST)
    last = (CheckedPass(series, 0.9375, None if number % 3 else renewal) for number in range(18))
    return Stage(reach, series, WIDE, newton, (), tuple(last))


def _later(reach: int | None) -> tuple[int, ...]:
    """Reaches that are tried where the first stage does not succeed; that which is set, if one is."""
    return (reach,) if reach else (32, MOST_REACH)


def _middle_steps(subset: int) -> tuple[NewtonStep, ...]:
    return (
        NewtonStep(max(subset // 4, 1), 0.06, 2, _LEAST),
        NewtonStep(max(subset // 2, 1), 0.01, 1, _LEAST),
        NewtonStep(subset, 0.01, 1, _LEAST),
    )


def _middle(rows: int, columns: int, reach: int | None) -> Plan:
    subset, first = min(rows, 14_000 + 4 * columns), reach or 16
    series = _series(first, _TERMS[first], _bits(rows, 13))
    rough = replace(series, terms=_TERMS[first] * 6 // 7)
    full, checked = _full((rough, rough, series, series), _last_series(rows, first))
    ordinary = Stage(first, series, WIDE, _middle_steps(subset), full, checked)
    careful = (_careful(rows, subset, one) for one in _later(reach))
    return Plan(rows, columns, subset, True, (ordinary, *careful))


def _large(rows: int, columns: int, reach: int | None) -> Plan:
    subset = min(rows, max(12_000, 5 * columns, min(24_000, 600_000 // columns)))
    first = reach or 8
    half, few = _TERMS[first] // 2, _TERMS[first] * 3 // 4
    coarse = tuple(_narrow_series(first, terms) for terms in (half, half, few, few))
    full, checked = _full(coarse, _last_series(rows, first))
    newton = (NewtonStep(subset // 4, 0.04, 3, _LEAST), NewtonStep(subset, 0.01, 2, _LEAST))
    series = _series(first, few)
    ordinary = Stage(first, series, _narrow_scales(first), newton, full, checked)
    careful = (_careful(rows, subset, one) for one in _later(reach))
    return Plan(rows, columns, subset, True, (ordinary, *careful))


def _full(
    coarse: tuple[SineSeries, ...], fine: SineSeries
) -> tuple[tuple[FullPass, ...], tuple[CheckedPass, ...]]:
    """Chebyshev's passes, of which the last is the first to be checked; two more, if it was not small."""
    strides = _strides(len(coarse) + 1)
    full = tuple(FullPass(*planned) for planned in zip(coarse, strides, strict=False))
    return full, tuple(CheckedPass(fine, stride) for stride in (strides[-1], 1.0, strides[-1]))


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
    first = reach or (32 if rows <= SMALL_ROWS else 8 if rows > LARGE_ROWS else 16)
    stages = [_accelerated(rows, columns, subset, first, _effort(rows, columns))]
    stages += [
        _accelerated(rows, columns, subset, one, _MOST_EFFORT) for one in _later(reach) if one != first
    ]
    return Plan(rows, columns, subset, subset < rows, tuple(stages))


def _accelerated(
    rows: int, columns: int, subset: int, reach: int, effort: tuple[int, float, int], *, later: bool = False
) -> Stage:
    weight = 0.25 if subset == rows else 0.25 / (1 - math.sqrt(columns / subset)) ** 2
    # The subset's rows serve for all where it is all rows; a later stage takes more care.
    narrow = rows > LARGE_ROWS and subset < rows and not later
    fine = _series(reach, _TERMS[reach], _bits(rows, 15 if rows <= SMALL_ROWS else 13))
    rough = _narrow_series(reach, _TERMS[reach]) if narrow else fine
    coarse = replace(rough, terms=_TERMS[reach] * 5 // 8)
    passes, curvature, window = effort
    momenta = _momenta(passes + _MORE_WINDOWS * window, curvature)
    planned = tuple(
        AcceleratedPass(_of_pass(number, effort, (coarse, rough, fine)), momentum, _window(number, effort))
        for number, momentum in enumerate(momenta)
    )
    # Directions that the penalty alone determines have a curvature of the size of l2 / rows.
    least = 0.002 if rows <= SMALL_ROWS else 0.001
    scales = _narrow_scales(reach) if narrow else WIDE
    return Stage(reach, fine, scales, acceleration=Acceleration(weight, planned, least))


_MORE_WINDOWS = 4
_MOST_EFFORT = (140, 0.002, 20)


def _effort(rows: int, columns: int) -> tuple[int, float, int]:
    """Number of passes to the first check; the least curvature they are tuned to, against the bound of ¼ a
    row; and over how many passes a check looks."""
    if rows <= SMALL_ROWS or rows < 10 * columns:
        return _MOST_EFFORT
    return (60, 0.01, 10) if rows <= LARGE_ROWS else (40, 0.02, 10)


def _window(number: int, effort: tuple[int, float, int]) -> int:
    """0 unless a check follows the pass."""
    passes, _, window = effort
    return window if number + 1 >= passes and (number + 1 - passes) % window == 0 else 0


def _of_pass(
    number: int, effort: tuple[int, float, int], series: tuple[SineSeries, SineSeries, SineSeries]
) -> SineSeries:
    """Few terms to begin with, and the finest before a check."""
    coarse, rough, fine = series
    if _window(number, effort) or _window(number + 1, effort):
        return fine
    return coarse if number < effort[0] * 2 // 3 else rough


def _momenta(passes: int, curvature: float) -> tuple[int, ...]:
    """Nesterov's k/(k + 3), up to what is best for that curvature; none in the first pass."""
    root = math.sqrt(curvature)
    most = (1 - root) / (1 + root)
    growing = (min(number / (number + 3), most) for number in range(passes - 1))
    return (0, *(math.floor(momentum * 2**MOMENTUM_BITS) for momentum in growing))


def _narrow_scales(reach: int) -> Scales:
    return Scales(32, 8, 32 - 8 - _period_bits(reach))
