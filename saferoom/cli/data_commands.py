"""`saferoom data …`: add, list, check, remove."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.output import Plain, pair_lines, table_lines

app = typer.Typer(
    no_args_is_help=True, help="Data sets of this party.", epilog="Example: saferoom data add dataset.yaml"
)

DatasetArgument = Annotated[str, typer.Argument(help="The data set's name.")]


@node_command(app, "saferoom data add dataset.yaml")
def add(
    node: Node, file: Annotated[Path, typer.Argument(help="Its description, a YAML file; see docs/data.md.")]
) -> None:
    """Register a data set, or again after it changed.

    It is read once, checked and counted. Nothing of it leaves the node but what a contract names.
    """
    node.show(node.ask("data.add", file=str(file.absolute())), _dataset_lines)


@node_command(app, "saferoom data list", name="list")
def list_(node: Node) -> None:
    """All registered data sets."""
    found = node.ask("data.list")["datasets"]
    node.show(found, _list_lines)


@node_command(app, "saferoom data check loans-2024")
def check(node: Node, dataset: DatasetArgument) -> None:
    """Whether the data are still those that were registered."""
    node.show(node.ask("data.check", dataset=dataset), _dataset_lines)


@node_command(app, "saferoom data remove loans-2024")
def remove(node: Node, dataset: DatasetArgument) -> None:
    """Forget a data set. Its file stays where it is."""
    node.show(node.ask("data.remove", dataset=dataset))


def _list_lines(found: list[Plain]) -> Iterator[str]:
    rows = [
        {
            **dataset,
            "rows": dataset["counts"]["rows"],
            "usable": dataset["counts"]["clean"],
            "columns": len(dataset["columns"]),
            "registered": dataset["registered_at"][:19],
        }
        for dataset in found
    ]
    yield from table_lines(
        rows, ["name", "rows", "usable", "columns", "registered", "version"], "no data set is registered"
    )


def _dataset_lines(dataset: Plain) -> Iterator[str]:
    counts = {name: count for name, count in dataset["counts"].items() if count}
    facts: Plain = {key: dataset.get(key) for key in ("name", "version", "train_rows", "events")}
    yield from pair_lines({**facts, "counts": counts, "registered": dataset["registered_at"][:19]})
    yield ""
    yield from table_lines(
        dataset["columns"], ["name", "type", "missing", "levels", "constant"], "it has no feature column"
    )
    yield from (f"note: {warning}" for warning in dataset["warnings"])
