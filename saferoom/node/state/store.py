"""What a node remembers: contracts, signatures, jobs, destructions. SQLite; PostgreSQL by another URL."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from saferoom.errors import StorageError, UsageError
from saferoom.jobs.home import Home
from saferoom.node.state.copies import copies_of
from saferoom.node.state.engine import engine_of
from saferoom.node.state.tables import jobs
from saferoom.node.state.versions import prepare


class State:
    """The node's memory. Every call is one transaction. Raises StorageError."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time, home: Path | None = None) -> None:
        """Open the database at `url`, which gets its tables if it is empty. Errors name `home`.

        Raises StorageError; ConfigError if the database has another version than this program works with.
        """
        prepare(url, home)
        self._clock = clock
        self._engine = engine_of(url)

    @classmethod
    def of(cls, home: Home, clock: Callable[[], float] = time.time) -> State:
        """The state of a home. Raises as the constructor."""
        return cls(home.state_url, clock, home.root)

    def close(self) -> None:
        self._engine.dispose()

    def put(self, table: sa.Table, **values: Any) -> None:
        """Insert a row, or replace the one with the same primary key."""
        keys = [table.c[c.name] == values[c.name] for c in table.primary_key]
        with self._transaction() as connection:
            connection.execute(sa.delete(table).where(*keys))
            connection.execute(sa.insert(table).values(**values))

    def update(self, table: sa.Table, key: str, **values: Any) -> None:
        with self._transaction() as connection:
            connection.execute(sa.update(table).where(next(iter(table.primary_key)) == key).values(**values))

    def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute(sa.select(table).where(*where)).mappings()]

    def get(self, table: sa.Table, key: str, what: str) -> dict[str, Any]:
        """The row with that key. Raises UsageError saying that there is no such `what`."""
        found = self.rows(table, next(iter(table.primary_key)) == key)
        if not found:
            raise UsageError(f"there is no {what} {key!r} here", remedy=f"see `saferoom {what} list`")
        return found[0]

    def find_by_prefix(self, table: sa.Table, prefix: str, what: str) -> dict[str, Any]:
        """The one row whose key starts with `prefix`."""
        key = next(iter(table.primary_key))
        found = self.rows(table, key.startswith(prefix, autoescape=True)) if prefix else []
        if len(found) != 1:
            raise UsageError(
                f"{len(found) or 'no'} {what}s here start with {prefix!r}, one is needed",
                remedy=f"see `saferoom {what} list`",
            )
        return found[0]

    def end_job(
        self, job_id: str, state: str, problem: dict[str, str] | None, summary: dict[str, Any] | None
    ) -> None:
        values: dict[str, Any] = {"state": state, "problem": problem, "ended": self._clock()}
        if summary is not None:
            values["summary"] = json.loads(json.dumps(summary))
        self.update(jobs, job_id, **values)

    def forget_results(self, job_id: str) -> None:
        """Remove what a job's row holds of its results: here, in older copies in the database's files, and
        in the copies that upgrades have kept."""
        _forget(self._engine, job_id)
        if self._engine.dialect.name == "sqlite":
            for copy in copies_of(Path(str(self._engine.url.database))):
                engine = engine_of(f"sqlite:///{copy}")
                try:
                    _forget(engine, job_id)
                finally:
                    engine.dispose()

    def _transaction(self) -> _Translated:
        return _Translated(self._engine)


def _forget(engine: sa.Engine, job_id: str) -> None:
    with _Translated(engine) as connection:
        connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(summary=None))
    if engine.dialect.name != "sqlite":
        return
    with _Translated(engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
        connection.exec_driver_sql("VACUUM")
        is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if is_busy:
        raise StorageError(
            "the node's state is being read, so that older copies of a row cannot be removed",
            step="destroy",
            remedy="it is tried again",
        )


class _Translated:
    """`engine.begin()` whose database errors become StorageError."""

    def __init__(self, engine: sa.Engine) -> None:
        self._context = engine.begin()

    def __enter__(self) -> sa.Connection:
        try:
            return self._context.__enter__()
        except SQLAlchemyError as error:
            raise StorageError(
                "the node's state cannot be read", remedy="check disk and permissions"
            ) from error

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self._context.__exit__(kind, error, trace)
        except SQLAlchemyError as fault:
            raise StorageError("the node's state cannot be written", remedy="free disk space") from fault
        if isinstance(error, SQLAlchemyError):
            raise StorageError("the node's state cannot be written", remedy="free disk space") from error
