"""One worker's share of the sums by bin: all rows, some of the features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.he.ciphertexts import check_units
from saferoom.he.keys import PublicKey
from saferoom.he.products import Numbers, numbers_of
from saferoom.he.quickest import products_for
from saferoom.he.sums import CellSums

BATCH_ROWS = 1 << 14
"""So many rows are added up at a time: the more, the less often are cells taken up again."""


class RowSums:
    """Sums over all rows as they come, and over any subset of them if they are kept."""

    def __init__(
        self, key: PublicKey, columns: Sequence[NDArray[Any]], counts: Sequence[int], *, keep: bool
    ) -> None:
        self._key, self._columns, self._counts = key, columns, counts
        rows = len(columns[0]) if columns else 0
        self._products = products_for(key.modulus, rows * len(columns))
        self._sums = CellSums(self._products, columns, counts)
        self._pending: list[Numbers] = []
        none = numbers_of(self._products, [])
        self._kept = np.empty((rows if keep else 0, *none.shape[1:]), dtype=none.dtype)
        self._received = 0

    def add(self, data: bytes, checked: slice) -> None:
        """The next rows, big-endian. Raises PeerError if one of those to be checked is no unit."""
        numbers, width = self._products.read(data), self._key.width_bytes
        portion = data[checked.start * width : checked.stop * width]
        check_units(portion, numbers[checked], self._products, self._key)
        self._pending.append(numbers)
        if len(self._kept):
            self._kept[self._received : self._received + len(numbers)] = numbers
        self._received += len(numbers)
        if sum(map(len, self._pending)) >= BATCH_ROWS:
            self._add_up()

    def all(self) -> list[bytes]:
        """The sums of each feature's bins over all rows: once."""
        self._add_up()
        return self._written(self._sums.finish())

    def of(self, rows: NDArray[np.int32]) -> list[bytes]:
        """The sums over the rows at these positions."""
        sums = CellSums(self._products, [column[rows] for column in self._columns], self._counts)
        sums.add(self._kept, rows)
        return self._written(sums.finish())

    def _add_up(self) -> None:
        if self._pending:
            numbers = np.concatenate(self._pending)
            self._sums.add(numbers, np.arange(len(numbers)))
            self._pending = []

    def _written(self, sums: Sequence[Numbers]) -> list[bytes]:
        return [self._products.write(bins) for bins in sums]
