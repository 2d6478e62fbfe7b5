"""Which columns a data set has, of which type, and how canonical values are made of them.

    Slot ──sql──▶ one or two columns of a batch ──read──▶ numbers (NaN = gap) or levels

Ordinary numbers are read by DuckDB; every other text is looked at by `cells`. Named by position: no name
can clash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from saferoom.data.canonical import tidy
from saferoom.data.cells import BadCellError, Cells
from saferoom.data.dataset import COLUMN_TYPES, DatasetDescription, ReadAs
from saferoom.data.source import Native, SourceReader, is_number
from saferoom.data.sources.base import quote
from saferoom.data.table import ColumnType
from saferoom.errors import ConfigError

Role = Literal["id", "label", "split", "weight", "feature"]
Values: TypeAlias = "pa.Array | NDArray[np.float64]"
"""Of one column: ids as large_string, levels as an Arrow dictionary, numbers as float64."""

_OR_MISSING = (
    "list the text under `missing:` of the source (--missing of a list), or register with type: categorical"
)
_REMEDIES: dict[str, str] = {
    "numeric": f"write a number, {_OR_MISSING}",
    "date": f"write YYYY-MM-DD, {_OR_MISSING}",
    "boolean": f"write yes or no, {_OR_MISSING}",
}
_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, slots=True)
class Slot:
    """One column to be read: for what, how, and what the source itself knows of its type."""

    role: Role
    name: str
    read_as: ReadAs | Literal["id"]
    native: Native

    @property
    def type(self) -> ColumnType:
        return "categorical" if self.read_as == "id" else COLUMN_TYPES[self.read_as]

    def sql(self) -> list[str]:
        """What to select: a text; of numbers the DOUBLE, and the text where it is no plain number."""
        if self.read_as != "numeric":
            return [as_text(self.name)]
        if is_number(self.native):
            return [number_of(self.name, self.native), "CAST(NULL AS VARCHAR)"]
        text = as_text(self.name)
        return [f"TRY_CAST({text} AS DOUBLE)", f"CASE WHEN {is_odd(self.name)} THEN {text} END"]

    def read(self, columns: Iterator[pa.Array], cells: Cells) -> Values:
        """The next one or two columns of a batch. Raises BadCellError."""
        first = next(columns)
        if self.read_as == "numeric":
            return cells.numbers(first, next(columns))
        if self.read_as == "id":
            return cells.ids(first)
        if self.read_as == "categorical":
            return cells.categories(first)
        return cells.dates(first) if self.read_as == "date" else cells.booleans(first)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns to read, in order: id; label, split and weight where they are named; the features."""

    dataset: DatasetDescription
    slots: tuple[Slot, ...]

    @classmethod
    def of(
        cls, dataset: DatasetDescription, types: Mapping[str, ColumnType], native: Mapping[str, Native]
    ) -> Layout:
        roles: list[tuple[Role, str | None, ReadAs | Literal["id"]]] = [
            ("id", dataset.id, "id"),
            ("label", dataset.label_column, "categorical"),
            ("split", dataset.split, "categorical"),
            ("weight", dataset.weight, "numeric"),
        ]
        slots = [Slot(role, name, how, native[name]) for role, name, how in roles if name is not None]
        features = [Slot("feature", name, _how(dataset, name, types[name]), native[name]) for name in types]
        return cls(dataset, (*slots, *features))

    @property
    def types(self) -> dict[str, ColumnType]:
        """Of the features."""
        return {slot.name: slot.type for slot in self.slots if slot.role == "feature"}

    @property
    def expressions(self) -> str:
        """What to select of the source."""
        parts = [part for slot in self.slots for part in slot.sql()]
        return ", ".join(f"{part} AS c{position}" for position, part in enumerate(parts))

    @property
    def content(self) -> list[tuple[str, str, ColumnType]]:
        """(role, name, type) of every column that counts towards the version, in the slots' order."""
        kind = self.dataset.id_kind
        return [
            (f"id {kind}" if slot.role == "id" else slot.role, slot.name, _hashed(slot))
            for slot in self.slots
        ]

    def read(self, batch: pa.RecordBatch, cells: Cells, rows_before: int) -> list[Values]:
        """The canonical values of a batch, a column a slot. Raises ConfigError naming column and row."""
        columns = iter(batch.columns)
        found: list[Values] = []
        for slot in self.slots:
            try:
                values = slot.read(columns, cells)
            except BadCellError as bad:
                raise self._bad(slot, rows_before + bad.row + 1) from None
            self._require_finite(slot, values, rows_before)
            found.append(values)
        return found

    def _bad(self, slot: Slot, row: int) -> ConfigError:
        remedy = _REMEDIES[slot.read_as]
        if slot.read_as == "numeric" and slot.native == "other":
            remedy = "set type: date if it holds dates, or type: categorical"
        return self.dataset.problem(
            f"column {slot.name!r} should be {slot.read_as}, but row {row} holds something else",
            remedy=remedy,
        )

    def _require_finite(self, slot: Slot, values: Values, rows_before: int) -> None:
        if slot.type == "categorical":
            return
        infinite = np.isinf(values)
        if infinite.any():
            raise self.dataset.problem(
                f"column {slot.name!r} holds an infinite number, first in row "
                f"{rows_before + int(infinite.argmax()) + 1}",
                remedy="leave the cell empty, or correct it",
            )


def feature_names(dataset: DatasetDescription, source: SourceReader) -> list[str]:
    """The described columns, or all but the special ones. Raises ConfigError if one is not there."""
    special = dataset.special_columns
    described = [] if dataset.columns is None else [column.name for column in dataset.columns]
    absent = [name for name in (*special, *described) if name not in source.native]
    if absent:
        raise _absent(dataset, absent, list(source.native))
    if dataset.columns is not None:
        return described
    return [name for name in source.native if name not in special and not is_index(name)]


def _absent(dataset: DatasetDescription, absent: Sequence[str], found: Sequence[str]) -> ConfigError:
    """No name of the source is repeated: where a header is missing, they are values."""
    alike = {tidy(name).lower(): place for place, name in enumerate(found, 1)}
    nearly = [(name, alike[tidy(name).lower()]) for name in absent if tidy(name).lower() in alike]
    hint = "".join(
        f"; column {at} differs from {name!r} in case, spaces or width alone" for name, at in nearly
    )
    named = [f"{name!r} (the id)" if name == dataset.id else repr(name) for name in absent]
    return dataset.problem(
        f"there is no column {', '.join(named)} among the {len(found)} of the source{hint}",
        remedy="compare the names with the header; check delimiter and encoding "
        "(--delimiter and --encoding of a list)",
    )


def is_index(name: str) -> bool:
    """Whether a column is the row number that pandas writes beside a table: no feature unless described."""
    return _INDEX.fullmatch(name) is not None


def as_text(name: str) -> str:
    """SQL for a column as text, empty = missing."""
    return f"NULLIF(CAST({quote(name)} AS VARCHAR), '')"


def number_of(name: str, native: Native) -> str:
    """SQL for a column of native numbers as DOUBLE: the one nearest to what its digits say."""
    exact = native in ("float32", "decimal")
    return f"CAST({f'CAST({quote(name)} AS VARCHAR)' if exact else quote(name)} AS DOUBLE)"


def is_odd(name: str) -> str:
    """SQL: whether a cell holds a text that is no plain number. DuckDB takes 1_000 for one."""
    text = as_text(name)
    return f"{text} IS NOT NULL AND (TRY_CAST({text} AS DOUBLE) IS NULL OR contains({text}, '_'))"


def _how(dataset: DatasetDescription, name: str, type_: ColumnType) -> ReadAs:
    """How to read a feature of this type: as described, where the description means the same type."""
    described = dataset.described_type(name)
    return described if described is not None and COLUMN_TYPES[described] == type_ else type_


def _hashed(slot: Slot) -> ColumnType:
    return "numeric" if slot.role == "label" else slot.type
