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
    Path,
    typer.Option(
        "--input", help="CSV, Excel, Parquet or Arrow: ids, and the recipient's own feature columns."
    ),
]
EncodingOption = Annotated[
    str, typer.Option(help="The list's encoding, such as gb18030; else the data set's. CSV only.")
]
DelimiterOption = Annotated[
    str, typer.Option(help="What separates its cells; else the data set's. CSV only.")
]
SheetOption = Annotated[str, typer.Option(help="The sheet that holds the list. Excel only.")]
MissingOption = Annotated[
    list[str] | None,
    typer.Option(help='A text that means "no value", besides the data set\'s; may be repeated.'),
]
KeepOption = Annotated[bool, typer.Option("--keep", help="Write the list's other columns beside the scores.")]
ReasonsOption = Annotated[
    int,
    typer.Option(
        min=0, max=4, help="Features that cost most points, for each enterprise; see docs/grading.md."
    ),
]
OutOption = Annotated[
    Path, typer.Option(help="Where to write id, pd, points and grade; id and grade under grades alone.")
]


@node_command(app, "saferoom score batch --model 3f --input new.csv --out scores.csv")
def batch(
    node: Node,
    model: ModelOption,
    input_file: InputOption,
    out: OutOption,
    reasons: ReasonsOption = 0,
    keep: KeepOption = False,
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    sheet: SheetOption = "",
    missing: MissingOption = None,
) -> None:
    """Score a file of enterprises, in its order.

    It is read like your data set: its texts for "no value", types and time zone, and of CSV its
    encoding and delimiter. The other parties learn which of their enterprises are asked for, no more.
    Enterprises that cannot be scored are counted, and listed beside the scores.
    """
    check_target(out)
    args = {"model": model, "input": str(input_file.absolute()), "reasons": reasons, "keep": keep}
    args |= {"encoding": encoding, "delimiter": delimiter, "sheet": sheet, "missing": missing or []}
    _score(node, "score.batch", args, out)


@node_command(app, "saferoom score one 91510000MA0000000C --model 3f --input new.csv")
def one(
    node: Node,
    enterprise: Annotated[str, typer.Argument(help="The enterprise's id.")],
    model: ModelOption,
    input_file: InputOption,
    reasons: ReasonsOption = 0,
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    sheet: SheetOption = "",
    missing: MissingOption = None,
) -> None:
    """Score one enterprise of a file: pd, points, grade.

    The grade alone, if the contract releases no scores.
    """
    args = {"model": model, "input": str(input_file.absolute()), "id": enterprise, "reasons": reasons}
    args |= {"encoding": encoding, "delimiter": delimiter, "sheet": sheet, "missing": missing or []}
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
    for warning in answer.get("warnings", []):
        talk.print(f"look before you use these scores: {warning}", markup=False)
    if answer.get("unscored"):
        talk.print(f"not scored: see {answer['unscored_list']}", markup=False)
