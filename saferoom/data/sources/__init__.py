"""Where data come from: one file a kind of source, and one place in `SOURCES`."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from saferoom.data.sources.arrow_source import ArrowSource
from saferoom.data.sources.base import SourceDescription
from saferoom.data.sources.csv_source import CsvSource
from saferoom.data.sources.duckdb_source import DuckdbSource
from saferoom.data.sources.excel_source import ExcelSource
from saferoom.data.sources.parquet_source import ParquetSource
from saferoom.data.sources.sql_source import SqlSource

SOURCES: tuple[type[SourceDescription], ...] = (
    CsvSource,
    ParquetSource,
    ArrowSource,
    ExcelSource,
    DuckdbSource,
    SqlSource,
)

if TYPE_CHECKING:
    AnySource = SourceDescription
else:
    AnySource = Annotated[reduce(or_, SOURCES), Field(discriminator="kind")]
"""A description of one of these kinds, which its `kind` tells."""
