"""Queries on DuckDB files, whose own types count."""

from __future__ import annotations

from typing import Literal

import duckdb

from saferoom.data.sources.base import Access, FileSource, Problem, SourceDescription, bare, connect
from saferoom.errors import ConfigError


class DuckdbSource(FileSource):
    """A query on a DuckDB file, which is opened read-only; it reads no other file."""

    kind: Literal["duckdb"] = "duckdb"
    query: str

    def open(self, problem: Problem) -> Access:
        self.require_file(problem)
        connection = connect(self.path)
        try:
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            # Inside a FROM, DuckDB silently renames columns that appear twice.
            names = list(connection.sql(bare(self.query)).columns)
        except BaseException:
            connection.close()
            raise
        return Access(connection, names, typed=True, relation=lambda: f"({bare(self.query)})")

    def explain(self, error: Exception, problem: Problem) -> ConfigError:
        if isinstance(error, duckdb.PermissionException):
            return problem(
                "the query reads something else than tables of its file",
                remedy="make a table of it in the file, or describe the other file as a source of its own",
            )
        return SourceDescription.explain(self, error, problem)  # a file, and a query on it
