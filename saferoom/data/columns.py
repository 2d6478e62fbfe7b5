"""Which columns a data set has, of which type, and the SQL that reads them so.

Numbers come out as DOUBLE, everything else as VARCHAR; an empty text and a NaN are missing values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from saferoom.data.dataset import DatasetDescription
from saferoom.data.source import Native, SourceReader
from saferoom.data.sources.base import quote
from saferoom.data.table import ColumnType


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns to read: `types` of the features in the data set's order, `native` of all columns."""

    dataset: DatasetDescription
    types: Mapping[str, ColumnType]
    native: Mapping[str, Native]

    @property
    def expressions(self) -> str:
        """id, row hash; label, split, weight or NULL; features. Named by position: no name can clash."""
        dataset = self.dataset
        label = "NULL" if dataset.label is None else self._number(dataset.label)
        split = "NULL" if dataset.split is None else as_text(dataset.split)
        weight = "NULL" if dataset.weight is None else self._number(dataset.weight)
        features = [
            self._number(name) if kind == "numeric" else as_text(name) for name, kind in self.types.items()
        ]
        content = ", ".join([label, split, weight, *features])
        parts = [
            as_text(dataset.id),
            f"hash({content})",
            f"CAST({label} AS DOUBLE)",
            f"CAST({split} AS VARCHAR)",
            f"CAST({weight} AS DOUBLE)",
        ]
        return ", ".join(f"{part} AS c{position}" for position, part in enumerate([*parts, *features]))

    @property
    def content(self) -> list[tuple[str, str, ColumnType]]:
        """(role, name, type) of every column that counts towards the version; see `present`."""
        dataset = self.dataset
        roles: list[tuple[str, str, ColumnType]] = [(f"id {dataset.id_kind}", dataset.id, "categorical")]
        if dataset.label is not None:
            roles.append(("label", dataset.label, "numeric"))
        if dataset.split is not None:
            roles.append(("split", dataset.split, "categorical"))
        if dataset.weight is not None:
            roles.append(("weight", dataset.weight, "numeric"))
        return roles + [("feature", name, kind) for name, kind in self.types.items()]

    def present(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """The columns of a batch that `content` lists, in its order."""
        absent = {1}  # the row hash is no content
        absent |= {2} if self.dataset.label is None else set()
        absent |= {3} if self.dataset.split is None else set()
        absent |= {4} if self.dataset.weight is None else set()
        return [column for position, column in enumerate(batch.columns) if position not in absent]

    def _number(self, name: str) -> str:
        native = self.native[name] == "number"
        return f"CAST({quote(name) if native else as_text(name)} AS DOUBLE)"


def feature_names(dataset: DatasetDescription, source: SourceReader) -> list[str]:
    """The described columns, or all but the special ones. Raises ConfigError if one is not there."""
    special = dataset.special_columns
    described = [] if dataset.columns is None else [column.name for column in dataset.columns]
    absent = [name for name in (*special, *described) if name not in source.native]
    if absent:
        raise dataset.problem(
            f"there is no column {', '.join(map(repr, absent))} among the {len(source.native)} of the source",
            remedy="compare the names with the header; check delimiter and encoding",
        )
    if dataset.columns is not None:
        return described
    return [name for name in source.native if name not in special]


def decide_types(
    dataset: DatasetDescription, source: SourceReader, known: Mapping[str, ColumnType] | None = None
) -> dict[str, ColumnType]:
    """The type of every feature column, in the data set's order.

    First what `known` says (a registration, a stored preparation), then the description, then the
    source (Parquet, DuckDB); in an untyped source a column is numeric if all its values read as numbers,
    be they small integer codes.
    """
    names = feature_names(dataset, source)
    types: dict[str, ColumnType] = {c.name: c.type for c in dataset.columns or () if c.type is not None}
    types.update({name: kind for name, kind in (known or {}).items() if name in names})
    for name in names:
        if name not in types and source.native[name] != "untyped":
            types[name] = "numeric" if source.native[name] == "number" else "categorical"
    open_names = [name for name in names if name not in types]
    types.update(_by_values(source, open_names))
    return {name: types[name] for name in names}


def explain_bad_number(layout: Layout, source: SourceReader) -> None:
    """Raise ConfigError naming the first column, and row, that should be a number and is not."""
    dataset = layout.dataset
    numeric = [name for name, kind in layout.types.items() if kind == "numeric"]
    for name in [*(name for name in (dataset.label, dataset.weight) if name), *numeric]:
        row = source.first_row(f"{as_text(name)} IS NOT NULL AND {_tried(name)} IS NULL")
        if row is not None:
            raise dataset.problem(
                f"column {name!r} should be numeric, but row {row} holds something else",
                remedy="correct the cell, list its text under `missing:`, or set type: categorical",
            )


def as_text(name: str) -> str:
    """SQL for a column as text, empty = missing."""
    return f"NULLIF(CAST({quote(name)} AS VARCHAR), '')"


def _tried(name: str) -> str:
    return f"TRY_CAST({as_text(name)} AS DOUBLE)"


def _by_values(source: SourceReader, names: list[str]) -> dict[str, ColumnType]:
    if not names:
        return {}
    # DuckDB reads 1_000 as a number; a registration number written so is none.
    strange = [
        f"count_if({text} <> '' AND (TRY_CAST({text} AS DOUBLE) IS NULL OR contains({text}, '_')))"
        for text in (quote(name) for name in names)
    ]
    counts = source.one_row(", ".join(strange))
    return {n: "categorical" if count else "numeric" for n, count in zip(names, counts, strict=True)}
