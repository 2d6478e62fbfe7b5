"""Sums of encrypted rows by bin, for many features at once: products of ciphertexts.

Two features are taken together where that is less work: rows are added into their *joint cells*, one product
a row for both, and the sums of either feature are products of cells. Pairs join further in the same way, and
only cells that hold rows count. The fullest cell of a group need not be added up: it is the product of all
rows, known from another group, divided by the other cells.

    cells of (a, b)   → cells of a → bins of a
                      → cells of b → bins of b
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gmpy2
import numpy as np
from numpy.typing import NDArray

from saferoom.he.products import Numbers, Products, numbers_of, values_of

DIVISION_COST = 200
"""A division takes as long as so many products, at most."""
_SPARSE = 4
"""Joint cells that could be so many times more than the rows are not counted, let alone joined."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One feature, or two groups joined. Cells are numbered without gaps; each holds rows."""

    cells: NDArray[np.int64]
    """(rows,) the cell of each row."""
    sizes: NDArray[np.int64]
    """(cells,) how many rows each holds."""
    parts: tuple[tuple[Group, NDArray[np.int64]], ...] = ()
    """Of a joined group: both parts, and to which of its cells each cell belongs."""
    feature: int = -1
    bins: NDArray[np.int64] | None = None
    """Of a single feature: the bin that each cell is."""
    skips: bool = False
    """Whether the fullest cell is left out, and comes from the product of all rows."""

    @property
    def apart(self) -> int:
        """Products that it takes to come from the cells to the features' bins."""
        return sum(len(self.sizes) + part.apart for part, _ in self.parts)

    @property
    def fullest(self) -> int:
        return int(self.sizes.argmax())

    @property
    def saved(self) -> int:
        """Products that are saved by leaving out the fullest cell; negative if that costs more."""
        return int(self.sizes.max(initial=0)) - len(self.sizes) - DIVISION_COST

    @property
    def cost(self) -> int:
        """Products in all."""
        return len(self.cells) - max(self.saved, 0) + self.apart


def grouped(columns: Sequence[NDArray[Any]], counts: Sequence[int]) -> list[Group]:
    """All features in groups: always the two with the fewest cells are joined, while that is less work."""
    singles = [_single(f, column, counts[f]) for f, column in enumerate(columns)]
    queue = [(len(group.sizes), place, group) for place, group in enumerate(singles)]
    heapq.heapify(queue)
    done: list[Group] = []
    while queue:
        _, place, first = heapq.heappop(queue)
        joined = _joined(first, queue[0][2]) if queue else None
        if joined is None or joined.cost >= first.cost + queue[0][2].cost:
            done.append(first)
        else:
            heapq.heapreplace(queue, (len(joined.sizes), place, joined))
    return _skipping(done)


def _single(feature: int, column: NDArray[Any], count: int) -> Group:
    sizes = np.bincount(column, minlength=count)
    bins = np.flatnonzero(sizes)
    return Group(_renumbered(sizes)[column], sizes[bins], feature=feature, bins=bins)


def _joined(one: Group, other: Group) -> Group | None:
    width = len(other.sizes)
    if len(one.sizes) * width > _SPARSE * len(one.cells):
        return None
    cells = one.cells * width + other.cells
    sizes = np.bincount(cells, minlength=len(one.sizes) * width)
    filled = np.flatnonzero(sizes)
    parts = (one, filled // width), (other, filled % width)
    return Group(_renumbered(sizes)[cells], sizes[filled], parts)


def _renumbered(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """New numbers of the cells: those that hold rows from 0, without gaps."""
    return np.cumsum(sizes > 0) - 1


def _skipping(groups: list[Group]) -> list[Group]:
    """Those that gain by it leave out their fullest cell; but one group has all rows."""
    groups.sort(key=lambda group: group.saved)
    return [replace(group, skips=place > 0 and group.saved > 0) for place, group in enumerate(groups)]


class CellSums:
    """The sums of some features' bins, filled chunk by chunk."""

    def __init__(self, products: Products, columns: Sequence[NDArray[Any]], counts: Sequence[int]) -> None:
        """`columns` are (rows,) bins of each feature, for all rows that will come."""
        self._products, self._counts = products, counts
        self._groups = grouped(columns, counts)
        self._firsts = np.cumsum([0, *(len(group.sizes) for group in self._groups)])
        self._cells: Numbers | None = None
        self._rows = 0

    def add(self, numbers: Numbers, rows: NDArray[Any]) -> None:
        """The next rows: numbers[rows]."""
        begin, self._rows = self._rows, self._rows + len(rows)
        picks, lengths = [rows[:0]], [rows[:0]]
        for group, first in zip(self._groups, self._firsts[:-1], strict=True):
            cells, places = group.cells[begin : self._rows], rows
            if group.skips:
                taken = cells != group.fullest
                cells, places = cells[taken], rows[taken]
            if self._cells is not None:
                every = np.arange(len(group.sizes))
                cells, places = np.append(cells, every), np.append(places, len(numbers) + first + every)
            picks.append(places[_sorted(cells)])
            lengths.append(np.bincount(cells, minlength=len(group.sizes)))
        table = numbers if self._cells is None else np.concatenate([numbers, self._cells])
        self._cells = self._products.runs(table, np.concatenate(picks), np.cumsum(np.concatenate(lengths)))

    def finish(self) -> list[Numbers]:
        """Of each feature the sums of its bins, once all rows were added. An empty bin is 1."""
        cells = numbers_of(self._products, []) if self._cells is None else self._cells
        of_groups = np.split(cells, self._firsts[1:-1]) if self._groups else []
        pairs = list(zip(self._groups, of_groups, strict=True))
        for group, sums in pairs:
            if group.skips:
                self._fill(sums, group.fullest, self._product(of_groups[0]))
        while any(group.parts for group, _ in pairs):
            pairs = self._apart(pairs)
        ones = self._products.runs(cells, self._firsts[:0], np.zeros(sum(self._counts), dtype=np.int64))
        found = np.split(ones, np.cumsum(self._counts)[:-1]) if self._counts else []
        for group, sums in pairs:
            found[group.feature][group.bins] = sums
        return found

    def _fill(self, sums: Numbers, fullest: int, whole: Numbers) -> None:
        """Divide the product of all rows by that of the other cells: the fullest still is 1."""
        total, rest = values_of(self._products, np.concatenate([whole, self._product(sums)]))
        modulus = self._products.modulus
        sums[fullest] = numbers_of(self._products, [total * gmpy2.invert(rest, modulus) % modulus])[0]

    def _product(self, numbers: Numbers) -> Numbers:
        return self._products.runs(numbers, np.arange(len(numbers)), np.array([len(numbers)]))

    def _apart(self, pairs: Sequence[tuple[Group, Numbers]]) -> list[tuple[Group, Numbers]]:
        """Joined groups taken apart once, all in one go: the sums of the cells of either part."""
        joined = [(group, sums) for group, sums in pairs if group.parts]
        parts, picks, lengths, first = [], [], [], 0
        for group, sums in joined:
            for part, places in group.parts:
                parts.append(part)
                picks.append(first + _sorted(places))
                lengths.append(np.bincount(places, minlength=len(part.sizes)))
            first += len(sums)
        table, ends = np.concatenate([sums for _, sums in joined]), np.cumsum(np.concatenate(lengths))
        found = self._products.runs(table, np.concatenate(picks), ends)
        of_parts = np.split(found, np.cumsum([len(part.sizes) for part in parts])[:-1])
        return [pair for pair in pairs if not pair[0].parts] + list(zip(parts, of_parts, strict=True))


def _sorted(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order that puts equal keys together; numpy sorts 16-bit numbers by radix."""
    small = len(keys) > 0 and int(keys.max()) < 1 << 16
    return np.argsort(keys.astype(np.uint16) if small else keys, kind="stable")
