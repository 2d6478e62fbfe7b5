"""Merging pre-bins: the partition with the highest information value among those a credit officer accepts.

    ascending, descending    WOE rises, or falls, from bin to bin
    valley, peak             it falls and then rises (U-shaped), or rises and then falls
    auto                     the best monotone partition; a U-shaped one only if its IV is clearly higher

Numbers are merged with their neighbours; special codes and missing values stay bins of their own.
Categories are put in order of their WOE first, and then merged like numbers whose WOE rises. The best
partition is found by dynamic programming over (bins so far, last bin), which is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.models.scorecard.binning import Codes
from saferoom.models.scorecard.woe import BinCounts, woe_of

Trend: TypeAlias = Literal["auto", "monotone", "none"]

_TURN_GAIN = 1.2
"""A U-shaped partition must have this much more IV than the best monotone one."""


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """What final bins must be: at most `max_bins` of ordinary values, each with so many rows and events."""

    max_bins: int = 6
    minimum_rows: int = 1
    minimum_events: int = 0
    trend: Trend = "auto"


def merge_bins(counts: BinCounts, ordered: int, settings: MergeSettings) -> Codes:
    """The final bin of each pre-bin: (b,) -> (b,).

    `ordered`: how many of the bins, the first ones, are in order; the others are kept as they are, after
    them. With none in order, all are categories, which are grouped by WOE.
    """
    size = len(counts.rows)
    if not ordered:
        order = np.argsort(counts.woe(), kind="stable")
        groups = np.empty(size, dtype=np.int64)
        groups[order] = _best(counts, order, settings, ("ascending",))
        return groups
    trends = _TRENDS[settings.trend]
    main = _best(counts, np.arange(ordered), settings, trends)
    return np.concatenate([main, main.max(initial=-1) + 1 + np.arange(size - ordered)]).astype(np.int64)


_TRENDS: dict[Trend, tuple[str, ...]] = {
    "auto": ("ascending", "descending", "valley", "peak"),
    "monotone": ("ascending", "descending"),
    "none": ("any",),
}


def _best(
    counts: BinCounts, order: NDArray[np.int64], settings: MergeSettings, trends: tuple[str, ...]
) -> Codes:
    """Group numbers, rising from 0, for the pre-bins in this order."""
    table = _Segments.of(counts, order, settings)
    found = [table.best(trend, settings.max_bins) for trend in trends]
    straight = max(found[:2], key=lambda one: one[0])
    turned = max(found[2:], key=lambda one: one[0], default=(-np.inf, []))
    _, cuts = turned if turned[0] > _TURN_GAIN * straight[0] > 0 else straight
    return (
        np.repeat(np.arange(len(cuts) - 1), np.diff(cuts)) if cuts else np.zeros(len(order), dtype=np.int64)
    )


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
