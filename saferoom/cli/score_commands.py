"""`saferoom score …`: batch, one, result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.options import check_target
from saferoom.cli.output import Plain, talk
from saferoom.cli.progress import follow

app = typer.Typer(
    no_args_is_help=True,
    help="Joint scores, learnt by their recipient alone.",
    epilog="Example: saferoom score batch --model 3f --input new.csv --out scores.csv",
)

ModelOption = Annotated[str, typer.Option("--model", help="The model's id, or its beginning.")]
InputOption = Annotated[
    Path, typer.Option("--input", help="CSV or Parquet: ids, and the recipient's own feature columns.")
]
ReasonsOption = Annotated[
    int,
    typer.Option(
        min=0, max=4, help="Features that cost most points, for each enterprise; see docs/grading.md."
    ),
]
OutOption = Annotated[Path, typer.Option(help="Where to write id, pd, points and grade.")]


@node_command(app, "saferoom score batch --model 3f --input new.csv --out scores.csv")
def batch(
    node: Node, model: ModelOption, input_file: InputOption, out: OutOption, reasons: ReasonsOption = 0
) -> None:
    """Score a file of enterprises.

    The other parties learn which of their enterprises are asked for, no more. Enterprises that
    cannot be scored are counted, and listed beside the scores.
    """
    check_target(out)
    args = {"model": model, "input": str(input_file.absolute()), "reasons": reasons}
    _score(node, "score.batch", args, out)


@node_command(app, "saferoom score one 91510000MA0000000C --model 3f --input new.csv")
def one(
    node: Node,
    enterprise: Annotated[str, typer.Argument(help="The enterprise's id.")],
    model: ModelOption,
    input_file: InputOption,
    reasons: ReasonsOption = 0,
) -> None:
    """Score one enterprise of a file: pd, points, grade."""
    args = {"model": model, "input": str(input_file.absolute()), "id": enterprise, "reasons": reasons}
    _score(node, "score.one", args, None)


@node_command(app, "saferoom score result 7c --out scores.csv")
def result(
    node: Node,
    job: Annotated[str, typer.Argument(help="The score job's id, or its beginning.")],
    out: Annotated[Path | None, typer.Option(help="Where to write a batch's scores.")] = None,
) -> None:
    """What a score job gave, if you did not wait for it."""
    _show_result(node, job, out)


def _score(node: Node, verb: str, args: dict[str, Any], out: Path | None) -> None:
    job = node.ask(verb, **args)["job_id"]
    follow(node, job, as_json=False)
    _show_result(node, job, out)


def _show_result(node: Node, job: str, out: Path | None) -> None:
    if out is not None:
        check_target(out)
    answer: Plain = node.ask("score.result", job=job, **({"out": str(out.absolute())} if out else {}))
    node.show(answer)
    if answer.get("unscored"):
        talk.print(f"not scored: see {answer['unscored_list']}", markup=False)
