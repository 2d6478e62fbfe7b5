"""Reading a source: column names, and any SELECT over it streamed as Arrow batches in the source's order.

DuckDB reads files out of core. What it cannot reach without downloading an extension (CSV in national
encodings, SQL databases by URL) is streamed into it as text from Arrow and SQLAlchemy. CSV and SQL
sources are *untyped*: every value arrives as text and the values decide what is a number.

The libraries' own messages quote the offending row. They are therefore never passed on or chained:
only the line number and the reason are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from saferoom.data.dataset import (
    CsvSource,
    DatasetDescription,
    DuckdbSource,
    ParquetSource,
    SourceDescription,
    SqlSource,
)
from saferoom.data.sql import SqlReader
from saferoom.errors import ConfigError

Native = Literal["untyped", "text", "number", "other"]
BATCH_ROWS = 65_536
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",  # never spill the party's rows onto a disk nobody named
}
_NUMBER = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|BIGNUM|FLOAT|DOUBLE|BOOLEAN|DECIMAL\(.*)")
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}


def quote(name: str) -> str:
    """A column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Source:
    """One data set's source (or its consent table's). Use it in a `with` block.

    `native` says of each column, in order, what the source itself knows of its type.
    Raises ConfigError for everything that is wrong with the source.
    """

    def __init__(self, dataset: DatasetDescription, source: SourceDescription | None = None) -> None:
        self._dataset = dataset
        self._source = dataset.source if source is None else source
        self._sql: SqlReader | None = None
        self._connection = self._connect()
        try:
            self.native: Mapping[str, Native] = self._look()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        if self._sql is not None:
            self._sql.close()

    def stream(self, expressions: str, where: str = "true") -> Iterator[pa.RecordBatch]:
        """Batches of `SELECT expressions FROM source WHERE where`, rows in the source's order."""
        with self._translated():
            rows = self._connection.sql(f"SELECT {expressions} FROM {self._relation()} WHERE {where}")  # noqa: S608
            yield from rows.to_arrow_reader(BATCH_ROWS)

    def one_row(self, expressions: str, where: str = "true") -> tuple[Any, ...]:
        """The single row of an aggregate."""
        with self._translated():
            query = f"SELECT {expressions} FROM {self._relation()} WHERE {where}"  # noqa: S608
            row: tuple[Any, ...] = self._connection.sql(query).fetchall()[0]
            return row

    def first_row(self, condition: str) -> int | None:
        """The number (1 = first after the header) of the first row for which `condition` holds."""
        with self._translated():
            numbered = f"SELECT row_number() OVER () AS n, {condition} AS hit FROM {self._relation()}"  # noqa: S608
            found = self._connection.sql(f"SELECT min(n) FROM ({numbered}) WHERE hit").fetchall()[0][0]  # noqa: S608
            return None if found is None else int(found)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        source = self._source
        if not isinstance(source, SqlSource):
            self._require_file(source)
        elif (file := SqlReader.sqlite_file(source)) is not None and not file.is_file():
            raise self._dataset.problem(f"there is no file {file}", remedy="check the database URL")
        with self._translated():
            if isinstance(source, DuckdbSource):
                return duckdb.connect(str(source.path), read_only=True, config=_SETTINGS)
            return duckdb.connect(config=_SETTINGS)

    def _require_file(self, source: CsvSource | ParquetSource | DuckdbSource) -> None:
        path = source.path
        if not path.is_file():
            raise self._dataset.problem(
                f"there is no file {path}", remedy="check the path in the data set's description"
            )
        if path.stat().st_size == 0:
            raise self._dataset.problem(f"{path.name} is empty", remedy="export the table again")
        if any(mark in str(path) for mark in "*?["):
            raise self._dataset.problem(
                f"{path.name} lies at a path with *, ? or [", remedy="rename the file or its folder"
            )

    def _look(self) -> dict[str, Native]:
        source = self._source
        if isinstance(source, CsvSource):
            return dict.fromkeys(self._unique(self._header(source)), "untyped")
        if isinstance(source, SqlSource):
            with self._translated():
                self._sql = SqlReader(source, self._dataset)
            return dict.fromkeys(self._unique(list(self._sql.names)), "untyped")
        with self._translated():
            self._unique(self._own_names(source))
            relation = self._connection.sql(f"SELECT * FROM {self._relation()}")  # noqa: S608
            return {n: _native(str(t)) for n, t in zip(relation.columns, relation.types, strict=True)}

    def _own_names(self, source: ParquetSource | DuckdbSource) -> list[str]:
        """The names as they stand: inside a FROM, DuckDB silently renames those that appear twice."""
        if isinstance(source, ParquetSource):
            return list(parquet.read_schema(source.path).names)
        return list(self._connection.sql(source.query.rstrip().rstrip(";")).columns)

    def _unique(self, names: list[str]) -> list[str]:
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

    def _header(self, source: CsvSource) -> list[str]:
        encoding = "utf-8-sig" if source.encoding in _UTF8 else source.encoding
        try:
            with source.path.open(encoding=encoding, newline="") as file:
                header = next(csv.reader(file, delimiter=source.delimiter), [])
        except OSError as exc:
            raise self._dataset.problem(
                f"cannot read {source.path.name}: {exc.strerror}", remedy="check its permissions"
            ) from exc
        except UnicodeError:
            raise self._wrong_encoding("near the start") from None
        except csv.Error:
            raise self._dataset.problem(
                f"{source.path.name} has no readable header line", remedy="check that it is a CSV file"
            ) from None
        if not header:
            raise self._dataset.problem(
                f"{source.path.name} has no header line", remedy="write the column names in the first line"
            )
        return header

    def _relation(self) -> str:
        source = self._source
        if isinstance(source, ParquetSource):
            return f"read_parquet({_literal(str(source.path))})"
        if isinstance(source, DuckdbSource):
            return f"({source.query.rstrip().rstrip(';')})"
        if isinstance(source, CsvSource) and source.encoding in _UTF8:
            return self._duckdb_csv(source)
        reader = self._decoded_csv(source) if isinstance(source, CsvSource) else self._sql_rows()
        self._connection.register("streamed", reader)
        return "streamed"

    def _duckdb_csv(self, source: CsvSource) -> str:
        columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in self.native)
        nulls = ", ".join(_literal(text) for text in ("", *source.missing))
        return (
            f"read_csv({_literal(str(source.path))}, auto_detect=false, header=true, strict_mode=true, "
            f"columns={{{columns}}}, delim={_literal(source.delimiter)}, quote='\"', escape='\"', "
            f"nullstr=[{nulls}])"
        )

    def _decoded_csv(self, source: CsvSource) -> arrow_csv.CSVStreamingReader:
        return arrow_csv.open_csv(
            source.path,
            read_options=arrow_csv.ReadOptions(
                encoding=source.encoding, block_size=1 << 22, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(delimiter=source.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self.native, pa.string()),
                strings_can_be_null=True,
                null_values=["", *source.missing],
            ),
        )

    def _sql_rows(self) -> pa.RecordBatchReader:
        if self._sql is None:
            raise self._dataset.problem("the database is not open", remedy="open the source again")
        return self._sql.read()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, UnicodeError, OSError) as exc:
            raise self._translate(exc) from None

    def _translate(self, exc: Exception) -> ConfigError:
        if self._sql is not None and self._sql.failure is not None:
            return self._sql.failure
        text = str(exc)
        line = re.search(r"CSV Error on Line: (\d+)|Row #(\d+)", text)
        where = f"line {line.group(1) or line.group(2)}" if line else "somewhere"
        if isinstance(exc, UnicodeError) or "unicode" in text.lower() or "codec can't" in text:
            return self._wrong_encoding(where)
        if isinstance(self._source, CsvSource):
            return self._dataset.problem(
                f"{self._source.path.name}, {where}: {_csv_reason(text)}",
                remedy="correct this line, or check the delimiter and quotes",
            )
        return self._dataset.problem(
            f"the {self._source.kind} source cannot be read ({type(exc).__name__})",
            remedy="check that the file is whole and the query runs",
        )

    def _wrong_encoding(self, where: str) -> ConfigError:
        encoding = getattr(self._source, "encoding", "utf-8")
        return self._dataset.problem(
            f"the file is not {encoding} text ({where})",
            remedy="set `encoding:` of the source, e.g. gb18030 for files saved by a Chinese Excel",
        )


def _native(duckdb_type: str) -> Native:
    if duckdb_type.startswith(("VARCHAR", "ENUM")):
        return "text"
    return "number" if _NUMBER.fullmatch(duckdb_type) else "other"


def _csv_reason(text: str) -> str:
    """Why a CSV line cannot be read, in words that hold nothing of the line."""
    counts = re.search(r"Expected(?: Number of Columns:)? (\d+)(?: columns, got| Found:) (\d+)", text)
    if counts:
        return f"expected {counts.group(1)} cells, found {counts.group(2)}"
    if "quote" in text:
        return "a quoted cell is not closed, or text follows its closing quote"
    return "the line cannot be read as CSV"
