"""The version of a data set: a SHA-256 of its canonical content.

    version = sha256(canonical JSON of the list
        format, rows, then role, name, type, digest of each column, columns sorted)
    digest of numbers  = sha256 of their float64, little-endian; missing = one NaN, -0 = 0
    digest of texts    = sha256 of sha256(lengths as int32, -1 = missing) and sha256(UTF-8 bytes)

Values are canonical (`canonical`, `cells`): what they were read from does not count, nor where columns stand.
Rows count in the source's order. Descriptions, units, other columns and the consent table are no part of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import rfc8785
from numpy.typing import NDArray

from saferoom.data.columns import Values
from saferoom.data.table import ColumnType

_FORMAT = "saferoom data version 1"


class ContentHash:
    """Feed it the content batch by batch (of any size); `version()` then gives `sha256:…`."""

    def __init__(self, columns: Sequence[tuple[str, str, ColumnType]]) -> None:
        """`columns`: (role, name, type) in the order in which batches carry them."""
        self._columns = list(columns)
        self._first = [hashlib.sha256() for _ in columns]
        self._second = [hashlib.sha256() for _ in columns]
        self._rows = 0

    def update(self, columns: Sequence[Values]) -> None:
        """One batch: for each column its numbers, or its texts, which may be an Arrow dictionary."""
        self._rows += len(columns[0])
        for position, array in enumerate(columns):
            if self._columns[position][2] == "numeric":
                self._first[position].update(_canonical_numbers(array).data)
            else:
                lengths, data = _canonical_texts(array)
                self._first[position].update(lengths.data)
                self._second[position].update(data)

    def version(self) -> str:
        """The version of everything fed so far."""
        digests: list[list[str]] = [
            [role, name, kind, first.hexdigest() + (second.hexdigest() if kind == "categorical" else "")]
            for (role, name, kind), first, second in zip(
                self._columns, self._first, self._second, strict=True
            )
        ]
        content = [_FORMAT, str(self._rows), *(part for digest in sorted(digests) for part in digest)]
        return "sha256:" + hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _canonical_numbers(numbers: Values) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(numbers, dtype="<f8")
    values = values + 0.0  # a copy, in which -0 has become 0
    values[np.isnan(values)] = np.nan
    return values


def _canonical_texts(array: pa.Array) -> tuple[NDArray[np.int32], memoryview]:
    array = array.cast(pa.large_string())
    missing = array.is_null().to_numpy(zero_copy_only=False)
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(ends).astype("<i4")
    lengths[missing] = -1
    if data is None:
        return lengths, memoryview(b"")
    return lengths, memoryview(data)[ends[0] : ends[-1]]
