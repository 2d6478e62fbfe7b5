"""All of a feature holder's bins as slots in an order that it alone knows."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import ProtocolError
from saferoom.protocols.bins import (
    BinnedFeature,
    FeatureCounts,
    Merging,
    Minimums,
    by_minimum_events,
    by_minimum_rows,
    counts_of,
    size_of,
)

T = TypeVar("T")


class ShuffledBins:
    """The bins of all columns, merged to the minimum of rows, and shuffled. Never printed.

    counts   how many merged bins each column has; `slots` is their sum
    columns  the merged bin of every row, column by column: what sums are made by
    """

    def __init__(self, features: Sequence[BinnedFeature], rows: int, minimums: Minimums) -> None:
        """Raises ShapeError, RefusedError."""
        self._features = list(features)
        self._by_rows = [by_minimum_rows(feature, rows, minimums) for feature in features]
        self._by_events: list[Merging] = []
        self._final = np.zeros(0, dtype=np.int64)
        self.counts = [size_of(merging) for merging in self._by_rows]
        self.slots = sum(self.counts)
        order = list(range(self.slots))
        secrets.SystemRandom().shuffle(order)
        self._order = np.array(order, dtype=np.int64)

    def __repr__(self) -> str:
        return f"ShuffledBins(columns={len(self._features)}, slots={self.slots})"

    @property
    def columns(self) -> list[NDArray[np.uint32]]:
        pairs = zip(self._features, self._by_rows, strict=True)
        return [merging.astype(np.uint32)[feature.bins] for feature, merging in pairs]

    def shuffled(self, values: Sequence[Sequence[T]]) -> list[T]:
        """One value a bin, column by column -> one a slot."""
        flat = [value for column in values for value in column]
        return [flat[place] for place in self._order]

    def merge(self, enough: NDArray[Any]) -> NDArray[np.uint32]:
        """`enough` (slots,) says which hold enough events -> the group of each slot after merging.

        Groups are numbered as they appear, so that numbers say nothing that the order hides.
        """
        flags = np.empty(self.slots, dtype=bool)
        flags[self._order] = enough != 0
        parts = np.split(flags, np.cumsum(self.counts)[:-1])
        self._by_events = [
            by_minimum_events(feature, merging, part)
            for feature, merging, part in zip(self._features, self._by_rows, parts, strict=True)
        ]
        starts = np.cumsum([0, *map(size_of, self._by_events)])
        final = np.concatenate([m + start for m, start in zip(self._by_events, starts, strict=False)])
        _, first, group = np.unique(final[self._order], return_index=True, return_inverse=True)
        names = np.empty(len(first), dtype=np.uint32)
        names[np.argsort(first)] = np.arange(len(first))
        self._final = final[self._order][np.sort(first)]
        return names[group.reshape(-1)]

    @property
    def groups(self) -> int:
        """How many groups `merge` made."""
        return len(self._final)

    def finish(self, events: NDArray[np.int64]) -> list[FeatureCounts]:
        """`events` (groups, classes) -> the counts of each column."""
        if not self._by_events:
            raise ProtocolError("bins are counted before they were merged")
        ordered = np.empty_like(events)
        ordered[self._final] = events
        edges = np.cumsum([0, *map(size_of, self._by_events)])
        return [
            counts_of(feature, by_events[by_rows], ordered[start:stop])
            for feature, by_rows, by_events, (start, stop) in zip(
                self._features, self._by_rows, self._by_events, pairwise(edges), strict=True
            )
        ]
