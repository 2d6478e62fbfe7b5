"""What the cells of each column look like, and which type that suggests: counts and row numbers, no value.

all plain numbers, or true and false     numeric
digits with zeros in front               categorical: codes
nine tenths numbers, and many of them    refused until the type is named
anything else                            categorical
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from saferoom.data.canonical import NOTHING, tidy
from saferoom.data.cells import Cells
from saferoom.data.columns import as_text, feature_names, is_odd
from saferoom.data.dataset import COLUMN_TYPES, DatasetDescription
from saferoom.data.source import SourceReader, is_number
from saferoom.data.table import ColumnType
from saferoom.data.usual import GAP_WORDS, usual_moment, usual_number, writings

MOST = 0.9
"""The share of numbers from which a column of texts is more likely a column of numbers."""
MANY = 20
"""More different numbers than this are hardly codes."""
_MOST_NAMED = 5
_KINDS = ("gap", "plain", "boolean", "zeros", "usual", "date", "gap word", "other")


class Writing(BaseModel):
    """How the known values of a column are written: how many, and in which row the first one stands.

    numbers      plain numbers, `true` and `false`
    unusual      numbers in another writing, such as 1,200 or 12 %; `forms` says in which
    dates        dates; those that are plain numbers as well are not among them
    zeros        digits with zeros in front
    gap_words    words that people write where there is no value, such as N/A
    others       anything else
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    known: int
    numbers: int
    unusual: int = 0
    dates: int = 0
    zeros: int = 0
    gap_words: int = 0
    others: int = 0
    different: int = 0
    forms: tuple[str, ...] = ()
    first_row: Mapping[str, int] = {}

    @property
    def share(self) -> float:
        """How many of the known values say a number."""
        return self.numeric / self.known if self.known else 1.0

    @property
    def numeric(self) -> int:
        """How many say a number, in any writing."""
        return self.numbers + self.unusual + self.zeros

    @property
    def type(self) -> ColumnType | None:
        """What they suggest; None: they are mostly numbers, and somebody has to say."""
        if self.numbers == self.known:
            return "numeric"
        if self.zeros and self.numbers + self.zeros == self.known:
            return "categorical"
        return None if self.share >= MOST and self.different > MANY else "categorical"

    @property
    def first_odd(self) -> int:
        """The first row that holds no plain number."""
        return min((row for kind, row in self.first_row.items() if kind != "numbers"), default=0)


def look(source: SourceReader, cells: Cells, names: Sequence[str]) -> dict[str, Writing]:
    """How the columns `names` are written; columns of native numbers are left out."""
    names = [name for name in names if not is_number(source.native[name])]
    if not names:
        return {}
    plain = _all_plain(source, names)
    odd = [name for name in names if name not in plain]
    return plain | _look_closely(source, cells, odd)


def decide_types(
    dataset: DatasetDescription,
    source: SourceReader,
    cells: Cells,
    known: Mapping[str, ColumnType] | None = None,
    written: Mapping[str, Writing] | None = None,
) -> dict[str, ColumnType]:
    """The type of every feature column, in the data set's order.

    First what `known` says (a registration, a stored preparation), then the description, then the
    source (Parquet, DuckDB); in an untyped source the values decide. `written`: how they are, if that is
    known already. Raises ConfigError for columns that somebody has to decide on.
    """
    names = feature_names(dataset, source)
    types: dict[str, ColumnType] = {}
    for name in names:
        described, native = dataset.described_type(name), source.native[name]
        if known is not None and name in known:
            types[name] = known[name]
        elif described is not None:
            types[name] = COLUMN_TYPES[described]
        elif native != "untyped":
            types[name] = "numeric" if is_number(native) else "categorical"
    open_names = [name for name in names if name not in types]
    if open_names:
        written = look(source, cells, open_names) if written is None else written
        types.update(_by_values(dataset, {name: written[name] for name in open_names}))
    return {name: types[name] for name in names}


def _by_values(dataset: DatasetDescription, written: Mapping[str, Writing]) -> dict[str, ColumnType]:
    undecided = [
        f"column {name!r}: {each.numeric} of {each.known} values read as numbers, "
        f"row {each.first_odd} does not{' in a plain writing' if each.share == 1 else ''}"
        for name, each in written.items()
        if each.type is None
    ]
    if undecided:
        more = len(undecided) - _MOST_NAMED
        raise dataset.problem(
            "; ".join(undecided[:_MOST_NAMED]) + (f"; and {more} more such columns" if more > 0 else ""),
            remedy="name the type under `columns:`, numeric or categorical, and list texts that mean "
            '"no value" under `missing:` of the source; `saferoom data propose` writes a description',
        )
    return {name: each.type for name, each in written.items() if each.type is not None}


def _all_plain(source: SourceReader, names: Sequence[str]) -> dict[str, Writing]:
    """Of those columns whose values are all plain numbers: nothing else is worth a look."""
    parts = [
        part
        for name in names
        for part in (
            f"count({as_text(name)})",
            f"count_if({is_odd(name)} OR regexp_matches({as_text(name)}, '^\\s*[-+]?0[0-9]'))",
        )
    ]
    counts = source.one_row(", ".join(parts))
    found = zip(names, counts[::2], counts[1::2], strict=True)
    return {name: Writing(known=known, numbers=known) for name, known, odd in found if not odd}


@dataclass(slots=True)
class _Tally:
    """Of one column, over all batches: how many cells of each kind, and where the first one stands."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    first: dict[str, int] = field(default_factory=dict)
    forms: dict[str, None] = field(default_factory=dict)
    numbers: set[float] = field(default_factory=set)

    def add(self, texts: pa.Array, cells: Cells, rows_before: int) -> None:
        coded = texts.dictionary_encode()
        kinds = [self._kind(text, cells) for text in coded.dictionary.to_pylist()]
        places = np.array([_KINDS.index(kind) for kind in kinds] + [0])
        found = places[pc.fill_null(coded.indices, len(kinds)).to_numpy(zero_copy_only=False)]
        counts = np.bincount(found, minlength=len(_KINDS))
        for number in np.flatnonzero(counts):
            kind = _KINDS[number]
            self.counts[kind] += int(counts[number])
            if kind not in self.first:
                self.first[kind] = rows_before + int((found == number).argmax()) + 1

    def writing(self) -> Writing:
        names = {
            "usual": "unusual",
            "date": "dates",
            "zeros": "zeros",
            "gap word": "gap_words",
            "other": "others",
        }
        return Writing(
            known=sum(count for kind, count in self.counts.items() if kind != "gap"),
            numbers=self.counts["plain"] + self.counts["boolean"],
            different=min(len(self.numbers), MANY + 1),
            forms=tuple(self.forms),
            first_row={names[kind]: row for kind, row in self.first.items() if kind in names},
            **{name: self.counts[kind] for kind, name in names.items()},
        )

    def _kind(self, text: str, cells: Cells) -> str:
        kind, number = _kind_of(text, cells)
        if number is not None and len(self.numbers) <= MANY:
            self.numbers.add(number)
        if kind == "usual":
            self.forms.update(dict.fromkeys(writings(text)))
        return kind


def _kind_of(text: str, cells: Cells) -> tuple[str, float | None]:
    folded = tidy(text)
    level = cells.level(text)
    if level is None or folded == NOTHING:
        return "gap", None
    if folded.lower() in ("true", "false"):
        return "boolean", None
    number = usual_number(text)
    if number is not None:
        if folded.lstrip("+-")[:1] == "0" and folded.lstrip("+-")[1:2].isdigit():
            return "zeros", number
        return ("usual" if any(writings(text)) or not _is_plain(folded) else "plain"), number
    if usual_moment(text, cells.zone) is not None:
        return "date", None
    return ("gap word" if folded.lower() in GAP_WORDS else "other"), None


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _look_closely(source: SourceReader, cells: Cells, names: Sequence[str]) -> dict[str, Writing]:
    if not names:
        return {}
    tallies, rows = [_Tally() for _ in names], 0
    for batch in source.stream(", ".join(f"{as_text(name)} AS c{i}" for i, name in enumerate(names))):
        for tally, column in zip(tallies, batch.columns, strict=True):
            tally.add(column.cast(pa.string()), cells, rows)
        rows += batch.num_rows
    return {name: tally.writing() for name, tally in zip(names, tallies, strict=True)}
