"""`saferoom data …`: add, list, check, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, ask, show, show_table

app = typer.Typer(
    no_args_is_help=True, help="Data sets of this party.", epilog="Example: saferoom data add dataset.yaml"
)

DatasetArgument = Annotated[str, typer.Argument(help="The data set's name.")]


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The description, dataset.yaml.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Register a data set, or register it anew after it changed. Nothing of it leaves the node."""
    show(ask(home, "data.add", {"file": str(file.absolute())}), as_json)


@app.command("list")
def list_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """All registered data sets."""
    show_table(ask(home, "data.list")["datasets"], ["name", "rows", "columns", "version_hash"], as_json)


@app.command()
def check(dataset: DatasetArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Whether the data are still those that were registered."""
    show(ask(home, "data.check", {"dataset": dataset}), as_json)


@app.command()
def remove(dataset: DatasetArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Forget a data set. Its file stays where it is."""
    show(ask(home, "data.remove", {"dataset": dataset}), as_json)
