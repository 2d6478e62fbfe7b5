"""`saferoom score …`: batch, one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, ask, show
from saferoom.cli.job_commands import follow

app = typer.Typer(
    no_args_is_help=True,
    help="Joint scores of enterprises, learnt by their recipient alone.",
    epilog="Example: saferoom score batch --model 3f --input new.csv --out scores.csv",
)

ModelOption = Annotated[str, typer.Option("--model", help="The model's id, or its beginning.")]
InputOption = Annotated[
    Path, typer.Option("--input", help="CSV or Parquet: ids, and the recipient's own feature columns.")
]


@app.command()
def batch(
    model: ModelOption,
    input_file: InputOption,
    out: Annotated[Path, typer.Option(help="Where to write id, pd, points and grade.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Score a file of enterprises. The others learn which of their enterprises are asked for, no more."""
    show(
        _score(
            home,
            "score.batch",
            {"model": model, "input": str(input_file.absolute()), "out": str(out.absolute())},
        ),
        as_json,
    )


@app.command()
def one(
    model: ModelOption,
    enterprise: Annotated[str, typer.Argument(help="The enterprise's id.")],
    input_file: InputOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Score one enterprise of a file."""
    show(
        _score(home, "score.one", {"model": model, "input": str(input_file.absolute()), "id": enterprise}),
        as_json,
    )


def _score(home: Path, verb: str, args: dict[str, Any]) -> dict[str, Any]:
    started = ask(home, verb, args)
    follow(home, started["job_id"], as_json=False, quiet=True)
    return ask(home, "score.result", {"job": started["job_id"], "out": args.get("out", "")})
