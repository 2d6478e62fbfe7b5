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
        return Access(connect(), names, typed=True, relation=self._read_parquet)

    def _read_parquet(self) -> str:
        """Every option that looks at anything but the file's content is set."""
        return (
            f"read_parquet({literal(str(self.path))}, hive_partitioning=false, union_by_name=false, "
            "filename=false, file_row_number=false, binary_as_string=false)"
        )
