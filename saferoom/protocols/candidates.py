"""Candidate splits of one party's binned columns, and which of them a pair of nodes may be asked about.

    ordered bins     left: bins 0 … cut, and the missing values at every other cut; or all but the missing
    categories       left: one level; right: all others; in each tree another level is no candidate

A cut has one side for missing values in a tree, the other one in the next. So no two candidates of a column
differ by what two others differ by, nor do the sums of a column's levels add up to those of the node: either
would tell which candidates are of one column.

Sums of two candidates of a column differ by sums over *cells*: the bins between two cuts, a level, or the
missing values. In the root a candidate is kept if every cell that it makes holds `minimum` rows. For two
sibling nodes a cell is told apart in one of two cases:

    mixed    its bins, each counted in the sibling where it holds fewer rows, have `minimum` rows together
    pure     each of its parent's cells lies wholly in one sibling, so that nothing new is told

Where missing values are no cell of their own, they go along with the cells of known ones, and are never all
that is left of a difference; but where there are any, pure cells are not told.
What was not kept in the parent is not kept in its children. Then whatever is made of the sums of one
column in the nodes of one tree, added and subtracted, speaks of no row or of `minimum` rows: take the lowest
mixed cell in it; its weight differs between the siblings, so that in each bin one of the two has not
cancelled out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """All candidates of a list of columns in one tree, in natural order: by column, then cut.

    Columns with ordered bins have at most one more bin, of missing values. Arrays are (candidates,):
    `column` (a place in `features`), `cut`, `missing_left`. `places` are those of the columns among all of
    the party's, if only some of them take part; `tree` is the tree's number.
    """

    def __init__(
        self, features: Sequence[BinnedFeature], places: Sequence[int] | None = None, tree: int = 0
    ) -> None:
        self.features = tuple(features)
        self._places = tuple(range(len(features)) if places is None else places)
        of_columns = [_of(feature, tree + turn) for feature, turn in zip(features, self._places, strict=True)]
        found = [(place, *one) for place, of_column in enumerate(of_columns) for one in of_column]
        table = np.array(found, dtype=np.int64).reshape(-1, 3)
        self.column, self.cut = table[:, 0], table[:, 1]
        self.missing_left: Mask = table[:, 2] == 1
        edges = np.searchsorted(self.column, np.arange(len(self.features) + 1))
        self._spans = [slice(a, b) for a, b in pairwise(edges.tolist())]

    def __len__(self) -> int:
        return len(self.cut)

    def by_column(self) -> Iterator[tuple[BinnedFeature, I64, Mask]]:
        """Each column with the cuts or levels of its candidates, and which send missing values left."""
        for feature, span in zip(self.features, self._spans, strict=True):
            yield feature, self.cut[span], self.missing_left[span]

    def left_sums(self, sums: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Sums over each candidate's left side, (candidates, …); `sums` are (bins, …) of each column."""
        parts = []
        for (feature, cuts, missing_left), of_bins in zip(self.by_column(), sums, strict=True):
            if not feature.ordered:
                parts.append(of_bins[cuts])
                continue
            left = np.cumsum(of_bins[: feature.ordered], axis=0)[cuts]
            if missing_left.any():
                left[missing_left] += of_bins[feature.ordered]
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
        for span, (feature, cuts, missing_left) in zip(self._spans, self.by_column(), strict=True):
            were = before[span]
            if not were.any():
                continue
            counts = np.stack([np.bincount(feature.bins[rows], minlength=feature.count) for rows in nodes])
            if feature.ordered:
                sides = dict(zip(cuts[were].tolist(), missing_left[were].tolist(), strict=True))
                kept = _Cuts(counts, feature.ordered, minimum).kept(sides)
            else:
                kept = _kept_levels(counts, cuts[were].tolist(), minimum)
            found[span] = np.isin(cuts, kept)
        return found


def goes_left(feature: BinnedFeature, split: Split, rows: I32) -> Mask:
    """Which of `rows` go left by a split of this column, (rows,)."""
    bins = feature.bins[rows]
    if not feature.ordered:
        return np.asarray(bins == split.cut)
    left = bins <= split.cut
    return np.asarray(left | (bins >= feature.ordered)) if split.missing_left else np.asarray(left)


def _of(feature: BinnedFeature, turn: int) -> list[tuple[int, bool]]:
    """(cut, missing left) of each candidate of a column; from turn to turn cuts change their side."""
    if not feature.ordered:
        return [(level, False) for level in range(feature.count) if level != turn % feature.count]
    has_missing = feature.count > feature.ordered
    cuts = [(cut, has_missing and (turn + cut) % 2 == 1) for cut in range(feature.ordered - 1)]
    return [*cuts, (feature.ordered - 1, False)] if has_missing else cuts


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


class _Cuts:
    """Which cuts of a column with ordered bins are kept, of counts (nodes, bins)."""

    def __init__(self, counts: I64, ordered: int, minimum: int) -> None:
        self._cells, self._ordered, self._minimum = _Cells(counts), ordered, minimum
        self._missing = self._cells.cell(ordered, self._cells.bins)

    def kept(self, before: Mapping[int, bool]) -> list[int]:
        """Those of the parent's cuts, from below, of which it is given whether missing values go left.

        The last one, above all known values, tells the missing values apart.
        """
        top = self._ordered - 1
        apart = self._missing.rows > 0 and top in before and self._missing.may_be(self._minimum)
        kept: list[int] = []
        closed: list[_Cell] = []
        held, start = _NOTHING, 0
        for cut in sorted(before.keys() - {top}):
            held = _joined(held, self._cells.cell(start, cut + 1))
            start = cut + 1
            if self._may_be(held, apart):
                kept.append(cut)
                closed.append(held)
                held = _NOTHING
        held = _joined(held, self._cells.cell(start, self._ordered))
        while kept and not self._may_be(held if apart or before[kept[-1]] else self._whole(held), apart):
            kept.pop()
            held = _joined(held, closed.pop())
        return [*kept, top] if apart and self._may_be(held, apart) else kept

    def _may_be(self, cell: _Cell, apart: bool) -> bool:
        """Whether a cell of known values, and of missing ones if these go along, may be told apart."""
        if apart or not self._missing.rows:
            return cell.may_be(self._minimum)
        return cell.fewer >= self._minimum

    def _whole(self, last: _Cell) -> _Cell:
        """The last cell where missing values stand right of the last cut."""
        return _joined(last, self._missing)


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
