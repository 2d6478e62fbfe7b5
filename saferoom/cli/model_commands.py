"""`saferoom model …`: list, show, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, ask, show, show_table

app = typer.Typer(
    no_args_is_help=True, help="This party's parts of models.", epilog="Example: saferoom model list"
)

ModelArgument = Annotated[str, typer.Argument(help="The model's id (that of its job), or its beginning.")]


@app.command("list")
def list_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """All models this party has a part of."""
    show_table(ask(home, "model.list")["models"], ["id", "contract", "made"], as_json)


@app.command("show")
def show_(model: ModelArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """This party's own coefficients, and the files the job left here."""
    show(ask(home, "model.show", {"model": model}), as_json)


@app.command()
def export(
    model: ModelArgument,
    out: Annotated[Path, typer.Option(help="A new folder.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Copy this party's part of a model, its metrics and its report into a folder. Logged."""
    show(ask(home, "model.export", {"model": model, "out": str(out.absolute())}), as_json)
