"""Whether grades keep what they promise: a scheme's cuts on PD are promises, and outcomes can break them.

    kept     the rate lies within the promised range, beyond chance: both exact binomial tests say so
    above    more defaults than the range allows, beyond chance
    below    fewer: the grade is worse than its enterprises
    outside  the rate lies outside the range, and that may be chance
    open     nothing speaks against the promise, and the rows do not show it either
    few      as `outside` or `open`, with fewer than 10 defaults, or 10 good cases
    empty    no row

A range is wide, and a grade can keep it with defaults that its mean probability does not explain: that is
a test of its own (`surprise`), exact and two-sided. A test of a promise is one-sided at 5 %. All assume that
enterprises default independently of each other: in a common crisis they do not, and a promise is broken
sooner than these tests allow for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import bdtr, bdtrc, gammaln, logsumexp, ndtri

from saferoom.arrays import F64, I64
from saferoom.scoring.grade_table import GradeRow
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import PointScale, pd_from_logit

ALPHA = 0.05
FEW, SCARCE = 10, 50
"""With fewer defaults than FEW nothing is told; with fewer than SCARCE, figures are rough."""
CROWDED = 2 / 3
_Z = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class GradeTest:
    """One grade. `low` to `high`: where its true rate lies (Wilson, 95 %). `p_value`: behind the verdict.

    `surprise`: how likely defaults as far from the mean predicted rate are, or farther, if it is right.
    """

    name: str
    promised: tuple[float, float] | None
    low: float | None
    high: float | None
    verdict: str
    p_value: float | None = None
    surprise: float | None = None


@dataclass(frozen=True, slots=True)
class Rise:
    """From a grade to the next worse one.

    One-sided and exact: `p_value`, of so much of a rise by chance, `fall`, of so much of a fall.
    """

    better: str
    worse: str
    difference: float
    p_value: float
    fall: float


@dataclass(frozen=True, slots=True)
class Rising:
    """Whether default rates rise from grade to grade.

    rises    from each to the next, beyond chance
    falls    somewhere they fall
    open     they rise, and at some step that may be chance
    empty    a grade has no row, so that it cannot be said
    """

    verdict: str
    steps: tuple[Rise, ...]


@dataclass(frozen=True, slots=True)
class Suits:
    """Whether a scheme suits the portfolio: which grades are empty, and which holds most of all rows."""

    empty: tuple[str, ...]
    crowded: str | None
    share: float
    targets: tuple[float, ...] = ()
    """Default rates that as many grades could be calibrated to on these rows, where scores are known."""

    @property
    def ok(self) -> bool:
        return not self.empty and self.crowded is None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that the outcomes say about a grading; `grades` in the order of the scheme."""

    grades: tuple[GradeTest, ...]
    rising: Rising
    suits: Suits

    def to_plain(self, table: Sequence[GradeRow]) -> dict[str, Any]:
        """With the counts that were judged."""
        return {
            "grades": [{**asdict(row), **asdict(one)} for row, one in zip(table, self.grades, strict=True)],
            "rising": asdict(self.rising),
            "suits": {"ok": self.suits.ok, **asdict(self.suits)},
        }


def judge(scheme: GradeScheme, table: Sequence[GradeRow], scale: PointScale | None = None) -> Judgement:
    """`scale`: what points mean, for a scheme with cuts on them."""
    return Judgement(judge_grades(table, promises(scheme, scale)), judge_rise(table), suits(table))


def wilson(events: int, rows: int) -> tuple[float, float]:
    """Where a rate lies, at 95 % (Wilson 1927). Without rows: anywhere."""
    if not rows:
        return 0.0, 1.0
    rate, weight = events / rows, _Z**2 / rows
    centre = (rate + weight / 2) / (1 + weight)
    reach = _Z / (1 + weight) * (rate * (1 - rate) / rows + weight / (4 * rows)) ** 0.5
    low, high = max(centre - reach, 0.0), min(centre + reach, 1.0)
    return (0.0 if events == 0 else low), (1.0 if events == rows else high)


def promises(scheme: GradeScheme, scale: PointScale | None = None) -> list[tuple[float, float]] | None:
    """The range of PD that each grade promises, best first; None of target shares, which promise none.

    `scale`: what points mean, for cuts on them.
    """
    if scheme.by == "shares":
        return None
    cuts = list(scheme.cuts)
    if scheme.by == "points":
        used = scale or PointScale()
        cuts = [float(pd_from_logit(used.logit(cut - 0.5))) for cut in cuts]
    return list(pairwise([0.0, *cuts, 1.0]))


def judge_grades(
    table: Sequence[GradeRow], promised: Sequence[tuple[float, float]] | None
) -> tuple[GradeTest, ...]:
    """Of each grade whose outcomes are known. Without promises, as of shares, its interval alone."""
    ranges: Sequence[tuple[float, float] | None] = promised or [None] * len(table)
    return tuple(_tested(row, its) for row, its in zip(table, ranges, strict=True))


def judge_rise(table: Sequence[GradeRow]) -> Rising:
    """Neighbours by Fisher's exact test; empty grades are stepped over, and named in the verdict."""
    filled = [row for row in table if row.rows and row.events is not None]
    steps = tuple(_rise(better, worse) for better, worse in pairwise(filled))
    if any(step.difference < 0 for step in steps):
        return Rising("falls", steps)
    if len(filled) < len(table):
        return Rising("empty", steps)
    shown = all(step.p_value < ALPHA for step in steps)
    return Rising("rises" if shown else "open", steps)


def suits(table: Sequence[GradeRow]) -> Suits:
    """A scheme with an empty grade, or with most rows in one, was made for another portfolio."""
    fullest = max(table, key=lambda row: row.share)
    crowded = fullest.name if fullest.share > CROWDED else None
    return Suits(tuple(row.name for row in table if not row.rows), crowded, fullest.share)


def _tested(row: GradeRow, promised: tuple[float, float] | None) -> GradeTest:
    if row.events is None or not row.rows:
        verdict = "empty" if not row.rows else "open"
        return GradeTest(row.name, promised, None, None, verdict)
    interval = wilson(row.events, row.rows)
    surprise = None if row.mean_pd is None else _surprise(row.events, row.rows, row.mean_pd)
    if promised is None:
        return GradeTest(row.name, None, *interval, "open", surprise=surprise)
    verdict, p_value = _verdict(row.events, row.rows, *promised)
    return GradeTest(row.name, promised, *interval, verdict, p_value, surprise)


def _surprise(events: int, rows: int, rate: float) -> float:
    """Twice the smaller tail."""
    tails = _at_least(events, rows, rate), _at_most(events, rows, rate)
    return min(2 * min(tails), 1.0)


def _verdict(events: int, rows: int, least: float, most: float) -> tuple[str, float | None]:
    above, below = _at_least(events, rows, most), _at_most(events, rows, least)
    if above < ALPHA:
        return "above", above
    if below < ALPHA:
        return "below", below
    doubt = max(  # 0 and 1 are no limits
        0.0 if most >= 1 else _at_most(events, rows, most),
        0.0 if least <= 0 else _at_least(events, rows, least),
    )
    if doubt < ALPHA:
        return "kept", doubt
    if min(events, rows - events) < FEW:
        return "few", None
    return ("open", None) if least <= events / rows <= most else ("outside", min(above, below))


def _at_least(events: int, rows: int, rate: float) -> float:
    """P(so many defaults or more) at this rate."""
    if events == 0 or rate >= 1:
        return 1.0
    return 0.0 if rate <= 0 else float(bdtrc(events - 1, rows, rate))


def _at_most(events: int, rows: int, rate: float) -> float:
    """P(so many defaults or fewer) at this rate."""
    if events == rows or rate <= 0:
        return 1.0
    return 0.0 if rate >= 1 else float(bdtr(events, rows, rate))


def _rise(better: GradeRow, worse: GradeRow) -> Rise:
    events = (better.events or 0), (worse.events or 0)
    difference = events[1] / worse.rows - events[0] / better.rows
    rise = _fisher(events, (better.rows, worse.rows))
    fall = _fisher(events[::-1], (worse.rows, better.rows))
    return Rise(better.name, worse.name, difference, rise, fall)


def _fisher(events: tuple[int, int], rows: tuple[int, int]) -> float:
    """P(so many defaults or more in the second of two groups), with all defaults spread by chance."""
    total = sum(events)
    more = np.arange(events[1], min(total, rows[1]) + 1)
    ways = _ways(rows[1], more) + _ways(rows[0], total - more) - _ways(sum(rows), np.array([total]))
    return min(float(np.exp(logsumexp(ways))), 1.0)


def _ways(of: int, chosen: I64) -> F64:
    """The logarithm of how many ways there are to choose so many of so many."""
    return np.asarray(gammaln(of + 1) - gammaln(chosen + 1) - gammaln(of - chosen + 1))
