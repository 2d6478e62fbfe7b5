"""Text files with a header line. Every value arrives as text, and the values decide what is a number.

DuckDB reads UTF-8 by itself; national encodings are decoded by Arrow and streamed into it.
"""

from __future__ import annotations

import codecs
import csv
import re
from typing import Literal

import pyarrow as pa
import pyarrow.csv as arrow_csv
from pydantic import Field, field_validator

from saferoom.data.sources.base import (
    Access,
    FileSource,
    Problem,
    connect,
    is_wrong_encoding,
    literal,
    streamed,
    wrong_encoding,
)
from saferoom.errors import ConfigError

_UTF8 = {"utf-8", "utf-8-sig", "ascii"}
_LINE = re.compile(r"CSV Error on Line: (\d+)|Row #(\d+)")


class CsvSource(FileSource):
    """A text file with a header line. `missing` lists texts that mean "no value" besides the empty cell."""

    suffixes = (".csv", ".txt")

    kind: Literal["csv"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    missing: tuple[str, ...] = ()

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name
        except LookupError as exc:
            raise ValueError("is no known encoding; examples: utf-8, gb18030") from exc

    def open(self, problem: Problem) -> Access:
        self.require_file(problem)
        names = self._header(problem)
        connection = connect()
        if self.encoding in _UTF8:
            return Access(connection, names, typed=False, relation=lambda: self._read_csv(names))
        return Access(
            connection, names, typed=False, relation=lambda: streamed(connection, self._decoded(names))
        )

    def explain(self, error: Exception, problem: Problem) -> ConfigError:
        text = str(error)
        line = _LINE.search(text)
        where = f"line {line[1] or line[2]}" if line else "somewhere"
        if is_wrong_encoding(error):
            return wrong_encoding(self.encoding, where, problem)
        return problem(
            f"{self.path.name}, {where}: {_reason(text)}",
            remedy="correct this line, or check the delimiter and quotes",
        )

    def _header(self, problem: Problem) -> list[str]:
        encoding = "utf-8-sig" if self.encoding in _UTF8 else self.encoding
        name = self.path.name
        try:
            with self.path.open(encoding=encoding, newline="") as file:
                header = next(csv.reader(file, delimiter=self.delimiter), [])
        except OSError as exc:
            raise problem(f"cannot read {name}: {exc.strerror}", remedy="check its permissions") from exc
        except UnicodeError:
            raise wrong_encoding(self.encoding, "near the start", problem) from None
        except csv.Error:
            raise problem(
                f"{name} has no readable header line", remedy="check that it is a CSV file"
            ) from None
        if not header:
            raise problem(f"{name} has no header line", remedy="write the column names in the first line")
        return header

    def _read_csv(self, names: list[str]) -> str:
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        nulls = ", ".join(literal(text) for text in ("", *self.missing))
        return (
            f"read_csv({literal(str(self.path))}, auto_detect=false, header=true, strict_mode=true, "
            f"columns={{{columns}}}, delim={literal(self.delimiter)}, quote='\"', escape='\"', "
            f"nullstr=[{nulls}])"
        )

    def _decoded(self, names: list[str]) -> arrow_csv.CSVStreamingReader:
        return arrow_csv.open_csv(
            self.path,
            read_options=arrow_csv.ReadOptions(encoding=self.encoding, block_size=1 << 22, use_threads=False),
            parse_options=arrow_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=["", *self.missing],
            ),
        )


def _reason(text: str) -> str:
    """Why a CSV line cannot be read, in words that hold nothing of the line."""
    counts = re.search(r"Expected(?: Number of Columns:)? (\d+)(?: columns, got| Found:) (\d+)", text)
    if counts:
        return f"expected {counts[1]} cells, found {counts[2]}"
    if "quote" in text:
        return "a quoted cell is not closed, or text follows its closing quote"
    return "the line cannot be read as CSV"
