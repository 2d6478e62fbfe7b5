"""`saferoom report …`: issue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.options import LangOption, check_target

app = typer.Typer(
    no_args_is_help=True,
    help="Reports on trained models.",
    epilog="Example: saferoom report issue 3f --out report.html --lang zh",
)


@app.callback()
def _group() -> None:
    """A report shows what its party may see, no more."""


@node_command(app, "saferoom report issue 3f --out report.html --lang zh")
def issue(
    node: Node,
    model: Annotated[str, typer.Argument(help="The model's id (that of its job), or its beginning.")],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    lang: LangOption = "",
) -> None:
    """Write a report on a model: one HTML file.

    Contract, metrics, curves, grades, own coefficients, disclosures, and the log's verdict.
    """
    check_target(out)
    node.show(node.ask("report.issue", model=model, out=str(out.absolute()), lang=lang))
