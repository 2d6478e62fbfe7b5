"""Rows of a SQL query by URL, streamed through SQLAlchemy as Arrow batches of text.

Values are carried as text, numbers in their shortest exact form, so that every database and driver
yields the same content. The password, if any, is read from its own file and never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from saferoom.data.dataset import DatasetDescription, SqlSource
from saferoom.errors import ConfigError

_CHUNK_ROWS = 65_536


class SqlReader:
    """A query that can be read again and again. `failure` keeps what went wrong inside a stream."""

    def __init__(self, source: SqlSource, dataset: DatasetDescription) -> None:
        self._dataset = dataset
        self._query = text(source.query.rstrip().rstrip(";").replace(":", r"\:"))
        self.failure: ConfigError | None = None
        self._engine = self._open(source)
        try:
            with self._engine.connect() as connection:
                self.names = self._names(connection)
        except SQLAlchemyError as exc:
            self.close()
            raise self._problem(exc) from None

    @staticmethod
    def sqlite_file(source: SqlSource) -> Path | None:
        """The file behind a SQLite URL: it would be created empty if it were not there."""
        url = make_url(source.url)
        if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
            return None
        return Path(url.database)

    def close(self) -> None:
        self._engine.dispose()

    def read(self) -> pa.RecordBatchReader:
        """All rows of the query, every column as text."""
        schema = pa.schema([(name, pa.string()) for name in self.names])
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            with self._engine.connect() as connection:
                result = connection.execution_options(stream_results=True).execute(self._query)
                for rows in result.partitions(_CHUNK_ROWS):
                    columns = [_as_text(values) for values in zip(*rows, strict=True)]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except SQLAlchemyError as exc:
            self.failure = self._problem(exc)
            raise self.failure from None
        except (pa.ArrowException, UnicodeError):
            self.failure = self._dataset.problem(
                "a column of the query holds values that are no text, number or date",
                remedy="leave binary columns out of the query",
            )
            raise self.failure from None

    def _names(self, connection: Connection) -> Sequence[str]:
        result = connection.execution_options(stream_results=True).execute(self._query)
        names = list(result.keys()) if result.returns_rows else []
        result.close()
        if not names:
            raise self._dataset.problem("the query returns no rows or columns", remedy="write a SELECT")
        return names

    def _open(self, source: SqlSource) -> Engine:
        try:
            return create_engine(self._with_password(source))
        except (NoSuchModuleError, ModuleNotFoundError):
            driver = make_url(source.url).drivername
            raise self._dataset.problem(
                f"no driver for {driver} is installed", remedy="install the database's Python driver with pip"
            ) from None

    def _with_password(self, source: SqlSource) -> URL:
        url = make_url(source.url)
        if source.password_file is None:
            return url
        try:
            return url.set(password=source.password_file.read_text(encoding="utf-8").strip())
        except OSError as exc:
            raise self._dataset.problem(
                f"cannot read the password file: {exc.strerror}", remedy="check `password_file` of the source"
            ) from exc

    def _problem(self, exc: SQLAlchemyError) -> ConfigError:
        # Drivers' messages may repeat values and the URL; the class names the kind of trouble.
        return self._dataset.problem(
            f"the database refused the query ({type(exc).__name__})",
            remedy="run the query with the database's own client; check URL, table and column names",
        )


def _as_text(values: Sequence[Any]) -> pa.Array:
    """One chunk of a column as Arrow text; None stays missing."""
    try:
        array = pa.array(values)
        if not pa.types.is_binary(array.type) and not pa.types.is_boolean(array.type):
            return pc.cast(array, pa.string())
    except (pa.ArrowException, UnicodeError):
        pass  # a mix of types, as SQLite allows: one by one below
    return pa.array([_one_as_text(value) for value in values], pa.string())


def _one_as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        raise pa.ArrowInvalid("binary value")
    return str(int(value)) if isinstance(value, bool) else str(value)
