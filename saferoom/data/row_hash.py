"""A 64-bit hash of what stands in each row, to tell exact repeats of an id from conflicting rows."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.data.columns import Values

_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_GAP = 0x5AFE


class RowHash:
    """Hashes canonical values: two writings of one value count as one."""

    def __init__(self) -> None:
        self._levels: dict[str, int] = {}

    def of(self, columns: Sequence[Values], rows: int) -> NDArray[np.uint64]:
        """(rows,) of columns in a fixed order, each (rows,)."""
        found = np.zeros(rows, dtype=np.uint64)
        for values in columns:
            words = self._words(values) if isinstance(values, pa.DictionaryArray) else _bits(values)
            found = (found ^ (found >> _SHIFT) ^ words) * _ODD
        return found ^ (found >> _SHIFT)

    def _words(self, levels: pa.DictionaryArray) -> NDArray[np.uint64]:
        words = [self._word(level) for level in levels.dictionary.to_pylist()]
        codes = pc.fill_null(levels.indices, len(words)).to_numpy(zero_copy_only=False)
        found: NDArray[np.uint64] = np.array([*words, _GAP], dtype=np.uint64)[codes]
        return found

    def _word(self, level: str) -> int:
        if level not in self._levels:
            self._levels[level] = int.from_bytes(blake2b(level.encode(), digest_size=8).digest(), "little")
        return self._levels[level]


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    values = values + 0.0  # a copy, in which -0 has become 0
    values[np.isnan(values)] = np.nan
    return values.view(np.uint64)
