"""A list of enterprises to be scored, read as the party's registered data set is.

Missing texts, types, time zone and id come from the data set, and so do encoding and delimiter where both are
text files. What the list has otherwise is said by whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from saferoom.data.columns import as_text
from saferoom.data.dataset import ENDINGS, DatasetDescription, describe, source_of_file
from saferoom.data.source import SourceReader
from saferoom.errors import ConfigError, UsageError

OPTIONS = ("encoding", "delimiter", "sheet", "missing")
"""What may be said of a list's file; `missing` adds to the data set's own."""


class ListDescription(DatasetDescription):
    """Says `list` where a data set says its name."""

    def problem(self, message: str, *, remedy: str, step: str = "") -> ConfigError:
        return ConfigError(f"the list: {message}", party=self.party, step=step, remedy=remedy)


def describe_list(
    known: DatasetDescription, file: Path, columns: Sequence[str], options: Mapping[str, Any]
) -> ListDescription:
    """How to read the feature `columns` of a list. Raises ConfigError, UsageError."""
    described = {column.name: column for column in known.columns or ()}
    content = {
        "name": "list",
        "source": _source(known, file, options),
        "id": known.id,
        "id_kind": known.id_kind,
        "time_zone": known.time_zone,
        "columns": [described.get(name, {"name": name}) for name in columns],
    }
    found = describe(content, file.parent, party=known.party)
    return ListDescription.model_validate({name: getattr(found, name) for name in type(found).model_fields})


def other_columns(description: DatasetDescription, rows: NDArray[np.int64]) -> dict[str, NDArray[np.str_]]:
    """All columns of a list but the id, as they stand, at its `rows` (n,), from 0. Raises ConfigError."""
    with SourceReader(description) as source:
        names = [name for name in source.native if name != description.id]
        if not names:
            return {}
        batches = list(source.stream(", ".join(f"{as_text(name)} AS c{i}" for i, name in enumerate(names))))
    table = pa.Table.from_batches(batches).take(pa.array(rows))
    texts = [column.fill_null("").to_numpy() for column in table.columns]
    return {name: column.astype(np.str_) for name, column in zip(names, texts, strict=True)}


def _source(known: DatasetDescription, file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    source = source_of_file(file)
    if source is None:
        ending = file.suffix or "none"
        raise UsageError(
            f"a list's name must end in {ENDINGS}; the ending of this one is {ending}",
            remedy="save it in one of these forms",
        )
    given = {name: value for name, value in options.items() if value}
    fits = {name for name in OPTIONS if name in type(source).model_fields}
    if wrong := sorted(set(given) - fits):
        raise UsageError(
            f"a list of kind {source.kind} has no --{wrong[0]}",
            remedy=f"it may have: {', '.join(f'--{name}' for name in OPTIONS if name in fits)}",
        )
    missing = (*known.source.missing, *given.pop("missing", ()))
    shared = known.source.shared_with(source)
    return {"kind": source.kind, "path": file, **shared, **given, "missing": missing}
