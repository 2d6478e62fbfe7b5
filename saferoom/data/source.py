"""Reading a source: its columns, and any SELECT over it streamed as Arrow batches in the source's order.

Of which kind it is, and so how DuckDB comes to its rows, is settled in `sources`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import pyarrow as pa

from saferoom.data.dataset import DatasetDescription
from saferoom.data.sources.base import SourceDescription

Native = Literal["untyped", "text", "number", "float32", "decimal", "other"]
BATCH_ROWS = 65_536
_FOREIGN = (duckdb.Error, pa.ArrowException, UnicodeError, OSError)
_NUMBER = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|BIGNUM|DOUBLE|BOOLEAN)")


class SourceReader:
    """One data set's source (or its consent table's). Use it in a `with` block.

    `native` says of each column, in order, what the source itself knows of its type.
    Raises ConfigError for everything that is wrong with the source.
    """

    def __init__(self, dataset: DatasetDescription, source: SourceDescription | None = None) -> None:
        self._dataset = dataset
        self._source = dataset.source if source is None else source
        try:
            self._access = self._source.open(dataset.problem)
        except _FOREIGN as exc:
            raise self._source.explain(exc, dataset.problem) from None
        try:
            self.native: Mapping[str, Native] = self._look()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SourceReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._access.close()

    def stream(self, expressions: str, where: str = "true") -> Iterator[pa.RecordBatch]:
        """Batches of `SELECT expressions FROM source WHERE where`, rows in the source's order."""
        with self._translated():
            yield from self._select(expressions, where).to_arrow_reader(BATCH_ROWS)
            self._require_whole()

    def one_row(self, expressions: str, where: str = "true") -> tuple[Any, ...]:
        """The single row of an aggregate."""
        with self._translated():
            row: tuple[Any, ...] = self._select(expressions, where).fetchall()[0]
            self._require_whole()
            return row

    def first_row(self, condition: str) -> int | None:
        """The number (1 = first after the header) of the first row for which `condition` holds."""
        with self._translated():
            numbered = self._select(f"row_number() OVER () AS n, {condition} AS hit")
            found = numbered.filter("hit").aggregate("min(n)").fetchall()[0][0]
            self._require_whole()
            return None if found is None else int(found)

    def _select(self, expressions: str, where: str = "true") -> duckdb.DuckDBPyRelation:
        return self._access.connection.sql(
            f"SELECT {expressions} FROM {self._access.relation()} WHERE {where}"  # noqa: S608
        )

    def _look(self) -> dict[str, Native]:
        names = self.unique(self._access.names)
        if not self._access.typed:
            return dict.fromkeys(names, "untyped")
        with self._translated():
            rows = self._select("*")
            return {name: _native(str(kind)) for name, kind in zip(rows.columns, rows.types, strict=True)}

    def unique(self, names: Sequence[str]) -> Sequence[str]:
        folded = [name.lower() for name in names]  # to SQL, `Sum` and `sum` are one name
        twice = sorted({name for name, low in zip(names, folded, strict=True) if folded.count(low) > 1})
        if twice:
            raise self._dataset.problem(
                f"these columns appear twice: {', '.join(map(repr, twice))}",
                remedy="give every column its own name, different in more than upper and lower case",
            )
        if "" in names:
            raise self._dataset.problem(
                f"column {names.index('') + 1} has no name", remedy="name every column in the header"
            )
        return names

    def _require_whole(self) -> None:
        """To DuckDB a stream that broke may look like one that ended."""
        failure = self._access.failure()
        if failure is not None:
            raise failure

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except _FOREIGN as exc:
            raise self._access.failure() or self._source.explain(exc, self._dataset.problem) from None


def is_number(native: Native) -> bool:
    """Whether the source itself keeps the column's values as numbers."""
    return native in ("number", "float32", "decimal")


def _native(duckdb_type: str) -> Native:
    if duckdb_type.startswith(("VARCHAR", "ENUM")):
        return "text"
    if duckdb_type == "FLOAT":
        return "float32"
    if duckdb_type.startswith("DECIMAL("):
        return "decimal"
    return "number" if _NUMBER.fullmatch(duckdb_type) else "other"
