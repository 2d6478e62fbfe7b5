"""`saferoom report …`: issue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, LangOption, ask, default_language, show

app = typer.Typer(
    no_args_is_help=True,
    help="Reports on trained models.",
    epilog="Example: saferoom report issue 3f --out report.html --lang zh",
)


@app.callback()
def _group() -> None:
    """A report shows what its party may see, no more."""


@app.command()
def issue(
    model: Annotated[str, typer.Argument(help="The model's id (that of its job), or its beginning.")],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    home: HomeOption = DEFAULT_HOME,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """Write one HTML file: contract, metrics, curves, grades, own coefficients, disclosures, log verdict."""
    args = {"model": model, "out": str(out.absolute()), "lang": lang or default_language()}
    show(ask(home, "report.issue", args), as_json)
