"""One column of a feature holder on its way to counts: which bins are put together, what is said of the rest.

    slots    bins of at least the minimum of rows; the others are in no sum that leaves the feature holder
    pair     ordered slots with too few events join neighbours that have too few as well, and so do categories
    settle   ordered slots that still hold too few join a neighbour that holds enough
    held     the group of the fullest slot: its count is not told, but follows from the total
    counts   those of slots with enough events; what has too few is put at an estimate

A slot keeps what it has when others join it, so nobody is told a count of a part of what he was told. What
is left over with too few rows or events keeps a bin of its own, and the events in it lie hidden in the count
of the slot that is held: `counts` estimates them from what is known in any case, the total and the minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import RefusedError, ShapeError
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums, checked_labels, numbered, sums_by

PAIRINGS = 3
"""How often slots that hold too few events are put together in pairs: up to eight become one."""

_NONE = -1


class ColumnGroups:
    """The slots of one column, and how they are grouped. `group` (slots,) rises from 0. Never printed."""

    def __init__(self, feature: BinnedFeature, rows: int, minimums: Minimums) -> None:
        """Raises ShapeError, RefusedError."""
        if len(feature.bins) != rows:
            raise ShapeError(f"a column of {len(feature.bins)} rows where there are {rows}")
        if rows < minimums.rows:
            raise RefusedError(
                f"a column has fewer rows than the minimum of {minimums.rows} for a bin",
                remedy="agree on a smaller minimum, or align more enterprises",
            )
        self._feature, self._minimums = feature, minimums
        self._rows = feature.rows()
        self.slot, self._ordered = _slots(self._rows, feature.ordered, minimums.rows)
        self.slots = int(self.slot.max()) + 1
        self.slot_rows = np.bincount(self.slot[self.slot >= 0], self._rows[self.slot >= 0], self.slots)
        self.group = np.arange(self.slots)
        self._enough = np.zeros(self.slots, dtype=bool)

    def __repr__(self) -> str:
        return f"ColumnGroups(slots={self.slots})"

    @property
    def fullest(self) -> int:
        """The slot with most rows."""
        return int(np.argmax(self.slot_rows))

    @property
    def groups(self) -> int:
        return int(self.group.max()) + 1

    def slot_of_rows(self) -> NDArray[np.int64]:
        """The slot of every row (rows,); `slots` for the rows that no slot holds."""
        places: NDArray[np.int64] = np.where(self.slot < 0, self.slots, self.slot)[self._feature.bins]
        return places

    def learn(self, enough: NDArray[np.bool_]) -> None:
        """Which groups hold enough events: (groups,)."""
        self._enough = enough.astype(bool)

    def pair(self) -> None:
        """Put groups that hold too few events together, two by two."""
        joined = np.arange(self.groups)
        for left, right in (*self._ordered_pairs(), *self._lone_pairs()):
            joined[right] = joined[left]
        self.group = numbered(joined[self.group])

    def settle(self, total: NDArray[np.int64]) -> None:
        """Ordered groups that still hold too few join a neighbour that does not, the one with fewer rows.

        One that stands out stays: it should hold twice the minimum, if it were like all rows. `total`
        (classes,) are the events of these.
        """
        rows = np.bincount(self.group, self.slot_rows)
        usual = rows[:, None] * total[None, :] / int(self._rows.sum())
        stays = self._enough | (usual >= 2 * self._minimums.events).all(axis=1)
        last = int(self.group[: self._ordered].max(initial=-1)) + 1
        joined = np.arange(self.groups)
        for place in np.flatnonzero(~stays[:last]).tolist():
            near = [one for one in (place - 1, place + 1) if 0 <= one < last and self._enough[one]]
            if near:
                joined[place] = min(near, key=lambda one: int(rows[one]))
        self._enough = np.bincount(joined, self._enough, self.groups)[np.unique(joined)] > 0
        self.group = numbered(joined[self.group])

    def held(self) -> int:
        """The group whose count is not asked for: that of the fullest slot, of which rows are left out.

        If it holds too few events, the fullest one that does not; -1, if all hold too few.
        """
        own = int(self.group[self.fullest])
        if self._enough[own]:
            return own
        rows = np.where(self._enough, np.bincount(self.group, self.slot_rows), -1)
        return int(np.argmax(rows)) if self._enough.any() else _NONE

    def asked(self) -> NDArray[np.int64]:
        """The groups whose counts are asked for."""
        return np.flatnonzero(self._enough & (np.arange(self.groups) != self.held()))

    def counts(self, told: NDArray[np.int64], total: NDArray[np.int64]) -> FeatureCounts:
        """What is known in the end: `told` (asked, classes) events, `total` (classes,) of all rows.

        Raises ShapeError if they cannot be those of the column.
        """
        if not self._enough.any():
            return self._single(total)
        keys = np.where(self.slot >= 0, self.group[self.slot], self.groups + self._alone())
        merged = numbered(keys)
        rows = sums_by(merged, self._rows)
        final = np.zeros(len(rows), dtype=np.int64)
        final[merged] = keys
        of_group = np.full(self.groups, _NONE)
        of_group[final[final < self.groups]] = np.flatnonzero(final < self.groups)
        asked, held = of_group[self.asked()], of_group[self.held()]
        events = np.zeros((len(rows), told.shape[1]), dtype=np.int64)
        events[asked] = told
        left = total - told.sum(axis=0)
        others = np.ones(len(rows), dtype=bool)
        others[[*asked, held]] = False
        if (told > rows[asked, None]).any() or (told < 0).any() or not _fits(left, rows, asked):
            raise ShapeError("counts that cannot be those of the bins")
        events[others] = self._estimates(rows[others], final[others] < self.groups, left, total)
        events[held] = left - events[others].sum(axis=0)
        unsure = others & (rows > 0)
        unsure[held] = unsure.any()
        return FeatureCounts(merged, rows, events, unsure)

    def _single(self, total: NDArray[np.int64]) -> FeatureCounts:
        """No slot holds enough: the column is one bin."""
        merged = np.zeros(len(self.slot), dtype=np.int64)
        return FeatureCounts(merged, self._rows.sum()[None], total[None], np.zeros(1, dtype=bool))

    def _alone(self) -> NDArray[np.int64]:
        """A number for each bin without a slot; ordered ones share theirs."""
        places = np.arange(len(self.slot))
        return np.where(places < self._feature.ordered, 0, places + 1)

    def _estimates(
        self, rows: NDArray[np.int64], flagged: NDArray[np.bool_], left: NDArray[np.int64], total: Any
    ) -> NDArray[np.int64]:
        """Events of bins that nobody told: as in all rows, but in `flagged` ones at most half the minimum."""
        usual = rows[:, None] * total[None, :] / max(int(self._rows.sum()), 1)
        usual[flagged] = np.minimum(usual[flagged], self._minimums.events / 2)
        room = np.maximum(left - self._minimums.events, 0)
        share = np.minimum(room / np.maximum(usual.sum(axis=0), 1e-9), 1.0)
        found: NDArray[np.int64] = np.floor(usual * share + 0.5).astype(np.int64)
        return np.minimum(found, rows[:, None])

    def _ordered_pairs(self) -> list[tuple[int, int]]:
        last = int(self.group[: self._ordered].max(initial=-1)) + 1
        found: list[tuple[int, int]] = []
        place = 0
        while place + 1 < last:
            both = not self._enough[place] and not self._enough[place + 1]
            found += [(place, place + 1)] if both else []
            place += 2 if both else 1
        return found

    def _lone_pairs(self) -> list[tuple[int, int]]:
        """Categories alone: with numbers, missing values and codes keep bins of their own."""
        if self._feature.ordered:
            return []
        few = np.flatnonzero(~self._enough).tolist()
        return list(zip(few[::2], few[1::2], strict=False))


def _fits(left: NDArray[np.int64], rows: NDArray[np.int64], asked: NDArray[np.int64]) -> bool:
    return bool((left >= 0).all() and (left <= rows.sum() - rows[asked].sum()).all())


def _slots(rows: NDArray[np.int64], ordered: int, minimum: int) -> tuple[NDArray[np.int64], int]:
    """The slot of each bin, -1 where it has too few rows, and how many slots hold ordered bins.

    Ordered bins are filled from the left, what is left over joins the last. Others that hold too few share a
    slot if they are enough together.
    """
    slots = np.full(len(rows), _NONE)
    current, held = 0, 0
    if rows[:ordered].sum() >= minimum:
        for place in range(ordered):
            if held >= minimum:
                current, held = current + 1, 0
            slots[place] = current
            held += int(rows[place])
        if held < minimum:
            slots[:ordered][slots[:ordered] == current] = current - 1
    in_order = int(slots.max()) + 1
    enough = np.flatnonzero((slots < 0) & (rows >= minimum) & (np.arange(len(rows)) >= ordered))
    slots[enough] = in_order + np.arange(len(enough))
    few = slots < 0
    if rows[few].sum() >= minimum:
        slots[few] = slots.max() + 1
    return slots, in_order


def count_plain(
    features: Sequence[BinnedFeature], labels: NDArray[Any], minimums: Minimums
) -> list[FeatureCounts]:
    """What a feature holder would be told, where columns and labels lie at one place.

    Shapes:   labels (rows,) or (rows, classes) of 0 and 1; features over the same rows.
    Raises:   ShapeError, UsageError, RefusedError.
    """
    classes = checked_labels(labels)
    return [_count_plain(ColumnGroups(one, len(classes), minimums), classes, minimums) for one in features]


def _count_plain(column: ColumnGroups, classes: NDArray[np.int64], minimums: Minimums) -> FeatureCounts:
    by_slot = np.zeros((column.slots + 1, classes.shape[1]), dtype=np.int64)
    np.add.at(by_slot, column.slot_of_rows(), classes)
    slots = by_slot[:-1]
    column.learn(minimums.hold(slots))
    for _ in range(PAIRINGS):
        column.pair()
        column.learn(minimums.hold(sums_by(column.group, slots)))
    total = classes.sum(axis=0)
    column.settle(total)
    return column.counts(sums_by(column.group, slots)[column.asked()], total)
