"""`saferoom data …`: add, propose, list, profile, check, remove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Lines, Node, node_command
from saferoom.cli.options import LangOption
from saferoom.cli.output import Plain, table_lines, terminal_width, width_of

app = typer.Typer(
    no_args_is_help=True, help="Data sets of this party.", epilog="Example: saferoom data add dataset.yaml"
)

DatasetArgument = Annotated[str, typer.Argument(help="The data set's name.")]


@node_command(app, "saferoom data add dataset.yaml")
def add(
    node: Node,
    file: Annotated[Path, typer.Argument(help="Its description, a YAML file; see docs/data.md.")],
    lang: LangOption = "",
) -> None:
    """Register a data set, or again after it changed.

    It is read, checked and counted, and shown as it was understood: types, gaps, unusual writings by row
    number. Nothing of it leaves the node but what a contract names.
    """
    node.show(node.ask("data.add", file=str(file.absolute())), _lines(lang))


@node_command(app, "saferoom data propose bank.csv")
def propose(
    node: Node,
    file: Annotated[Path, typer.Argument(help="CSV, Excel, Parquet or Arrow; nothing of it is sent.")],
) -> None:
    """Write a description of a data file to standard output.

    It names each column's type and says why, by counts and row numbers. Correct it, then add it.
    """
    node.show(node.ask("data.propose", file=str(file.absolute())), _yaml_lines)


@node_command(app, "saferoom data list", name="list")
def list_(node: Node) -> None:
    """All registered data sets."""
    found = node.ask("data.list")["datasets"]
    node.show(found, list_lines)


@node_command(app, "saferoom data profile loans-2024")
def profile(node: Node, dataset: DatasetArgument, lang: LangOption = "") -> None:
    """Show what registration found of each column.

    Types, gaps, levels, unusual writings by row number, and all notes. The data are not read again.
    """
    node.show(node.ask("data.profile", dataset=dataset), _lines(lang, whole=True))


@node_command(app, "saferoom data check loans-2024")
def check(node: Node, dataset: DatasetArgument, lang: LangOption = "") -> None:
    """Whether the data are still those that were registered."""
    node.show(node.ask("data.check", dataset=dataset), _lines(lang))


@node_command(app, "saferoom data remove loans-2024")
def remove(node: Node, dataset: DatasetArgument) -> None:
    """Forget a data set. Its file stays where it is."""
    node.show(node.ask("data.remove", dataset=dataset))


def list_lines(found: list[Plain]) -> Iterator[str]:
    """Versions and times in full where they fit; else their beginnings, which no terminal breaks."""
    width = terminal_width()
    lines = list(_table(found, short=False))
    fits = width is None or max(map(width_of, lines)) <= width
    yield from lines if fits else _table(found, short=True)


def _table(found: list[Plain], *, short: bool) -> Iterator[str]:
    rows = [
        {
            **dataset,
            "rows": dataset["counts"]["rows"],
            "usable": dataset["counts"]["clean"],
            "columns": len(dataset["columns"]),
            "registered": dataset["registered_at"][: 10 if short else 19],
            "version": _beginning(dataset["version"]) if short else dataset["version"],
        }
        for dataset in found
    ]
    yield from table_lines(
        rows, ["name", "rows", "usable", "columns", "registered", "version"], "no data set is registered"
    )


def _beginning(version: str) -> str:
    return version.removeprefix("sha256:")[:8] + "…"


def _yaml_lines(found: Plain) -> Iterator[str]:
    yield from found["yaml"].splitlines()


def _lines(lang: str, *, whole: bool = False) -> Lines:
    from saferoom.cli.dataset_lines import MOST, dataset_lines  # brings the data room, which takes its time

    return lambda dataset: dataset_lines(dataset, lang, terminal_width(), most=None if whole else MOST)
