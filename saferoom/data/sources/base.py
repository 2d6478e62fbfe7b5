"""What a kind of source is: how a description names it, and how DuckDB comes to its rows.

    SourceDescription ──open──▶ Access: a DuckDB connection, the columns' names, what stands after FROM
                      ──explain──▶ what is wrong, in words that hold nothing of the data

DuckDB reads files out of core. What it cannot reach without downloading an extension is streamed into it as
text. The libraries' own messages quote the offending row: they are never passed on or chained.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, field_validator

from saferoom.data.words import Remark
from saferoom.errors import ConfigError

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",  # never spill the party's rows onto a disk nobody named
}


class Problem(Protocol):
    """Makes an error that names the data set and its party."""

    def __call__(self, message: str, *, remedy: str) -> ConfigError: ...


@dataclass(frozen=True, slots=True)
class Access:
    """An open source.

    `names`: its columns in order, as the source has them. `typed`: whether its own types of columns count;
    else every value is text. `relation()` gives what stands for its rows after FROM, for one reading.
    `failure()` gives what went wrong inside a stream, where DuckDB has put an error of its own around it.
    """

    connection: duckdb.DuckDBPyConnection
    names: Sequence[str]
    typed: bool
    relation: Callable[[], str]
    failure: Callable[[], ConfigError | None] = lambda: None
    on_close: Callable[[], None] = lambda: None

    def close(self) -> None:
        self.connection.close()
        self.on_close()


class SourceDescription(BaseModel, ABC):
    """What `dataset.yaml` says of one kind of source.

    `suffixes`: a file whose name ends so can be named without its kind.
    `missing`: texts and numbers that mean "no value", besides the empty cell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    suffixes: ClassVar[tuple[str, ...]] = ()

    kind: str
    missing: tuple[str, ...] = ()

    @field_validator("missing", mode="before")
    @classmethod
    def _numbers_too(cls, missing: Any) -> Any:
        """`missing: [-999]` says what `missing: ["-999"]` says."""
        if not isinstance(missing, list | tuple):
            return missing
        return [str(each) if isinstance(each, int | float) else each for each in missing]

    @abstractmethod
    def located(self, folder: Path) -> Self:
        """The same with absolute paths, starting from `folder`."""

    @abstractmethod
    def open(self, problem: Problem) -> Access:
        """The source, open. Raises ConfigError made by `problem`, or what `explain` explains."""

    def explain(self, error: Exception, problem: Problem) -> ConfigError:
        """A library's error in words that hold nothing of the data."""
        if is_wrong_encoding(error):
            return wrong_encoding("utf-8", "somewhere", problem)
        return problem(
            f"the {self.kind} source cannot be read ({type(error).__name__})",
            remedy="check that the file is whole and the query runs",
        )

    def shared_with(self, other: SourceDescription) -> dict[str, object]:
        """Settings of this source with which another one, of a list to be scored, is read as this one is."""
        del other
        return {}

    def remarks(self) -> list[Remark]:
        """What is worth a thought, though nothing is wrong."""
        return []


class FileSource(SourceDescription):
    """A source that is one file."""

    path: Path

    def located(self, folder: Path) -> Self:
        return self.model_copy(update={"path": folder / self.path})

    def explain(self, error: Exception, problem: Problem) -> ConfigError:
        if is_wrong_encoding(error):
            return super().explain(error, problem)
        return problem(
            f"{self.path.name} cannot be read as a file of kind {self.kind} ({type(error).__name__})",
            remedy="check that it is whole, and of the kind that its name says",
        )

    def require_file(self, problem: Problem) -> None:
        """Raise ConfigError unless the file is there, holds something, and lies where DuckDB finds it."""
        path = self.path
        if not path.is_file():
            is_folder = path.is_dir()
            raise problem(
                f"{path} is a folder, and a file is expected" if is_folder else f"there is no file {path}",
                remedy="name the file in it" if is_folder else "check the path",
            )
        if path.stat().st_size == 0:
            raise problem(f"{path.name} is empty", remedy="export the table again")
        if any(mark in str(path) for mark in "*?["):
            raise problem(
                f"{path.name} lies at a path with *, ? or [", remedy="rename the file or its folder"
            )


def connect(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, or on a file, read-only; it loads nothing, spills nothing and knows no local time."""
    if path is None:
        connection = duckdb.connect(config=_SETTINGS)
    else:
        connection = duckdb.connect(str(path), read_only=True, config=_SETTINGS)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def streamed(connection: duckdb.DuckDBPyConnection, rows: pa.RecordBatchReader) -> str:
    """What stands after FROM for a stream of Arrow batches."""
    connection.register("streamed", rows)
    return "streamed"


def bare(query: str) -> str:
    """A query without the semicolon at its end, so that it can stand inside another."""
    return query.rstrip().rstrip(";")


def quote(name: str) -> str:
    """A column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def is_wrong_encoding(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, UnicodeError) or "unicode" in text.lower() or "codec can't" in text


def wrong_encoding(encoding: str, where: str, problem: Problem) -> ConfigError:
    return problem(
        f"the file is not {encoding} text ({where})",
        remedy="name its encoding (`encoding:` of the source, --encoding of a list), "
        "e.g. gb18030 for files saved by a Chinese Excel",
    )
