"""From a source's cells to canonical values: float64 with NaN for a gap, texts as Arrow dictionaries.

DuckDB has read ordinary numbers already; what it could not read comes along as text. Every distinct text is
looked at once, and remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.data.canonical import AROUND, NOT_A_NUMBER, NOTHING, canonical, tidy
from saferoom.data.usual import days_of, usual_boolean, usual_moment, usual_number

_REMEMBERED = 100_000


class BadCellError(Exception):
    """A cell says nothing that its column's type understands. `row`: its place in the batch, from 0."""

    def __init__(self, row: int) -> None:
        super().__init__("a cell cannot be read")
        self.row = row


class Cells:
    """One source's way of reading: its zone, and the texts that mean "no value" besides the empty one."""

    def __init__(self, zone: tzinfo, missing: Sequence[str] = ()) -> None:
        self.zone = zone
        self._gaps = {NOTHING} | {canonical(text, zone) for text in missing}
        numbers = [usual_number(text) for text in missing]
        self._gap_numbers = np.array([number for number in numbers if number is not None])
        self._gap_ids = pa.array(_id_gaps(missing), pa.large_string())
        self._known: dict[str, str | None] = {}

    def numbers(self, values: pa.Array, odd: pa.Array) -> NDArray[np.float64]:
        """`values` (n,) double, and in `odd` (n,) the texts that are no plain number. Raises BadCellError."""
        found = self._without_gaps(_floats(values))
        return self._filled(found, odd, usual_number)

    def dates(self, texts: pa.Array) -> NDArray[np.float64]:
        """Days since 1970-01-01 of texts (n,). Raises BadCellError."""

        def days(text: str) -> float | None:
            moment = usual_moment(text, self.zone)
            return None if moment is None else days_of(moment)

        return self._filled(np.full(len(texts), np.nan), texts, days)

    def booleans(self, texts: pa.Array) -> NDArray[np.float64]:
        """1 and 0 of texts (n,). Raises BadCellError."""
        return self._filled(np.full(len(texts), np.nan), texts, lambda text: usual_boolean(text, self.zone))

    def categories(self, texts: pa.Array) -> pa.DictionaryArray:
        """Canonical levels of texts (n,)."""
        coded = texts.cast(pa.string()).dictionary_encode()
        place: dict[str, int] = {}
        places = np.full(len(coded.dictionary) + 1, -1, dtype=np.int32)
        for number, text in enumerate(coded.dictionary.to_pylist()):
            level = self.level(text)
            if level is not None:
                places[number] = place.setdefault(level, len(place))
        codes = places[pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)]
        return pa.DictionaryArray.from_arrays(
            pa.array(codes, mask=codes < 0), pa.array(list(place), type=pa.string())
        )

    def ids(self, texts: pa.Array) -> pa.Array:
        """Ids (n,) as they stand, large_string; no numbers, and those that are named as gaps, are missing.

        An id has no canonical form: the gap `True` is not the id `1`.
        """
        texts = texts.cast(pa.large_string())
        tidied = pc.utf8_trim(pc.utf8_normalize(texts, "NFKC"), AROUND)
        gap = pc.is_in(tidied, value_set=self._gap_ids)
        return pc.if_else(gap, pa.scalar(None, pa.large_string()), texts)

    def level(self, text: str) -> str | None:
        """The canonical level that a text names; None: no value."""
        if text not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            level = canonical(text, self.zone)
            self._known[text] = None if level in self._gaps else level
        return self._known[text]

    def _without_gaps(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(self._gap_numbers):
            values[np.isin(values, self._gap_numbers)] = np.nan
        return values

    def _filled(
        self, values: NDArray[np.float64], texts: pa.Array, read: Callable[[str], float | None]
    ) -> NDArray[np.float64]:
        """`values` with what `read` makes of `texts` in their places."""
        if texts.null_count == len(texts):
            return values
        coded = texts.cast(pa.string()).dictionary_encode()
        cells = [self._cell(text, read) for text in coded.dictionary.to_pylist()]
        known = np.array([np.nan if cell is None else cell[0] for cell in cells])
        bad = np.array([cell is None for cell in cells])
        rows = np.flatnonzero(coded.indices.is_valid().to_numpy(zero_copy_only=False))
        codes = coded.indices.drop_null().to_numpy(zero_copy_only=False)
        if bad[codes].any():
            raise BadCellError(int(rows[bad[codes].argmax()]))
        values[rows] = known[codes]
        return values

    def _cell(self, text: str, read: Callable[[str], float | None]) -> tuple[float] | None:
        """(number,), NaN for a gap; None if the text says nothing of the kind."""
        if self.level(text) is None or tidy(text) in self._gaps:
            return (np.nan,)
        number = read(text)
        if number is None:
            return None
        return (np.nan if number in self._gap_numbers else number,)


def _id_gaps(missing: Sequence[str]) -> list[str]:
    """Ids that are none; a whole number stands in a column of floating-point numbers with its point."""
    words = [tidy(text) for text in missing]
    whole = [f"{word}.0" for word in words if word.removeprefix("-").isdecimal()]
    return [*NOT_A_NUMBER, *words, *whole]


def _floats(values: pa.Array) -> NDArray[np.float64]:
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)
