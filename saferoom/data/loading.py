"""Reading a data set into a `PartyTable` in one pass.

    source ─batches─▶ canonical values ─▶ version hash ─▶ clean ids ─▶ label, split, weight ─▶ PartyTable

All described columns pass by, for the version and to tell exact repeats from conflicting rows; only the
wanted ones are kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.data.cells import Cells
from saferoom.data.columns import Layout, Values, feature_names, is_index
from saferoom.data.dataset import DatasetDescription
from saferoom.data.id_causes import guess_causes, no_row_left
from saferoom.data.identifiers import CleanIds, IdCounts, Reason, clean_ids, unwrapped
from saferoom.data.profile import Writing, decide_types, look
from saferoom.data.row_hash import RowHash
from saferoom.data.source import SourceReader
from saferoom.data.table import (
    CategoryColumn,
    Column,
    ColumnType,
    NumericColumn,
    PartyTable,
)
from saferoom.data.version import ContentHash
from saferoom.data.words import Remark
from saferoom.errors import ConfigError
from saferoom.files.private import write_output
from saferoom.kinds.labels import BINARY
from saferoom.models.boosting.settings import LARGEST_WEIGHT


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass gave: the clean table, what was left out and why, and the version of the content.

    `id_causes`: what may have happened to ids that look wrong. `left_out`: columns that are no features,
    though no description says so. `rows` (n,): the place of each row of the table in the source, from 0.
    """

    table: PartyTable
    counts: IdCounts
    rejected: Sequence[tuple[int, Reason, str]]
    version: str
    types: Mapping[str, ColumnType]
    id_causes: Sequence[Remark]
    left_out: Sequence[str]
    rows: NDArray[np.int64]


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
    cells = dataset.cells()
    with SourceReader(dataset) as source:
        decided = decide_types(dataset, source, cells, types)
        return _read(source, Layout.of(dataset, decided, source.native), cells, columns)


def look_and_read(
    dataset: DatasetDescription, *, types: Mapping[str, ColumnType] | None = None
) -> tuple[Reading, dict[str, Writing]]:
    """`read`, and how the cells of each feature column are written. Raises ConfigError."""
    cells = dataset.cells()
    with SourceReader(dataset) as source:
        written = look(source, cells, feature_names(dataset, source))
        decided = decide_types(dataset, source, cells, types, written)
        return _read(source, Layout.of(dataset, decided, source.native), cells, None), written


def _read(source: SourceReader, layout: Layout, cells: Cells, columns: Sequence[str] | None) -> Reading:
    dataset = layout.dataset
    wanted = _wanted(layout, columns)
    digest, label = ContentHash(layout.content), _Label(dataset)
    kept = _Kept(layout, wanted)
    for batch in source.stream(layout.expressions):
        values = layout.read(batch, cells, kept.rows)
        if dataset.label is not None:
            values[1] = label.read(values[1])
        digest.update([unwrapped(values[0], dataset.id_kind), *values[1:]])
        kept.add(values, batch.num_rows)
    if kept.rows == 0:
        raise dataset.problem(
            "the source has no rows: a header and at least one row below it are expected",
            remedy="export the table again, or check the query",
        )
    label.check(kept)
    raw = kept.ids()
    clean = clean_ids(raw, kept.row_hash(), dataset.id_kind)
    if not len(clean.positions):
        raise no_row_left(dataset, clean.counts, raw)
    table = PartyTable(
        ids=clean.ids,
        columns=kept.columns(clean),
        label=kept.numbers("label")[clean.positions].astype(BINARY.dtype) if dataset.label else None,
        train=_train(dataset, kept, clean) if dataset.split else None,
        weight=_weight(dataset, kept, clean) if dataset.weight else None,
    )
    return Reading(
        table=table,
        counts=clean.counts,
        rejected=clean.rejected(raw),
        version=digest.version(),
        types=layout.types,
        id_causes=guess_causes(raw, dataset.id_kind),
        left_out=[name for name in source.native if dataset.columns is None and is_index(name)],
        rows=clean.positions,
    )


def changed(dataset: DatasetDescription) -> ConfigError:
    """The error for content that is not what was registered."""
    return dataset.problem(
        "the content has changed since it was registered, or an earlier release read it otherwise",
        remedy="restore it, or register the data set again and have contracts name the new version",
    )


def write_report(path: Path, rejected: Sequence[tuple[int, Reason, str]]) -> None:
    """List the rows left out as CSV (row, reason, id), readable by the owner alone. Raises StorageError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("row", "reason", "id"))
    writer.writerows(rejected)
    write_output(path, text.getvalue())


class _Kept:
    """Of all batches: the columns that stay, and a hash of each row."""

    def __init__(self, layout: Layout, wanted: Sequence[str]) -> None:
        self._layout, self._wanted = layout, wanted
        self._chunks: dict[int, list[Values]] = {
            place: []
            for place, slot in enumerate(layout.slots)
            if slot.role != "feature" or slot.name in wanted
        }
        self._hashes: list[NDArray[np.uint64]] = []
        self._hash = RowHash()
        self.rows = 0

    def add(self, values: Sequence[Values], rows: int) -> None:
        self.rows += rows
        self._hashes.append(self._hash.of(values[1:], rows))
        for place, chunks in self._chunks.items():
            chunks.append(values[place])

    def ids(self) -> pa.Array:
        return pa.concat_arrays(self._chunks[0])

    def row_hash(self) -> NDArray[np.uint64]:
        return np.concatenate(self._hashes)

    def numbers(self, role: str) -> NDArray[np.float64]:
        return np.concatenate(self._chunks[self._place(role)])

    def levels(self, role: str) -> CategoryColumn:
        return _categories(self._chunks[self._place(role)])

    def columns(self, clean: CleanIds) -> dict[str, Column]:
        """The wanted columns at the clean rows; each column's batches are let go as soon as it is built."""
        built: dict[str, Column] = {}
        for place, slot in enumerate(self._layout.slots):
            if slot.role == "feature" and place in self._chunks:
                chunks = self._chunks.pop(place)
                column = (
                    NumericColumn(np.concatenate(chunks)) if slot.type == "numeric" else _categories(chunks)
                )
                built[slot.name] = (
                    column if len(clean.positions) == self.rows else column.take(clean.positions)
                )
        return {name: built[name] for name in self._wanted}

    def _place(self, role: str) -> int:
        return next(place for place, slot in enumerate(self._layout.slots) if slot.role == role)


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


class _Label:
    """Reads the label column. `event`: the level that means 1; None: the levels themselves are 0 and 1."""

    def __init__(self, dataset: DatasetDescription) -> None:
        self._dataset = dataset
        self._event = dataset.event()
        self._levels: set[str] = set()

    def read(self, cells: pa.DictionaryArray) -> NDArray[np.float64]:
        """What the labels of a batch mean: see `BinaryLabel.of_levels`; NaN for a gap."""
        levels: list[str] = cells.dictionary.to_pylist()
        self._levels.update(levels)
        meaning = np.append(BINARY.of_levels(levels, self._event), np.nan)
        values: NDArray[np.float64] = meaning[
            pc.fill_null(cells.indices, len(levels)).to_numpy(zero_copy_only=False)
        ]
        return values

    def check(self, kept: _Kept) -> None:
        """Raise ConfigError unless every row says whether the event happened."""
        if self._dataset.label is None:
            return
        name = self._dataset.label.column
        values = kept.numbers("label")
        wrong = BINARY.wrong(values)
        if wrong.any():
            expected = BINARY.expected if self._event is None else "one of two values"
            raise self._dataset.problem(
                f"the label column {name!r} must be {expected} in every row; {int(wrong.sum())} "
                f"rows are not, first row {int(wrong.argmax()) + 1}",
                remedy=BINARY.remedy,
            )
        if self._event is not None and (self._event not in self._levels or len(self._levels) > 2):
            found = "no row" if self._event not in self._levels else f"one of {len(self._levels)} values"
            raise self._dataset.problem(
                f"the label column {name!r} holds the named event in {found}",
                remedy="name under `event:` one of the two values, as it stands in the column",
            )


def _train(dataset: DatasetDescription, kept: _Kept, clean: CleanIds) -> NDArray[np.bool_]:
    marks = kept.levels("split")
    meaning = np.array([{"train": 1, "test": 0}.get(level, -1) for level in (*marks.levels, "")])
    found = meaning[marks.codes]
    wrong = found < 0
    if wrong.any():
        raise dataset.problem(
            f"the split column {dataset.split!r} must be 'train' or 'test' in every row; "
            f"{int(wrong.sum())} rows are not, first row {int(wrong.argmax()) + 1}",
            remedy="correct the split column, or leave it out for a random split",
        )
    mask: NDArray[np.bool_] = found[clean.positions] == 1
    return mask


def _weight(dataset: DatasetDescription, kept: _Kept, clean: CleanIds) -> NDArray[np.float64]:
    values = kept.numbers("weight")
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
