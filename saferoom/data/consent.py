"""Consent of the enterprises (企业授权): only rows covered by one may enter a job that requires it.

A consent covers a purpose from its first to its last day, both included, and names the document it
stands in by hash. An empty last day means until revoked. A row that lacks an id, a purpose, a first day
or a document hash, or whose dates cannot be read, is no consent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from saferoom.data.columns import as_text
from saferoom.data.dataset import ConsentDescription, DatasetDescription
from saferoom.data.identifiers import fixed_width, tidy_ids
from saferoom.data.source import SourceReader
from saferoom.data.table import PartyTable

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
    with SourceReader(dataset, consent.source) as source:
        _require_columns(dataset, consent, source)
        batches = list(source.stream(_expressions(dataset, consent)))
    if not batches:
        raise dataset.problem("the consent table has no rows", remedy="export it again")
    rows = pa.Table.from_batches(batches)
    column = [rows.column(i).combine_chunks() for i in range(rows.num_columns)]
    usable = column[5].to_numpy(zero_copy_only=False)
    ids, valid, _ = tidy_ids(column[0].cast(pa.large_string()), dataset.id_kind)
    keep = valid & usable
    return ConsentBook(
        ids=ids[keep],
        purpose=column[1].filter(pa.array(keep)),
        first_day=_days(column[2])[keep],
        last_day=_days(column[3])[keep],
        unusable=int(len(keep) - keep.sum()),
    )


def keep_consented(
    table: PartyTable, book: ConsentBook, purpose: str, on: date
) -> tuple[PartyTable, ConsentCounts]:
    """The rows whose enterprise consented to `purpose` on the day `on`, and counts of the others."""
    for_purpose = pc.fill_null(pc.equal(book.purpose, purpose.strip()), False).to_numpy(zero_copy_only=False)
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


def _expressions(dataset: DatasetDescription, consent: ConsentDescription) -> str:
    purpose, proof = f"trim({as_text(consent.purpose)})", as_text(consent.document_hash)
    start, end = as_text(consent.valid_from), as_text(consent.valid_to)
    first, last = f"TRY_CAST({start} AS DATE)", f"TRY_CAST({end} AS DATE)"
    # An end that cannot be read must not pass for an open end.
    usable = (
        f"{purpose} IS NOT NULL AND {proof} IS NOT NULL AND {first} IS NOT NULL"
        f" AND ({end} IS NULL OR {last} >= {first})"
    )
    parts = [as_text(consent.id or dataset.id), purpose, first, last, proof, f"coalesce({usable}, false)"]
    return ", ".join(f"{part} AS c{position}" for position, part in enumerate(parts))


def _require_columns(dataset: DatasetDescription, consent: ConsentDescription, source: SourceReader) -> None:
    names = [consent.id or dataset.id, consent.purpose, consent.valid_from, consent.valid_to]
    absent = [name for name in (*names, consent.document_hash) if name not in source.native]
    if absent:
        raise dataset.problem(
            f"the consent table has no column {', '.join(map(repr, absent))}",
            remedy="name its columns under `consent:` in the description",
        )


def _days(dates: pa.Array) -> Days:
    return np.asarray(dates.to_numpy(zero_copy_only=False), dtype="datetime64[D]")


def _among(ids: NDArray[np.bytes_], others: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Which of `ids` (n,) are among `others`."""
    if not len(ids) or not len(others):
        return np.zeros(len(ids), dtype=np.bool_)
    width = max(ids.dtype.itemsize, others.dtype.itemsize)
    wide = [fixed_width(array.astype(f"S{width}")) for array in (ids, others)]
    found: NDArray[np.bool_] = pc.is_in(wide[0], value_set=wide[1]).to_numpy(zero_copy_only=False)
    return found
