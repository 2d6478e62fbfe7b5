"""Queries on DuckDB files, whose own types count."""

from __future__ import annotations

from typing import Literal

from saferoom.data.sources.base import Access, FileSource, Problem, bare, connect


class DuckdbSource(FileSource):
    """A query on a DuckDB file, which is opened read-only."""

    kind: Literal["duckdb"] = "duckdb"
    query: str

    def open(self, problem: Problem) -> Access:
        self.require_file(problem)
        connection = connect(self.path)
        try:
            # Inside a FROM, DuckDB silently renames columns that appear twice.
            names = list(connection.sql(bare(self.query)).columns)
        except BaseException:
            connection.close()
            raise
        return Access(connection, names, typed=True, relation=lambda: f"({bare(self.query)})")
