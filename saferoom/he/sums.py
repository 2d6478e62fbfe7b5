"""Sums of encrypted rows by bin, for many features at once: products of ciphertexts.

Features are taken together in groups and their rows added into *joint cells*, one multiplication a row for
the whole group; the sums of a single feature are products of cells. The fullest cell of a group is not added
up at all: it is the product of all rows divided by the other cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

ROWS_PER_CELL = 8
"""Features are joined as long as their cells are at most a eighth of the rows."""


@dataclass(frozen=True, slots=True)
class Group:
    """Features that are added up together: their places, bin counts, fullest cell and cost in rows."""

    features: tuple[int, ...]
    counts: tuple[int, ...]
    fullest: int
    cost: int

    @property
    def cells(self) -> int:
        return math.prod(self.counts)

    def cells_of(self, columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
        """The joint cell of every row; `columns` are those of all features."""
        cells = np.zeros(len(columns[self.features[0]]), dtype=np.int64)
        for feature, count in zip(self.features, self.counts, strict=True):
            cells = cells * count + columns[feature]
        return cells


def grouped(columns: Sequence[NDArray[Any]], counts: Sequence[int]) -> list[Group]:
    """All features in groups, greedily from the fewest bins up."""
    rows = len(columns[0]) if columns else 0
    together: list[list[int]] = []
    for feature in sorted(range(len(columns)), key=lambda f: counts[f]):
        joint = counts[feature] * math.prod(counts[f] for f in together[-1]) if together else 0
        if together and joint <= rows // ROWS_PER_CELL:
            together[-1].append(feature)
        else:
            together.append([feature])
    return [_group(features, columns, counts) for features in together]


def _group(features: Sequence[int], columns: Sequence[NDArray[Any]], counts: Sequence[int]) -> Group:
    bare = Group(tuple(features), tuple(counts[f] for f in features), 0, 0)
    rows = np.bincount(bare.cells_of(columns), minlength=bare.cells)
    fullest = int(rows.argmax())
    cost = int(rows.sum() - rows[fullest]) + len(features) * bare.cells
    return Group(bare.features, bare.counts, fullest, cost)


def shared_out(groups: Sequence[Group], workers: int) -> list[list[Group]]:
    """The groups split among workers, the costliest first to whoever has least."""
    shares: list[list[Group]] = [[] for _ in range(workers)]
    costs = [0] * workers
    for group in sorted(groups, key=lambda g: -g.cost):
        least = costs.index(min(costs))
        shares[least].append(group)
        costs[least] += group.cost
    return shares


class GroupSums:
    """The cells of one group, filled chunk by chunk."""

    def __init__(self, group: Group, modulus: mpz) -> None:
        self._group, self._modulus = group, modulus
        self._cells = [mpz(1)] * group.cells

    def add(self, ciphertexts: Sequence[mpz], cells: Sequence[int]) -> None:
        """Multiply each row's ciphertext into its cell."""
        sums, modulus, fullest = self._cells, self._modulus, self._group.fullest
        for ciphertext, cell in zip(ciphertexts, cells, strict=True):
            if cell != fullest:
                sums[cell] = sums[cell] * ciphertext % modulus

    def finish(self, total: mpz) -> dict[int, list[mpz]]:
        """The sums of each feature's bins; `total` is the product of all rows."""
        modulus, cells = self._modulus, self._cells
        others = mpz(1)
        for cell in cells:
            others = others * cell % modulus
        cells[self._group.fullest] = total * gmpy2.invert(others, modulus) % modulus
        sums = {
            f: [mpz(1)] * count for f, count in zip(self._group.features, self._group.counts, strict=True)
        }
        for cell, place in zip(cells, np.ndindex(self._group.counts), strict=True):
            for feature, bin_number in zip(self._group.features, place, strict=True):
                sums[feature][bin_number] = sums[feature][bin_number] * cell % modulus
        return sums
