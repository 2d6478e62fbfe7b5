"""The node's catalogue of registered data sets: one JSON file each, in a folder the node owns.

`register` reads a data set once, refuses what is wrong with it, and stores counts and the version hash.
`<name>.json` is the registration, `<name>.rejected.csv` lists the rows left out; both mode 0600. Nothing
here leaves the node: `for_log` gives what the node's log may hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from saferoom.data.dataset import DatasetDescription
from saferoom.data.identifiers import IdCounts
from saferoom.data.loading import Reading, changed, look_and_read, read, write_report
from saferoom.data.profile import Writing
from saferoom.data.remarks import remarks
from saferoom.data.table import CategoryColumn, Column, ColumnType
from saferoom.data.words import Remark, remark
from saferoom.errors import ConfigError, StorageError
from saferoom.files.private import write_output

MANY_CATEGORIES = 100


class ColumnFacts(BaseModel):
    """One feature column over the clean rows. `levels` is the number of categories, 0 for numbers.

    `writing`: how all its cells are written; None where the source itself keeps numbers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    type: ColumnType
    missing: int
    levels: int
    constant: bool
    writing: Writing | None = None


class Registration(BaseModel):
    """What was found when a data set was registered. `events` (label = 1) and `train_rows` stay local.

    `warnings` are the `remarks` in English; an earlier release kept them alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: str
    registered_at: datetime
    counts: IdCounts
    columns: tuple[ColumnFacts, ...]
    events: int | None
    train_rows: int | None
    warnings: tuple[str, ...]
    remarks: tuple[Remark, ...] = ()
    description: DatasetDescription

    @property
    def types(self) -> dict[str, ColumnType]:
        """The type of each feature column, for `load(..., types=...)`."""
        return {column.name: column.type for column in self.columns}

    @property
    def gaps(self) -> dict[str, float]:
        """The share of clean rows in which each feature column has no value."""
        return {column.name: column.missing / max(self.counts.clean, 1) for column in self.columns}

    def for_log(self) -> dict[str, Any]:
        """Name, version, counts and columns: no label balance, no path, no warning text."""
        return {
            "name": self.name,
            "version": self.version,
            "ids": {key: getattr(self.counts, key) for key in IdCounts.__slots__},
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
        }


def register(dataset: DatasetDescription, folder: Path, *, now: datetime | None = None) -> Registration:
    """Read, check and store a data set; a former registration of that name is replaced.

    Raises ConfigError for what is wrong with the data, StorageError if `folder` cannot be written.
    """
    reading, written = look_and_read(dataset)
    table = reading.table
    columns = tuple(_facts(name, column, written.get(name)) for name, column in table.columns.items())
    found = tuple(_remarks(dataset, reading, columns))
    registration = Registration(
        name=dataset.name,
        version=reading.version,
        registered_at=now or datetime.now(UTC),
        counts=reading.counts,
        columns=columns,
        events=None if table.label is None else int(table.label.sum()),
        train_rows=None if table.train is None else int(table.train.sum()),
        warnings=tuple(each.text() for each in found),
        remarks=found,
        description=dataset,
    )
    write_report(folder / f"{dataset.name}.rejected.csv", reading.rejected)
    write_output(folder / f"{dataset.name}.json", registration.model_dump_json(indent=1))
    return registration


def check(registration: Registration) -> None:
    """Raise ConfigError if the content is no longer what was registered.

    A job need not call this first: `load(..., version=registration.version)` checks in the same pass.
    """
    dataset = registration.description
    if read(dataset, [], types=registration.types).version != registration.version:
        raise changed(dataset)


def recall(name: str, folder: Path) -> Registration:
    """The stored registration of that name. Raises ConfigError if there is none, StorageError."""
    path = _path(name, folder)
    try:
        return Registration.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise _unknown(name) from exc
    except (OSError, UnicodeDecodeError, ValidationError) as exc:
        raise StorageError(
            f"the registration in {path} cannot be read", remedy="register the data set again, or remove it"
        ) from exc


def registered_names(folder: Path) -> list[str]:
    """The names of all registrations, also of those that cannot be read."""
    return sorted(path.stem for path in folder.glob("*.json"))


def list_registered(folder: Path) -> list[Registration]:
    """All registrations, by name. Raises StorageError."""
    return [recall(name, folder) for name in registered_names(folder)]


def forget(name: str, folder: Path) -> None:
    """Remove a registration and its report; the data itself is not touched. Raises ConfigError.

    A registration that cannot be read, such as a newer SafeRoom's, can be removed as well.
    """
    path = _path(name, folder)
    if not path.exists():
        raise _unknown(name)
    path.unlink()
    (folder / f"{name}.rejected.csv").unlink(missing_ok=True)


def _unknown(name: str) -> ConfigError:
    return ConfigError(
        f"no data set {name!r} is registered", remedy="register it; `saferoom data list` shows those that are"
    )


def _path(name: str, folder: Path) -> Path:
    if not re.fullmatch(r"\w[\w.-]{0,63}", name):
        raise ConfigError(
            f"{name!r} is no name of a data set", remedy="use letters, digits, '_', '.' and '-', 64 at most"
        )
    return folder / f"{name}.json"


def _facts(name: str, column: Column, writing: Writing | None) -> ColumnFacts:
    if isinstance(column, CategoryColumn):
        levels = int(np.count_nonzero(np.bincount(column.codes[column.codes >= 0], minlength=1)))
        constant = levels + (column.missing > 0) <= 1
    else:
        known = column.values[~np.isnan(column.values)]
        levels, constant = 0, len(known) == 0 or bool(known.min() == known.max())
    return ColumnFacts(
        name=name,
        type="categorical" if isinstance(column, CategoryColumn) else "numeric",
        missing=column.missing,
        levels=levels,
        constant=constant,
        writing=writing,
    )


def _remarks(
    dataset: DatasetDescription, reading: Reading, columns: Sequence[ColumnFacts]
) -> Iterator[Remark]:
    rows = len(reading.table)
    for facts in columns:
        yield from _column_remarks(dataset, facts, rows)
    yield from (remark("pandas_index", column=name) for name in reading.left_out)
    yield from _id_remarks(dataset, reading)
    label = reading.table.label
    if label is not None and label.min() == label.max():
        yield remark("one_class", column=str(dataset.label_column))
    weight = reading.table.weight
    if weight is not None and weight.min() == weight.max():
        yield remark("same_weight", column=str(dataset.weight))
    yield from dataset.source.remarks()


def _id_remarks(dataset: DatasetDescription, reading: Reading) -> Iterator[Remark]:
    counts = reading.counts
    for reason in ("missing", "invalid", "conflicting"):
        if count := getattr(counts, reason):
            yield remark(f"id_{reason}", count=count, report=f"{dataset.name}.rejected.csv")
    if counts.repeated:
        yield remark("id_repeated", count=counts.repeated)
    yield from reading.id_causes


def _column_remarks(dataset: DatasetDescription, facts: ColumnFacts, rows: int) -> Iterator[Remark]:
    name = facts.name
    if facts.missing == rows:
        yield remark("empty", column=name)
    elif facts.constant:
        yield remark("one_value" if facts.missing else "constant", column=name)
    elif facts.levels > MANY_CATEGORIES:
        yield remark("many", column=name, levels=facts.levels)
    if facts.writing is not None:
        yield from remarks(name, facts.type, dataset.described_type(name), facts.writing)
