"""Connections to a node's state: as it is worked with, as it is looked at, and as its tables are changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


def engine_of(url: str) -> sa.Engine:
    """Connections of a working node: what is committed is on the disk, what is deleted is overwritten."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _sqlite_pragmas)
    return engine


@contextmanager
def looking(url: str) -> Iterator[sa.Connection]:
    """A connection to read with. Raises SQLAlchemyError."""
    engine = engine_of(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def changing_tables(url: str) -> Iterator[sa.Connection]:
    """One transaction over rows and tables, without another writer: all of it counts, or nothing.

    Raises SQLAlchemyError.
    """
    engine = engine_of(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _leave_begin_to_us)
        sa.event.listen(engine, "begin", _begin_immediately)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _leave_begin_to_us(connection: Any, _record: Any) -> None:
    # Python's driver begins no transaction before CREATE, ALTER or DROP: each would count by itself.
    connection.isolation_level = None


def _begin_immediately(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
