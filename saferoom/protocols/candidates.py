"""Candidate splits of one party's binned columns, and which of them a pair of nodes may be asked about.

    ordered bins     left: bins 0 … cut; missing values right, or left
    categories       left: one level; right: all others

Sums of two candidates differ by the sum over a *cell*: the bins between two cuts, a level, or the missing
values. A candidate is kept in a pair of sibling nodes only if every cell that it makes holds no row or
`minimum` rows in each of the two, so that neither sums nor differences, nor what is left after a sibling is
subtracted, speak of fewer. What was not kept in the parent is not kept in its children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.protocols.bins import BinnedFeature

Mask: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Split:
    """A split of a party's `column`: `cut` is the last bin, or the level, on the left."""

    column: int
    cut: int
    missing_left: bool


class Candidates:
    """All candidates of a list of columns, in natural order: by column, then cut, missing right before left.

    Columns with ordered bins have at most one more bin, of missing values. Arrays are (candidates,):
    `column` (a place in `features`), `cut`, `missing_left`. `places` are those of the columns among all of
    the party's, if only some of them take part.
    """

    def __init__(self, features: Sequence[BinnedFeature], places: Sequence[int] | None = None) -> None:
        self.features = tuple(features)
        self._places = tuple(range(len(features)) if places is None else places)
        found = [(place, *one) for place, feature in enumerate(features) for one in _of(feature)]
        table = np.array(found, dtype=np.int64).reshape(-1, 3)
        self.column, self.cut = table[:, 0], table[:, 1]
        self.missing_left: Mask = table[:, 2] == 1
        edges = np.searchsorted(self.column, np.arange(len(self.features) + 1))
        self._spans = [slice(a, b) for a, b in pairwise(edges.tolist())]

    def __len__(self) -> int:
        return len(self.cut)

    def left_sums(self, sums: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Sums over each candidate's left side, (candidates, …); `sums` are (bins, …) of each column."""
        parts = []
        for span, feature, of_bins in zip(self._spans, self.features, sums, strict=True):
            cuts = self.cut[span]
            if not feature.ordered:
                parts.append(of_bins[cuts])
                continue
            left = np.cumsum(of_bins[: feature.ordered], axis=0)[cuts]
            if feature.count > feature.ordered:
                left[self.missing_left[span]] += of_bins[feature.ordered]
            parts.append(left)
        return np.concatenate(parts) if parts else np.zeros((0, *sums[0].shape[1:]) if sums else 0)

    def split(self, candidate: int, rows: Rows) -> Split:
        """The split that a candidate makes of a node's summed `rows`.

        Where none of them misses the value, later ones that do go where most rows go, left if as many.
        """
        column = int(self.column[candidate])
        feature, cut, missing_left = self.features[column], int(self.cut[candidate]), False
        if feature.ordered:
            bins = feature.bins[rows]
            missing_left = bool(self.missing_left[candidate])
            if not (bins >= feature.ordered).any():
                missing_left = bool(2 * np.count_nonzero(bins <= cut) >= len(bins))
        return Split(self._places[column], cut, missing_left)

    def kept(self, before: Mask, nodes: Sequence[Rows], minimum: int) -> Mask:
        """Those of `before` that are kept in these nodes, one or two siblings: (candidates,)."""
        found = np.zeros(len(self), dtype=bool)
        for span, feature in zip(self._spans, self.features, strict=True):
            if not before[span].any():
                continue
            counts = [np.bincount(feature.bins[rows], minlength=feature.count) for rows in nodes]
            cells = np.stack(counts, axis=1).tolist()
            cuts, missing_left = self.cut[span], self.missing_left[span]
            if feature.ordered:
                were = set(cuts[before[span]].tolist())
                apart = bool((before[span] & missing_left).any())
                kept, apart = _kept_cuts(cells, feature.ordered, were, apart, minimum)
                found[span] = np.isin(cuts, kept) & (apart | ~missing_left)
                found[span] &= apart | (cuts < feature.ordered - 1)
            else:
                found[span] = np.isin(cuts, _kept_levels(cells, cuts[before[span]].tolist(), minimum))
        return found


def goes_left(feature: BinnedFeature, split: Split, rows: Rows) -> Mask:
    """Which of `rows` go left by a split of this column, (rows,)."""
    bins = feature.bins[rows]
    if not feature.ordered:
        return np.asarray(bins == split.cut)
    left = bins <= split.cut
    return np.asarray(left | (bins >= feature.ordered)) if split.missing_left else np.asarray(left)


def _of(feature: BinnedFeature) -> list[tuple[int, int]]:
    """(cut, missing left) of each candidate of a column."""
    if not feature.ordered:
        return [(level, 0) for level in range(feature.count)]
    if feature.count == feature.ordered:
        return [(cut, 0) for cut in range(feature.ordered - 1)]
    both = [(cut, left) for cut in range(feature.ordered - 1) for left in (0, 1)]
    return [*both, (feature.ordered - 1, 0)]


def _may_be(cell: Sequence[int], minimum: int) -> bool:
    """Whether a cell, with its rows in each node, may be told apart."""
    return any(cell) and all(rows == 0 or rows >= minimum for rows in cell)


def _kept_cuts(
    cells: list[list[int]], ordered: int, before: set[int], apart: bool, minimum: int
) -> tuple[list[int], bool]:
    """The cuts that are kept, from below; and whether the missing values are a cell of their own."""
    nothing = [0] * len(cells[0])
    missing = cells[ordered] if len(cells) > ordered else nothing
    apart = apart and _may_be(missing, minimum)
    kept: list[int] = []
    closed: list[list[int]] = []
    held = nothing
    for cut in range(ordered):
        held = _sum(held, cells[cut])
        if cut in before and _may_be(held, minimum):
            kept.append(cut)
            closed.append(held)
            held = nothing
    held = held if apart else _sum(held, missing)
    while kept and not (_may_be(held, minimum) or (apart and not any(held))):
        kept.pop()
        held = _sum(held, closed.pop())
    return kept, apart


def _kept_levels(cells: list[list[int]], before: list[int], minimum: int) -> list[int]:
    """The levels that are kept: each is a cell, and all others together are one."""
    kept = [level for level in before if _may_be(cells[level], minimum)]
    rest = [0] * len(cells[0])
    for level in set(range(len(cells))) - set(kept):
        rest = _sum(rest, cells[level])
    kept.sort(key=lambda level: (-sum(cells[level]), level))
    while kept and any(rest) and not _may_be(rest, minimum):
        rest = _sum(rest, cells[kept.pop()])
    return kept


def _sum(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip(first, second, strict=True)]
