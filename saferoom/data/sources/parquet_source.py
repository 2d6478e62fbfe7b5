"""Parquet files, whose own types count."""

from __future__ import annotations

from typing import Literal

from pyarrow import parquet

from saferoom.data.sources.base import Access, FileSource, Problem, connect, literal


class ParquetSource(FileSource):
    """A Parquet file."""

    suffixes = (".parquet", ".pq")

    kind: Literal["parquet"] = "parquet"

    def open(self, problem: Problem) -> Access:
        self.require_file(problem)
        # Inside a FROM, DuckDB silently renames columns that appear twice.
        names = list(parquet.read_schema(self.path).names)
        return Access(
            connect(), names, typed=True, relation=lambda: f"read_parquet({literal(str(self.path))})"
        )
