"""All of a feature holder's bins as slots in an order that it alone knows.

Of each column a random part of the fullest slot's rows is left out, and so are rows of bins that are too
small for a slot: what is sent of a column does not add up to the events of all rows. Else the label holder
could tell which slots are of one column, if they are few.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from saferoom.protocols.bin_groups import ColumnGroups
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums

T = TypeVar("T")

NOT_ASKED = np.uint32(0xFFFFFFFF)


class ShuffledBins:
    """The slots of all columns, shuffled, and how they are grouped. Never printed.

    counts   how many sums each column has: its slots, and last what is left out
    columns  which of them every row is in, column by column: what sums are made by
    """

    def __init__(self, features: Sequence[BinnedFeature], rows: int, minimums: Minimums) -> None:
        """Raises ShapeError, RefusedError."""
        self._columns = [ColumnGroups(feature, rows, minimums) for feature in features]
        self.counts = [column.slots + 1 for column in self._columns]
        self.columns = [_with_rows_left_out(column, minimums.rows) for column in self._columns]
        self._starts = np.cumsum([0, *(column.slots for column in self._columns)])
        self.slots = int(self._starts[-1])
        order = list(range(self.slots))
        secrets.SystemRandom().shuffle(order)
        self._order = np.array(order, dtype=np.int64)
        self._shown = np.zeros(0, dtype=np.int64)

    def __repr__(self) -> str:
        return f"ShuffledBins(columns={len(self._columns)}, slots={self.slots})"

    def shuffled(self, values: Sequence[Sequence[T]]) -> list[T]:
        """One value a sum, column by column -> one a slot; those of what is left out are dropped."""
        flat = [value for column in values for value in column[:-1]]
        return [flat[place] for place in self._order]

    def groups(self) -> NDArray[np.uint32]:
        """The group of each slot, numbered as they appear: numbers say nothing that the order hides."""
        return self._show([np.arange(column.groups) for column in self._columns])

    def asked(self) -> NDArray[np.uint32]:
        """As `groups`; NOT_ASKED for slots whose counts are not wanted."""
        return self._show([column.asked() for column in self._columns])

    @property
    def shown(self) -> int:
        """How many groups `groups` or `asked`, whichever came last, named."""
        return len(self._shown)

    def learn(self, enough: NDArray[Any]) -> None:
        """`enough` (shown,) says which of `groups` hold enough events."""
        for column, flags in zip(self._columns, self._by_column(enough != 0), strict=True):
            column.learn(flags)

    def pair(self) -> None:
        for column in self._columns:
            column.pair()

    def settle(self, total: NDArray[np.int64]) -> None:
        for column in self._columns:
            column.settle(total)

    def finish(self, told: NDArray[np.int64], total: NDArray[np.int64]) -> list[FeatureCounts]:
        """`told` (shown, classes) of what was `asked`, `total` (classes,) -> the counts of each column.

        Raises ShapeError for counts that cannot be.
        """
        parts = self._by_column(told)
        return [column.counts(part, total) for column, part in zip(self._columns, parts, strict=True)]

    def _show(self, chosen: Sequence[NDArray[np.int64]]) -> NDArray[np.uint32]:
        """Of each column the `chosen` groups, under names in order of appearance."""
        names, start = [], 0
        for column, groups in zip(self._columns, chosen, strict=True):
            names.append(_named(column.group, groups, start))
            start += len(groups)
        slots = np.concatenate(names)[self._order]
        seen, first = np.unique(slots[slots >= 0], return_index=True)
        self._shown = seen[np.argsort(first)]
        ranks = np.empty(len(seen) + 1, dtype=np.uint32)
        ranks[self._shown], ranks[-1] = np.arange(len(seen)), NOT_ASKED
        self._sizes = [len(groups) for groups in chosen]
        return ranks[slots]

    def _by_column(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        ordered = np.empty_like(values)
        ordered[self._shown] = values
        return np.split(ordered, np.cumsum(self._sizes)[:-1])


def _named(group: NDArray[np.int64], chosen: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    """For each slot the place of its group among the `chosen` ones, counted from `start`; or -1."""
    places = np.full(int(group.max()) + 1, -1)
    places[chosen] = start + np.arange(len(chosen))
    return places[group]


def _with_rows_left_out(column: ColumnGroups, least: int) -> NDArray[np.uint32]:
    """The slot of every row, less a tenth to a third of the fullest slot's: `least` and more stay in it."""
    slots = column.slot_of_rows()
    mine = np.flatnonzero(slots == column.fullest)
    fewest, most = len(mine) // 10, len(mine) // 3
    count = max(min(fewest + secrets.randbelow(most - fewest + 1), len(mine) - least), 0)
    keys = np.frombuffer(os.urandom(8 * len(mine)), dtype=np.uint64)
    slots[mine[np.argsort(keys)[:count]]] = column.slots
    return slots.astype(np.uint32)
