"""Sheets of Excel workbooks. Cells keep types of their own, one by one: every value is carried as text, and
the values decide."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

import pyarrow as pa

from saferoom.data.sources.base import Access, FileSource, Problem, connect, streamed
from saferoom.data.sources.texts import as_texts
from saferoom.errors import ConfigError

_CHUNK_ROWS = 8_192


class ExcelSource(FileSource):
    """A sheet whose first row names the columns; without `sheet`, the only one."""

    suffixes = (".xlsx", ".xlsm")

    kind: Literal["excel"] = "excel"
    sheet: str | None = None

    def open(self, problem: Problem) -> Access:
        self.require_file(problem)
        with self._rows(problem) as rows:
            header = list(next(rows, ()))
        while header and header[-1] is None:
            header.pop()
        if not header:
            raise problem("the sheet has no header row", remedy="write the column names in the first row")
        names = ["" if cell is None else str(cell) for cell in header]
        connection = connect()
        return Access(
            connection,
            names,
            typed=False,
            relation=lambda: streamed(connection, self._reader(names, problem)),
        )

    def explain(self, error: Exception, problem: Problem) -> ConfigError:
        return problem(
            f"{self.path.name} cannot be read as an Excel workbook ({type(error).__name__})",
            remedy="save it as .xlsx without a password, or as CSV UTF-8",
        )

    def _reader(self, names: Sequence[str], problem: Problem) -> pa.RecordBatchReader:
        schema = pa.schema([(name, pa.string()) for name in names])
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema, problem))

    def _batches(self, schema: pa.Schema, problem: Problem) -> Iterator[pa.RecordBatch]:
        width = len(schema)
        with self._rows(problem) as rows:
            next(rows, None)
            while chunk := list(islice(rows, _CHUNK_ROWS)):
                full = [(*row[:width], *(None,) * (width - len(row))) for row in chunk]
                kept = [row for row in full if any(cell is not None for cell in row)]
                if kept:
                    columns = [as_texts(cells) for cells in zip(*kept, strict=True)]
                    yield pa.RecordBatch.from_arrays(columns, schema=schema)

    @contextmanager
    def _rows(self, problem: Problem) -> Iterator[Iterator[tuple[Any, ...]]]:
        from openpyxl import load_workbook  # half a second, and few data sets are workbooks
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            book = load_workbook(self.path, read_only=True, data_only=True, keep_links=False)
        except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as exc:
            raise self.explain(exc, problem) from None
        try:
            yield book[self._sheet(book.sheetnames, problem)].iter_rows(values_only=True)
        finally:
            book.close()

    def _sheet(self, names: Sequence[str], problem: Problem) -> str:
        if self.sheet is None and len(names) == 1:
            return names[0]
        if self.sheet in names:
            return str(self.sheet)
        said = "which of them holds the data is not said" if self.sheet is None else f"none is {self.sheet!r}"
        raise problem(
            f"{self.path.name} has {len(names)} sheets, and {said}",
            remedy="name it: `sheet:` of the source, --sheet of a list",
        )
