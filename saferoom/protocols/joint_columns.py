"""What a row-aligned joint matrix is to one party: its own columns in the clear, the others' under masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from saferoom.arrays import Words
from saferoom.ring.fixed import word_type

CHUNK_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Public: which columns of the joint matrix belong to which party."""

    widths: dict[str, int]

    @property
    def columns(self) -> int:
        return sum(self.widths.values())

    def span(self, party: str) -> slice:
        start = 0
        for name, width in self.widths.items():
            if name == party:
                return slice(start, start + width)
            start += width
        raise KeyError(party)


@dataclass(frozen=True, slots=True)
class JointForm:
    """Public: the sizes of a joint matrix, the scale of its numbers, and the words that hold them."""

    layout: ColumnLayout
    rows: int
    frac_bits: int
    word_bits: int = 64

    @property
    def dtype(self) -> np.dtype[Any]:
        return word_type(self.word_bits)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JointColumns:
    """One party's view: its own block in the clear, the others' blocks masked. At the dealer: the masks A.

    `blocks[p]` is (rows, widths[p]).
    """

    form: JointForm
    blocks: dict[str, Words]

    @property
    def layout(self) -> ColumnLayout:
        return self.form.layout

    @property
    def rows(self) -> int:
        return self.form.rows

    @property
    def frac_bits(self) -> int:
        return self.form.frac_bits

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.form.dtype

    def head(self, rows: int) -> JointColumns:
        """The first `rows` rows, without copying."""
        blocks = {party: block[:rows] for party, block in self.blocks.items()}
        return JointColumns(replace(self.form, rows=rows), blocks)


def row_chunks(rows: int) -> Iterator[slice]:
    """Slices of at most CHUNK_ROWS rows that cover `rows`."""
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, min(start + CHUNK_ROWS, rows))
