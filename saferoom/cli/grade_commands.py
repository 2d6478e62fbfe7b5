"""`saferoom grade …`: check, calibrate, apply, compare, stability."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.options import JsonOption, check_target
from saferoom.cli.output import Plain, pair_lines, print_json, print_lines, table_lines
from saferoom.errors import VerificationError

app = typer.Typer(
    no_args_is_help=True,
    help="Grades: schemes, migration from quarter to quarter, alerts.",
    epilog="Example: saferoom grade compare q1.csv q2.csv --out alerts.csv",
)

ScoresArgument = Annotated[Path, typer.Argument(help="A list of scores: id, pd, points; y if it is known.")]
SchemeOption = Annotated[
    Path | None, typer.Option("--scheme", help="A grade scheme; without it, the standard one.")
]
MinimumOption = Annotated[int, typer.Option("--minimum-rows", min=1, help="Least rows of each grade.")]
GRADES = ["grade", "rows", "share", "mean_pd", "events", "default_rate"]


@app.command(epilog="Example: saferoom grade check scores.csv --scheme grades.yaml")
def check(
    scores: ScoresArgument,
    scheme: SchemeOption = None,
    minimum_rows: MinimumOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Count rows and default rates of each grade.

    Fails (exit code 1) if rates do not rise from grade to grade, or a grade is too small.
    """
    from saferoom.node.grading import check_list, read_scores
    from saferoom.scoring.scheme_file import read_scheme

    answer, found = check_list(read_scores(scores), read_scheme(scheme), minimum_rows)
    _show(answer, as_json)
    if not found.ok:
        raise VerificationError("; ".join(answer["faults"]), remedy="calibrate the scheme")


@app.command(
    epilog="Example: saferoom grade calibrate q1.csv --target 0.02 --target 0.06 --target 0.2 --out new.yaml"
)
def calibrate(
    scores: ScoresArgument,
    target: Annotated[
        list[float], typer.Option(help="Default rate of each grade but the last, best first; repeat it.")
    ],
    out: Annotated[Path, typer.Option(help="The scheme to write.")],
    scheme: SchemeOption = None,
    minimum_rows: MinimumOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Cut a scheme anew by target default rates.

    On a list whose outcomes are known, each grade keeps its target and has its minimum of rows.
    """
    from saferoom.node.grading import calibrate_list, read_scores
    from saferoom.scoring.scheme_file import read_scheme

    check_target(out)
    _show(calibrate_list(read_scores(scores), read_scheme(scheme), target, out, minimum_rows), as_json)


@app.command(epilog="Example: saferoom grade apply scores.csv --scheme grades.yaml --out graded.csv")
def apply(
    scores: ScoresArgument,
    out: Annotated[Path, typer.Option(help="The graded list to write.")],
    scheme: SchemeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grade a list by a scheme."""
    from saferoom.node.grading import apply_scheme, read_scores
    from saferoom.scoring.scheme_file import read_scheme

    check_target(out)
    _show(apply_scheme(read_scores(scores), read_scheme(scheme), out), as_json)


@app.command(epilog="Example: saferoom grade compare q1.csv q2.csv --scheme grades.yaml --out alerts.csv")
def compare(
    before: Annotated[Path, typer.Argument(help="The earlier list.")],
    now: Annotated[Path, typer.Argument(help="The later list.")],
    scheme: SchemeOption = None,
    fall: Annotated[int, typer.Option(min=1, help="Grades an enterprise must fall for an alert.")] = 2,
    points: Annotated[int, typer.Option(min=1, help="Points it must lose for an alert, and more.")] = 60,
    out: Annotated[Path | None, typer.Option(help="Where to write the alerts.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Grade two quarters by one scheme: migration, stability, alerts.

    Alerts are enterprises whose grade or points fell too far, worst first.
    """
    from saferoom.node.grading import compare_lists, read_scores
    from saferoom.scoring.monitoring import AlertRules
    from saferoom.scoring.scheme_file import read_scheme

    if out is not None:
        check_target(out)
    answer, _ = compare_lists(
        read_scores(before), read_scores(now), read_scheme(scheme), AlertRules(fall, points), out
    )
    _show(answer, as_json)


@node_command(app, "saferoom grade stability 3f --dataset tax-2025-q2")
def stability(
    node: Node,
    model: Annotated[str, typer.Argument(help="The model's id, or its beginning.")],
    dataset: Annotated[
        str | None, typer.Option(help="A registered data set; without it, the contract's own.")
    ] = None,
) -> None:
    """How far this party's own features have moved since training.

    Of each feature of a scorecard or of boosted trees: its stability index. Nothing leaves the node.
    """
    answer = node.ask("model.stability", model=model, **({"dataset": dataset} if dataset else {}))
    node.show(answer, _stability_lines)


def _show(answer: Plain, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    print_lines(pair_lines({k: v for k, v in answer.items() if k not in ("grades", "migration")}))
    if "grades" in answer:
        print_lines(["", *table_lines(answer["grades"], GRADES, "no grade")])
    if "migration" in answer:
        names = list(answer["migration"])
        rows = [{"from \\ to": name, **answer["migration"][name]} for name in names]
        print_lines(["", *table_lines(rows, ["from \\ to", *names], "no grade")])


def _stability_lines(answer: Plain) -> Iterator[str]:
    yield from pair_lines({k: v for k, v in answer.items() if k != "features"})
    yield ""
    yield from table_lines(answer["features"], ["feature", "stability_index", "verdict"], "no feature")
