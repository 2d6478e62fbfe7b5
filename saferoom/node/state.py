"""What a node remembers: contracts, signatures, jobs, destructions. SQLite; PostgreSQL by another URL."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from saferoom.errors import StorageError, UsageError

_metadata = sa.MetaData()

contracts = sa.Table(
    "contracts",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("canonical", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("updated", sa.Float, nullable=False),
)
decisions = sa.Table(
    "decisions",
    _metadata,
    sa.Column("contract_id", sa.String, primary_key=True),
    sa.Column("party", sa.String, primary_key=True),
    sa.Column("decision", sa.String, primary_key=True),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
)
jobs = sa.Table(
    "jobs",
    _metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("contract_id", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("problem", sa.JSON),
    sa.Column("summary", sa.JSON),
)
permits = sa.Table(
    "permits",
    _metadata,
    sa.Column("contract_id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("left", sa.Integer, nullable=False),
)
destructions = sa.Table(
    "destructions",
    _metadata,
    sa.Column("job_id", sa.String, primary_key=True),
    sa.Column("contract_id", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("on_behalf_of", sa.String, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("scope", sa.String, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try", sa.Float, nullable=False),
    sa.Column("changed", sa.Float, nullable=False),
)

JOB_ENDED = ("finished", "failed", "cancelled", "refused")


class State:
    """The node's memory. Every call is one transaction. Raises StorageError."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._engine = sa.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _sqlite_pragmas)
        try:
            _metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            raise StorageError(
                "the node's state cannot be opened", remedy="check disk and permissions"
            ) from error

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
        """Remove what a job's row holds of its results, and every older copy in the database's files."""
        self.update(jobs, job_id, summary=None)
        if self._engine.dialect.name != "sqlite":
            return
        with _Translated(self._engine.execution_options(isolation_level="AUTOCOMMIT")) as connection:
            connection.exec_driver_sql("VACUUM")
            is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if is_busy:
            raise StorageError(
                "the node's state is being read, so that older copies of a row cannot be removed",
                step="destroy",
                remedy="it is tried again",
            )

    def _transaction(self) -> _Translated:
        return _Translated(self._engine)


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


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
