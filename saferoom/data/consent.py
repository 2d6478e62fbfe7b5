"""Consent of the enterprises (企业授权): only rows covered by one may enter a job that requires it.

A consent covers a purpose from its first to its last day, both included, and names the document it
stands in by hash. An empty last day means until revoked. A row that lacks an id, a purpose, a first day
or a document hash, or whose dates cannot be read, is no consent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.data.canonical import canonical
from saferoom.data.cells import Cells
from saferoom.data.columns import as_text
from saferoom.data.dataset import ConsentDescription, DatasetDescription
from saferoom.data.identifiers import fixed_width, tidy_ids
from saferoom.data.source import SourceReader
from saferoom.data.table import PartyTable
from saferoom.data.usual import usual_moment

Days = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class ConsentBook:
    """All usable consents of a table. Shapes: every array (m,); `unusable` rows are not among them."""

    ids: NDArray[np.bytes_]
    purpose: pa.Array
    first_day: Days
    last_day: Days
    unusable: int

    def __repr__(self) -> str:
        return f"ConsentBook({len(self.ids)} consents, {self.unusable} unusable)"


@dataclass(frozen=True, slots=True)
class ConsentCounts:
    """What the filter did, in rows: `rows` = `kept` + `without` + `expired_or_early`.

    `without`: no consent for this purpose; `expired_or_early`: one, but not on this day.
    `unusable`: rows of the consent table that are no consent.
    """

    rows: int
    kept: int
    without: int
    expired_or_early: int
    unusable: int


def load_consent(dataset: DatasetDescription) -> ConsentBook:
    """Read the data set's consent table. Raises ConfigError."""
    consent = dataset.consent
    if consent is None:
        raise dataset.problem(
            "no consent table is described, and the contract requires consent",
            remedy="add `consent:` to the data set's description and register it again",
        )
    cells = dataset.cells(consent.source)
    with SourceReader(dataset, consent.source) as source:
        names = _names(dataset, consent, source)
        batches = list(source.stream(", ".join(f"{as_text(n)} AS c{i}" for i, n in enumerate(names))))
    if not batches:
        raise dataset.problem("the consent table has no rows", remedy="export it again")
    rows = pa.Table.from_batches(batches)
    raw, purpose, first, last, proof = (rows.column(i).combine_chunks() for i in range(rows.num_columns))
    ids, valid, _ = tidy_ids(cells.ids(raw), dataset.id_kind)
    (first_day, has_first), (last_day, has_last) = _days(first, cells), _days(last, cells)
    purposes = cells.categories(purpose).dictionary_decode()
    given = pc.and_(purposes.is_valid(), cells.categories(proof).is_valid())
    # An end that cannot be read must not pass for an open end.
    is_open = ~has_last
    usable = has_first & ~np.isnat(first_day) & (is_open | (last_day >= first_day))
    keep = valid & usable & given.to_numpy(zero_copy_only=False)
    return ConsentBook(
        ids=ids[keep],
        purpose=purposes.filter(pa.array(keep)),
        first_day=first_day[keep],
        last_day=last_day[keep],
        unusable=int(len(keep) - keep.sum()),
    )


def keep_consented(
    table: PartyTable, book: ConsentBook, purpose: str, on: date
) -> tuple[PartyTable, ConsentCounts]:
    """The rows whose enterprise consented to `purpose` on the day `on`, and counts of the others."""
    for_purpose = pc.fill_null(pc.equal(book.purpose, canonical(purpose, UTC)), False).to_numpy(
        zero_copy_only=False
    )
    day = np.datetime64(on, "D")
    on_day = for_purpose & (book.first_day <= day) & (np.isnat(book.last_day) | (day <= book.last_day))
    kept = _among(table.ids, book.ids[on_day])
    known = _among(table.ids, book.ids[for_purpose])
    counts = ConsentCounts(
        rows=len(table),
        kept=int(kept.sum()),
        without=int((~known).sum()),
        expired_or_early=int((known & ~kept).sum()),
        unusable=book.unusable,
    )
    return table.take(kept), counts


def _names(dataset: DatasetDescription, consent: ConsentDescription, source: SourceReader) -> list[str]:
    """The columns to read, in order. Raises ConfigError if one is not there."""
    names = [consent.id or dataset.id, consent.purpose, consent.valid_from, consent.valid_to]
    names.append(consent.document_hash)
    absent = [name for name in names if name not in source.native]
    if absent:
        raise dataset.problem(
            f"the consent table has no column {', '.join(map(repr, absent))}",
            remedy="name its columns under `consent:` in the description",
        )
    return names


def _days(texts: pa.Array, cells: Cells) -> tuple[Days, NDArray[np.bool_]]:
    """The days that texts (n,) name, NaT where they name none, and which texts (n,) say anything."""
    coded = texts.cast(pa.string()).dictionary_encode()
    found: list[str | None] = []
    for text in coded.dictionary.to_pylist():
        moment = usual_moment(text, cells.zone)
        found.append(None if moment is None else moment[:10])
    says = [cells.level(text) is not None for text in coded.dictionary.to_pylist()]
    codes = pc.fill_null(coded.indices, len(found)).to_numpy(zero_copy_only=False)
    days = np.array([*(np.datetime64(day or "NaT", "D") for day in found), np.datetime64("NaT", "D")])
    return days.astype("datetime64[D]")[codes], np.array([*says, False])[codes]


def _among(ids: NDArray[np.bytes_], others: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Which of `ids` (n,) are among `others`."""
    if not len(ids) or not len(others):
        return np.zeros(len(ids), dtype=np.bool_)
    width = max(ids.dtype.itemsize, others.dtype.itemsize)
    wide = [fixed_width(array.astype(f"S{width}")) for array in (ids, others)]
    found: NDArray[np.bool_] = pc.is_in(wide[0], value_set=wide[1]).to_numpy(zero_copy_only=False)
    return found
