"""Candidate splits of one party's binned columns, and which of them a pair of nodes may be asked about.

    ordered bins     left: bins 0 … cut; missing values right, or left
    categories       left: one level; right: all others

Sums of two candidates of a column differ by sums over *cells*: the bins between two cuts, a level, or the
missing values. In the root a candidate is kept if every cell that it makes holds `minimum` rows. For two
sibling nodes a cell is told apart in one of two cases:

    mixed    its bins, each counted in the sibling where it holds fewer rows, have `minimum` rows together
    pure     each of its parent's cells lies wholly in one sibling, so that nothing new is told

What was not kept in the parent is not kept in its children. Then whatever is made of the sums of one
column in the nodes of one tree, added and subtracted, speaks of no row or of `minimum` rows: take the lowest
mixed cell in it; its weight differs between the siblings, so that in each bin one of the two has not
cancelled out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import I32, I64, Mask
from saferoom.protocols.bins import BinnedFeature


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

    def split(self, candidate: int, rows: I32) -> Split:
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

    def kept(self, before: Mask, nodes: Sequence[I32], minimum: int) -> Mask:
        """Those of `before` that are kept in these nodes, one or two siblings: (candidates,)."""
        found = np.zeros(len(self), dtype=bool)
        for span, feature in zip(self._spans, self.features, strict=True):
            if not before[span].any():
                continue
            counts = np.stack([np.bincount(feature.bins[rows], minlength=feature.count) for rows in nodes])
            cuts, missing_left = self.cut[span], self.missing_left[span]
            if feature.ordered:
                were = set(cuts[before[span]].tolist())
                apart = bool((before[span] & missing_left).any())
                kept, apart = _kept_cuts(counts, feature.ordered, were, apart, minimum)
                found[span] = np.isin(cuts, kept) & (apart | ~missing_left)
                found[span] &= apart | (cuts < feature.ordered - 1)
            else:
                found[span] = np.isin(cuts, _kept_levels(counts, cuts[before[span]].tolist(), minimum))
        return found


def goes_left(feature: BinnedFeature, split: Split, rows: I32) -> Mask:
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


class _Cell(NamedTuple):
    """Some bins in one or two sibling nodes: rows; those of each bin where they are fewer; see above."""

    rows: int
    fewer: int
    is_pure: bool

    def may_be(self, minimum: int) -> bool:
        """Whether it may be told apart."""
        return self.rows > 0 and (self.fewer >= minimum or self.is_pure)


_NOTHING = _Cell(0, 0, True)


class _Cells:
    """Cells of the parent by their bins, of counts (nodes, bins): differences of running sums."""

    def __init__(self, counts: I64) -> None:
        running = np.zeros((len(counts) + 1, counts.shape[1] + 1), dtype=np.int64)
        np.cumsum(np.vstack([counts, counts.min(axis=0)]), axis=1, out=running[:, 1:])
        *self._of_nodes, self._fewer = running.tolist()
        self.bins = counts.shape[1]

    def whole(self) -> _Cell:
        """All bins."""
        return self.cell(0, self.bins)

    def cell(self, start: int, stop: int) -> _Cell:
        """Bins start … stop - 1."""
        of_nodes = [running[stop] - running[start] for running in self._of_nodes]
        return _Cell(sum(of_nodes), self._fewer[stop] - self._fewer[start], not min(of_nodes))


def _joined(first: _Cell, second: _Cell) -> _Cell:
    return _Cell(first.rows + second.rows, first.fewer + second.fewer, first.is_pure and second.is_pure)


def _kept_cuts(
    counts: I64, ordered: int, before: set[int], apart: bool, minimum: int
) -> tuple[list[int], bool]:
    """The cuts that are kept, from below; and whether the missing values are a cell of their own."""
    cells = _Cells(counts)
    missing = cells.cell(ordered, cells.bins)
    kept: list[int] = []
    closed: list[_Cell] = []
    held, start = _NOTHING, 0
    for cut in sorted(before):
        held = _joined(held, cells.cell(start, cut + 1))
        start = cut + 1
        if held.may_be(minimum):
            kept.append(cut)
            closed.append(held)
            held = _NOTHING
    if not apart:
        held = _joined(held, cells.cell(start, cells.bins))
    else:
        held = _joined(held, cells.cell(start, ordered))
        apart = missing.may_be(minimum)
        held = held if apart else _joined(held, missing)
    while kept and not (held.may_be(minimum) or (apart and not held.rows)):
        kept.pop()
        held = _joined(held, closed.pop())
    return kept, apart


def _kept_levels(counts: I64, before: list[int], minimum: int) -> list[int]:
    """The levels that are kept: each is a cell, and all others together are one."""
    of_bins = _Cells(counts)
    cells = {level: of_bins.cell(level, level + 1) for level in before}
    kept = sorted(
        (level for level in before if cells[level].may_be(minimum)),
        key=lambda level: (-cells[level].rows, level),
    )
    rest = _Cells(np.delete(counts, before, axis=1)).whole()  # one cell of the parent
    for level in set(before) - set(kept):
        rest = _joined(rest, cells[level])
    while kept and rest.rows and not rest.may_be(minimum):
        rest = _joined(rest, cells[kept.pop()])
    return kept
