"""Text files with a header line. Every value arrives as text, and the values decide what is a number.

DuckDB reads them all. It knows UTF-8 alone: other encodings are decoded on the way, through a pipe, so that
no copy of the file lies on a disk.
"""

from __future__ import annotations

import codecs
import csv
import re
from typing import Literal

import duckdb
from pydantic import Field, field_validator

from saferoom.data.sources.base import (
    Access,
    FileSource,
    Problem,
    SourceDescription,
    connect,
    is_wrong_encoding,
    literal,
    wrong_encoding,
)
from saferoom.data.sources.decoding import Decoding
from saferoom.errors import ConfigError

_BYTE_ORDER_MARK = "\ufeff"
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}
_LINE = re.compile(r"CSV Error on Line: (\d+)|Row #(\d+)|line (\d+) cannot be decoded")


class CsvSource(FileSource):
    """A text file with a header line."""

    suffixes = (".csv", ".txt")

    kind: Literal["csv"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)

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
            path = str(self.path)
            return Access(connection, names, typed=False, relation=lambda: self._read_csv(path, names))
        return self._decoded(connection, names, problem)

    def explain(self, error: Exception, problem: Problem) -> ConfigError:
        text = str(error)
        line = _LINE.search(text)
        where = f"line {line[1] or line[2] or line[3]}" if line else "somewhere"
        if is_wrong_encoding(error):
            return wrong_encoding(self.encoding, where, problem)
        return problem(
            f"{self.path.name}, {where}: {_reason(text)}",
            remedy="correct this line, or check the delimiter and quotes",
        )

    def shared_with(self, other: SourceDescription) -> dict[str, object]:
        is_text = isinstance(other, CsvSource)
        return {"encoding": self.encoding, "delimiter": self.delimiter} if is_text else {}

    def _header(self, problem: Problem) -> list[str]:
        name = self.path.name
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                if file.read(1) != _BYTE_ORDER_MARK:
                    file.seek(0)
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

    def _read_csv(self, path: str, names: list[str]) -> str:
        """Every option that looks at anything but the file's content is set, and none is guessed."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        return (
            f"read_csv({literal(path)}, auto_detect=false, header=true, skip=0, strict_mode=true, "
            f"columns={{{columns}}}, delim={literal(self.delimiter)}, quote='\"', escape='\"', comment='', "
            "nullstr=[''], allow_quoted_nulls=true, null_padding=false, ignore_errors=false, "
            "store_rejects=false, normalize_names=false, encoding='utf-8', compression='none', "
            "filename=false, union_by_name=false, hive_partitioning=false)"
        )

    def _decoded(self, connection: duckdb.DuckDBPyConnection, names: list[str], problem: Problem) -> Access:
        decoding = Decoding(self.path, self.encoding)

        def failure() -> ConfigError | None:
            return None if decoding.failure is None else self.explain(decoding.failure, problem)

        return Access(
            connection,
            names,
            typed=False,
            relation=lambda: self._read_csv(decoding.start(), names),
            failure=failure,
            on_close=decoding.close,
        )


def _reason(text: str) -> str:
    """Why a CSV line cannot be read, in words that hold nothing of the line."""
    counts = re.search(r"Expected(?: Number of Columns:)? (\d+)(?: columns, got| Found:) (\d+)", text)
    if counts:
        return f"expected {counts[1]} cells, found {counts[2]}"
    if "invalid state" in text:
        return "its lines end in different ways (CR LF, LF, CR), and must all end in one"
    if "quote" in text:
        return "a quoted cell is not closed, or text follows its closing quote"
    return "the line cannot be read as CSV"
