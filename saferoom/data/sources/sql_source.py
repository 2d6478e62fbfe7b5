"""Queries on databases by URL, streamed through SQLAlchemy as Arrow batches of text.

Values are carried as text, numbers in their shortest exact form, so that every database and driver
yields the same content. The password, if any, is read from its own file and never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
from pydantic import field_validator
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from saferoom.data.sources.base import Access, Problem, SourceDescription, bare, connect, streamed
from saferoom.data.sources.texts import as_texts
from saferoom.data.words import Remark, remark
from saferoom.errors import ConfigError

_CHUNK_ROWS = 65_536


class SqlSource(SourceDescription):
    """A query on any database SQLAlchemy reaches. Keep the password out of the URL: `password_file`."""

    kind: Literal["sql"] = "sql"
    url: str
    query: str
    password_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _readable_url(cls, url: str) -> str:
        try:
            make_url(url)
        except ArgumentError:
            # The library's message repeats the URL, which may hold a password.
            raise ValueError("is no database URL; example: sqlite:///data.db") from None
        return url

    def located(self, folder: Path) -> Self:
        changes: dict[str, Any] = {}
        if (file := self.sqlite_file()) is not None:
            url = make_url(self.url).set(database=str(folder / file))
            changes["url"] = url.render_as_string(hide_password=False)
        if self.password_file is not None:
            changes["password_file"] = folder / self.password_file
        return self.model_copy(update=changes)

    def open(self, problem: Problem) -> Access:
        file = self.sqlite_file()
        if file is not None and not file.is_file():
            raise problem(f"there is no file {file}", remedy="check the database URL")
        reader, connection = SqlReader(self, problem), connect()
        return Access(
            connection,
            reader.names,
            typed=False,
            relation=lambda: streamed(connection, reader.read()),
            failure=lambda: reader.failure,
            on_close=reader.close,
        )

    def remarks(self) -> list[Remark]:
        return [] if "order by" in self.query.lower() else [remark("no_order")]

    def sqlite_file(self) -> Path | None:
        """The file behind a SQLite URL: it would be created empty if it were not there."""
        url = make_url(self.url)
        if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
            return None
        return Path(url.database)


class SqlReader:
    """A query that can be read again and again. `failure` keeps what went wrong inside a stream."""

    def __init__(self, source: SqlSource, problem: Problem) -> None:
        self._make_problem = problem
        self._query = text(bare(source.query).replace(":", r"\:"))
        self.failure: ConfigError | None = None
        self._engine = self._open(source)
        try:
            with self._engine.connect() as connection:
                self.names = self._names(connection)
        except SQLAlchemyError as exc:
            self.close()
            raise self._problem(exc) from None

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
                    columns = [as_texts(values) for values in zip(*rows, strict=True)]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)
        except SQLAlchemyError as exc:
            self.failure = self._problem(exc)
            raise self.failure from None
        except (pa.ArrowException, UnicodeError):
            self.failure = self._make_problem(
                "a column of the query holds values that are no text, number or date",
                remedy="leave binary columns out of the query",
            )
            raise self.failure from None

    def _names(self, connection: Connection) -> Sequence[str]:
        result = connection.execution_options(stream_results=True).execute(self._query)
        names = list(result.keys()) if result.returns_rows else []
        result.close()
        if not names:
            raise self._make_problem("the query returns no rows or columns", remedy="write a SELECT")
        return names

    def _open(self, source: SqlSource) -> Engine:
        try:
            return create_engine(self._with_password(source))
        except (NoSuchModuleError, ModuleNotFoundError):
            driver = make_url(source.url).drivername
            raise self._make_problem(
                f"no driver for {driver} is installed", remedy="install the database's Python driver with pip"
            ) from None

    def _with_password(self, source: SqlSource) -> URL:
        url = make_url(source.url)
        if source.password_file is None:
            return url
        try:
            return url.set(password=source.password_file.read_text(encoding="utf-8").strip())
        except OSError as exc:
            raise self._make_problem(
                f"cannot read the password file: {exc.strerror}", remedy="check `password_file` of the source"
            ) from exc

    def _problem(self, exc: SQLAlchemyError) -> ConfigError:
        # Drivers' messages may repeat values and the URL; the class names the kind of trouble.
        return self._make_problem(
            f"the database refused the query ({type(exc).__name__})",
            remedy="run the query with the database's own client; check URL, table and column names",
        )
