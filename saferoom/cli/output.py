"""Printing: results to stdout as JSON or as lines for people, talk to stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console

Plain = dict[str, Any]
KEY_WIDTH = 16

width_of = cell_len
talk = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(answer: object) -> None:
    print(json.dumps(answer, ensure_ascii=False, indent=2))


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def pair_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """One line a key; keys without a value are left out."""
    for key, value in answer.items():
        text = cell(value)
        if text:
            name = key.replace("_", " ")
            yield f"{' ' * (KEY_WIDTH - cell_len(name))}{name}  {text}"


def table_lines(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], nothing: str) -> Iterator[str]:
    """A table as wide as it is: a terminal folds it, a pipe gets whole lines. Without rows: `nothing`."""
    if not rows:
        yield nothing
        return
    cells = [[column.replace("_", " ") for column in columns]]
    cells += [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(cell_len(line[place]) for line in cells) for place in range(len(columns))]
    for line in cells:
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def terminal_width() -> int | None:
    """In cells; None where no person looks, as in a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cell(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return str(value)


def moment(seconds: float | None) -> str:
    """A time as UTC, to the second; "" for none."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
