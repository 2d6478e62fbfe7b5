"""Merging pre-bins: the partition with the highest information value among those a credit officer accepts.

    ascending, descending    WOE rises, or falls, from bin to bin
    valley, peak             it falls and then rises (U-shaped), or rises and then falls
    auto                     the best monotone partition; a U-shaped one if its IV is clearly higher; any, if
                             that of it is clearly higher again

Numbers are merged with their neighbours. Categories are put in order of their WOE first, and then merged
like numbers whose WOE rises. The best partition is found by dynamic programming over (bins so far, last
bin), which is exact. Special codes and missing values stay bins of their own. Bins that hold too few rows
to judge by join the one that is nearest in risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.models.scorecard.binning import Codes
from saferoom.models.scorecard.woe import BinCounts, woe_of
from saferoom.protocols.bins import numbered

Trend: TypeAlias = Literal["auto", "monotone", "none"]

TURN_GAIN = 1.1
"""A partition that turns more often must have this much more IV …"""
SURE_GAIN = {"once": 10.0, "often": 30.0}
"""… and so much more of IV × goods × bads / rows, which is about chi-square: the best of many partitions."""
MOST_SEGMENTS = 100
"""More categories than this are put together by WOE before the best partition is looked for."""


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """What final bins must be.

    At most `max_bins` of ordinary values, each with `minimum_rows` and `minimum_events`; bins beside them, of
    missing values and special codes, with `lone_rows`.
    """

    max_bins: int = 6
    minimum_rows: int = 1
    minimum_events: int = 0
    trend: Trend = "auto"
    lone_rows: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """`groups` (b,): the final bin of each pre-bin. `trend_loss`: IV that the trend cost."""

    groups: Codes
    trend_loss: float = 0.0


def merge_bins(
    counts: BinCounts, ordered: int, settings: MergeSettings, alone: tuple[int, ...] = ()
) -> Merged:
    """The final bins of pre-bins (b,).

    `ordered`: how many of the bins, the first ones, are in order; the others are kept as they are. With
    none in order, all but those `alone` are categories, which are grouped by WOE. Empty ones stay aside: what
    falls into them later counts as average, and not as whatever group has room for it.
    """
    size = len(counts.rows)
    aside = sorted({*alone, *np.flatnonzero(counts.rows == 0).tolist()})
    lone = np.array(aside if not ordered else range(ordered, size), dtype=np.int64)
    main = np.setdiff1d(np.arange(size), lone)
    groups = np.empty(size, dtype=np.int64)
    found = _main_groups(counts, main, ordered, settings) if len(main) else Merged(np.zeros(0, np.int64))
    groups[main] = found.groups
    groups[lone] = found.groups.max(initial=-1) + 1 + np.arange(len(lone))
    return Merged(_few_joined(counts, groups, settings.lone_rows), found.trend_loss)


def _main_groups(counts: BinCounts, main: Codes, ordered: int, settings: MergeSettings) -> Merged:
    if ordered:
        return _best(counts, main, settings, _TRENDS[settings.trend])
    by_woe = main[np.argsort(counts.cautious_woe()[main], kind="stable")]
    coarse = _coarse(counts.rows[by_woe])
    segments = counts_of(counts, by_woe).grouped(coarse)
    found = _best(segments, np.arange(len(segments.rows)), settings, ("ascending",))
    groups = np.empty(len(main), dtype=np.int64)
    groups[np.searchsorted(main, by_woe)] = found.groups[coarse]
    return Merged(groups)


def counts_of(counts: BinCounts, places: Codes) -> BinCounts:
    """The counts of these bins alone."""
    unsure = None if counts.estimated is None else counts.estimated[places]
    return BinCounts(counts.rows[places], counts.events[places], unsure)


def _coarse(rows: NDArray[np.int64]) -> Codes:
    """Numbers from 0 for neighbours: at most MOST_SEGMENTS, of about the same number of rows."""
    if len(rows) <= MOST_SEGMENTS:
        return np.arange(len(rows))
    middle = np.cumsum(rows) - rows / 2
    return np.unique(np.floor(middle / max(rows.sum(), 1) * MOST_SEGMENTS), return_inverse=True)[1]


def _few_joined(counts: BinCounts, groups: Codes, least: int) -> Codes:
    """Groups with fewer than `least` rows join the nearest in risk, the smallest one first."""
    while True:
        merged = counts.grouped(groups)
        few = np.flatnonzero(merged.rows < least)
        if not len(few) or len(merged.rows) == 1:
            return groups
        one = few[np.argmin(merged.rows[few])]
        away = np.abs(merged.cautious_woe() - merged.cautious_woe()[one])
        away[one] = np.inf
        joined = np.where(groups == one, np.argmin(away), groups)
        groups = numbered(joined)


_TRENDS: dict[Trend, tuple[str, ...]] = {
    "auto": ("ascending", "descending", "valley", "peak", "any"),
    "monotone": ("ascending", "descending", "any"),
    "none": ("any",),
}


def _best(
    counts: BinCounts, order: NDArray[np.int64], settings: MergeSettings, trends: tuple[str, ...]
) -> Merged:
    """Group numbers, rising from 0, for the pre-bins in this order."""
    table = _Segments.of(counts, order, settings)
    found = {trend: table.best(trend, settings.max_bins) for trend in trends}
    straight = _higher(found, "ascending", "descending") or found["any"]
    chosen = straight
    if settings.trend == "auto":
        weight = counts.goods.sum() * counts.events.sum() / max(int(counts.rows.sum()), 1)
        for turns, other in (("once", _higher(found, "valley", "peak")), ("often", found.get("any"))):
            if other and _is_clearly_higher(other[0], chosen[0], float(weight), SURE_GAIN[turns]):
                chosen = other
    loss = max(found["any"][0] - chosen[0], 0.0) if "any" in found and chosen[1] else 0.0
    cuts = chosen[1]
    groups = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts)) if cuts else np.zeros(len(order), np.int64)
    return Merged(groups, loss)


def _higher(
    found: dict[str, tuple[float, list[int]]], one: str, other: str
) -> tuple[float, list[int]] | None:
    pair = [found[trend] for trend in (one, other) if trend in found]
    return max(pair, key=lambda part: part[0], default=None)


def _is_clearly_higher(iv: float, than: float, weight: float, sure: float) -> bool:
    return iv > TURN_GAIN * max(than, 0.0) and (iv - max(than, 0.0)) * weight > sure


@dataclass(frozen=True, slots=True, eq=False)
class _Segments:
    """WOE and IV of every run of pre-bins [i, j): (b + 1, b + 1); IV is -inf where a run is too small."""

    woe: F64
    iv: F64

    @classmethod
    def of(cls, counts: BinCounts, order: NDArray[np.int64], settings: MergeSettings) -> _Segments:
        goods, bads = (np.append(0, np.cumsum(c[order])) for c in (counts.goods, counts.events))
        g, b = goods[None, :] - goods[:, None], bads[None, :] - bads[:, None]
        all_goods, all_bads = int(counts.goods.sum()), int(counts.events.sum())
        woe = woe_of(g, b, all_goods, all_bads)
        iv = (g / max(all_goods, 1) - b / max(all_bads, 1)) * woe
        fits = (g + b >= settings.minimum_rows) & (b >= settings.minimum_events)
        fits &= np.triu(np.ones_like(fits), 1)
        return cls(woe, np.where(fits, iv, -np.inf))

    def reversed(self) -> _Segments:
        """The same runs, counted from the other end."""
        return _Segments(self.woe[::-1, ::-1].T, self.iv[::-1, ::-1].T)

    def best(self, trend: str, most: int) -> tuple[float, list[int]]:
        """The highest IV of at most `most` bins, and the cuts 0 … b that give it; none if nothing fits."""
        if trend in {"valley", "peak"}:
            return self._best_turned(-1.0 if trend == "valley" else 1.0, most)
        sign = {"ascending": 1.0, "descending": -1.0, "any": 0.0}[trend]
        scores, before = self._prefixes(sign, most)
        b = len(self.iv) - 1
        k, i = np.unravel_index(int(np.argmax(scores[:, :, b])), scores[:, :, b].shape)
        value = float(scores[k, i, b])
        return value, _trace(before, int(k), int(i), b) if value > -np.inf else []

    def _prefixes(self, sign: float, most: int) -> tuple[F64, NDArray[np.int64]]:
        """scores[k, i, j].

        Best IV of k + 1 bins over [0, j), the last of which is [i, j); and where it began.
        """
        b = len(self.iv) - 1
        scores = np.full((most, b + 1, b + 1), -np.inf)
        before = np.zeros((most, b + 1, b + 1), dtype=np.int64)
        scores[0, 0] = self.iv[0]
        for k in range(1, most):
            for i in range(1, b):
                rises = sign * (self.woe[i][None, :] - self.woe[:i, i][:, None]) >= 0
                reached = np.where(rises, scores[k - 1, :i, i][:, None], -np.inf)
                before[k, i] = np.argmax(reached, axis=0)
                scores[k, i] = reached[before[k, i], np.arange(b + 1)] + self.iv[i]
        return scores, before

    def _best_turned(self, sign: float, most: int) -> tuple[float, list[int]]:
        """Up to a turning bin [i, j) and back: prefixes from both ends that share it."""
        b = len(self.iv) - 1
        left, left_before = self._prefixes(sign, most)
        right, right_before = self.reversed()._prefixes(sign, most)
        best: tuple[float, int, int, int, int] = (-np.inf, 0, 0, 0, 0)
        for k in range(most):
            for m in range(most - k):
                with np.errstate(invalid="ignore"):
                    both = left[k] + right[m][::-1, ::-1].T - self.iv
                both[np.isnan(both)] = -np.inf
                place = int(np.argmax(both))
                if both.flat[place] > best[0]:
                    best = (float(both.flat[place]), k, m, *divmod(place, b + 1))
        value, k, m, i, j = best
        if value == -np.inf:
            return value, []
        tail = [b - cut for cut in _trace(right_before, m, b - j, b - i)]
        return value, sorted({*_trace(left_before, k, i, j), *tail})


def _trace(before: NDArray[np.int64], k: int, i: int, j: int) -> list[int]:
    """Cuts of the prefix whose last bin, of k + 1, is [i, j)."""
    cuts = [j, i]
    while k > 0:
        i, j = int(before[k, i, j]), i
        k -= 1
        cuts.append(i)
    return cuts[::-1]
