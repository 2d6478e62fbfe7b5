"""Reading a data set into a `PartyTable` in one pass.

    source ─batches─▶ typed columns ─▶ version hash ─▶ clean ids ─▶ label, split, weight ─▶ PartyTable

All described columns pass by, for the version and to tell exact repeats from conflicting rows; only the
wanted ones are kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.data.columns import Layout, decide_types, explain_bad_number
from saferoom.data.dataset import DatasetDescription
from saferoom.data.identifiers import CleanIds, IdCounts, Reason, clean_ids
from saferoom.data.source import SourceReader
from saferoom.data.table import (
    CategoryColumn,
    Column,
    ColumnType,
    NumericColumn,
    PartyTable,
)
from saferoom.data.version import ContentHash
from saferoom.errors import ConfigError
from saferoom.files.private import write_output
from saferoom.kinds.labels import BINARY
from saferoom.models.boosting.settings import LARGEST_WEIGHT

_FIXED = 5  # id, row hash, label, split and weight stand before the features in every batch


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass gave: the clean table, what was left out and why, and the version of the content."""

    table: PartyTable
    counts: IdCounts
    rejected: Sequence[tuple[int, Reason, str]]
    version: str
    types: Mapping[str, ColumnType]


def load(
    dataset: DatasetDescription,
    columns: Sequence[str] | None = None,
    *,
    types: Mapping[str, ColumnType] | None = None,
    version: str | None = None,
    report: Path | None = None,
) -> PartyTable:
    """The clean rows of a data set, in the source's order.

    `columns` are kept (default: all described); `types` overrules what the values suggest (give a stored
    preparation's, or a registration's); `version`, if given, must be that of the content; the rows left
    out are listed in the file `report`. Raises ConfigError, StorageError.
    """
    reading = read(dataset, columns, types=types)
    if version is not None and reading.version != version:
        raise changed(dataset)
    if report is not None:
        write_report(report, reading.rejected)
    return reading.table


def read(
    dataset: DatasetDescription,
    columns: Sequence[str] | None = None,
    *,
    types: Mapping[str, ColumnType] | None = None,
) -> Reading:
    """`load` with everything it found on the way. Raises ConfigError."""
    with SourceReader(dataset) as source:
        layout = Layout(dataset, decide_types(dataset, source, types), source.native)
        wanted = _wanted(layout, columns)
        digest = ContentHash(layout.content)
        kept = _Kept({name: [] for name in wanted})
        try:
            for batch in source.stream(layout.expressions):
                arrays = layout.present(batch)
                _require_finite(layout, arrays, kept.rows)
                digest.update(arrays)
                kept.add(batch, layout)
        except ConfigError:
            explain_bad_number(layout, source)
            raise
    if kept.rows == 0:
        raise dataset.problem("the source has no rows", remedy="export the table again, or check the query")
    raw = kept.text(0)
    clean = clean_ids(raw, kept.row_hash(), dataset.id_kind)
    if not len(clean.positions):
        raise dataset.problem(
            f"none of the {kept.rows} rows has a valid id of kind {dataset.id_kind}",
            remedy="check `id` and `id_kind` in the description",
        )
    table = PartyTable(
        ids=clean.ids,
        columns=kept.columns(layout, clean),
        label=_label(dataset, kept, clean) if dataset.label else None,
        train=_train(dataset, kept, clean) if dataset.split else None,
        weight=_weight(dataset, kept, clean) if dataset.weight else None,
    )
    return Reading(table, clean.counts, clean.rejected(raw), digest.version(), layout.types)


def changed(dataset: DatasetDescription) -> ConfigError:
    """The error for content that is not what was registered."""
    return dataset.problem(
        "the content has changed since it was registered",
        remedy="restore it, or register the data set again and have contracts name the new version",
    )


def write_report(path: Path, rejected: Sequence[tuple[int, Reason, str]]) -> None:
    """List the rows left out as CSV (row, reason, id), readable by the owner alone. Raises StorageError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("row", "reason", "id"))
    writer.writerows(rejected)
    write_output(path, text.getvalue())


@dataclass(slots=True)
class _Kept:
    """Batches of the columns that stay."""

    features: dict[str, list[pa.Array]]
    fixed: list[list[pa.Array]] = field(default_factory=lambda: [[] for _ in range(_FIXED)])
    rows: int = 0

    def add(self, batch: pa.RecordBatch, layout: Layout) -> None:
        self.rows += batch.num_rows
        for position in range(_FIXED):
            self.fixed[position].append(batch.column(position))
        for position, (name, kind) in enumerate(layout.types.items(), start=_FIXED):
            if name in self.features:
                array = batch.column(position)
                text = kind == "categorical"
                self.features[name].append(array.cast(pa.string()).dictionary_encode() if text else array)

    def text(self, position: int) -> pa.Array:
        whole = pa.chunked_array([chunk.cast(pa.large_string()) for chunk in self.fixed[position]])
        return pa.concat_arrays(whole.chunks)

    def row_hash(self) -> NDArray[np.uint64]:
        return np.concatenate([chunk.to_numpy() for chunk in self.fixed[1]])

    def numbers(self, chunks: list[pa.Array]) -> NDArray[np.float64]:
        return np.concatenate([chunk.to_numpy(zero_copy_only=False) for chunk in chunks])

    def columns(self, layout: Layout, clean: CleanIds) -> dict[str, Column]:
        """The wanted columns at the clean rows; each column's batches are let go as soon as it is built."""
        built: dict[str, Column] = {}
        for name in list(self.features):
            chunks = self.features.pop(name)
            column: Column
            if layout.types[name] == "numeric":
                column = NumericColumn(self.numbers(chunks))
            else:
                column = _categories(chunks)
            built[name] = column if len(clean.positions) == self.rows else column.take(clean.positions)
        return built


def _categories(chunks: list[pa.Array]) -> CategoryColumn:
    whole = pa.chunked_array(chunks).unify_dictionaries()
    levels: list[str] = whole.chunk(0).dictionary.to_pylist()
    order = sorted(range(len(levels)), key=levels.__getitem__)
    place = np.full(len(levels) + 1, -1, dtype=np.int32)
    place[order] = np.arange(len(levels), dtype=np.int32)
    codes = [pc.fill_null(c.indices, len(levels)).to_numpy(zero_copy_only=False) for c in whole.chunks]
    return CategoryColumn(place[np.concatenate(codes)], tuple(levels[i] for i in order))


def _wanted(layout: Layout, columns: Sequence[str] | None) -> list[str]:
    if columns is None:
        return list(layout.types)
    absent = [name for name in columns if name not in layout.types]
    if absent:
        raise layout.dataset.problem(
            f"column {', '.join(map(repr, absent))} is not among the described feature columns",
            remedy="ask for described columns only, or describe this one and register again",
        )
    return list(columns)


def _require_finite(layout: Layout, arrays: Sequence[pa.Array], rows_before: int) -> None:
    for (_, name, kind), array in zip(layout.content, arrays, strict=True):
        if kind != "numeric":
            continue
        infinite = np.isinf(array.to_numpy(zero_copy_only=False))
        if infinite.any():
            row = rows_before + int(infinite.argmax()) + 1
            raise layout.dataset.problem(
                f"column {name!r} holds an infinite number, first in row {row}",
                remedy="leave the cell empty, or correct it",
            )


def _label(dataset: DatasetDescription, kept: _Kept, clean: CleanIds) -> NDArray[np.int8]:
    values = kept.numbers(kept.fixed[2])
    wrong = BINARY.wrong(values)
    if wrong.any():
        raise dataset.problem(
            f"the label column {dataset.label!r} must be {BINARY.expected} in every row; {int(wrong.sum())} "
            f"rows are not, first row {int(wrong.argmax()) + 1}",
            remedy=BINARY.remedy,
        )
    return values[clean.positions].astype(BINARY.dtype)


def _train(dataset: DatasetDescription, kept: _Kept, clean: CleanIds) -> NDArray[np.bool_]:
    marks = kept.text(3)
    is_train = pc.fill_null(pc.equal(marks, "train"), False).to_numpy(zero_copy_only=False)
    is_test = pc.fill_null(pc.equal(marks, "test"), False).to_numpy(zero_copy_only=False)
    wrong = ~(is_train | is_test)
    if wrong.any():
        raise dataset.problem(
            f"the split column {dataset.split!r} must be 'train' or 'test' in every row; "
            f"{int(wrong.sum())} rows are not, first row {int(wrong.argmax()) + 1}",
            remedy="correct the split column, or leave it out for a random split",
        )
    mask: NDArray[np.bool_] = is_train[clean.positions]
    return mask


def _weight(dataset: DatasetDescription, kept: _Kept, clean: CleanIds) -> NDArray[np.float64]:
    values = kept.numbers(kept.fixed[4])
    for wrong, what in (
        (np.isnan(values), "is empty"),
        (values <= 0, "is not above 0"),
        (values > LARGEST_WEIGHT, f"is above {LARGEST_WEIGHT:g}"),
    ):
        if wrong.any():
            raise dataset.problem(
                f"the weight column {dataset.weight!r} {what} in {int(wrong.sum())} rows, first in row "
                f"{int(wrong.argmax()) + 1}",
                remedy=f"give every row a weight above 0 and at most {LARGEST_WEIGHT:g}, 1 being the usual;"
                " leave out rows that shall not count",
            )
    weights: NDArray[np.float64] = values[clean.positions]
    return weights
