"""`saferoom demo` and `saferoom lab …`: a whole room on this machine.

The lab is imported by the commands that use it: it loads scikit-learn, and daemons start here too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saferoom.cli.options import JsonOption, LangOption
from saferoom.cli.output import print_json, print_lines
from saferoom.cli.progress import ProgressView
from saferoom.errors import VerificationError

if TYPE_CHECKING:
    from saferoom.lab.runner import Options

app = typer.Typer(
    no_args_is_help=True,
    help="A whole room on this machine, from your own files.",
    epilog="Example: saferoom lab run room.yaml --out out --twin",
)


@app.callback()
def _group() -> None:
    """Real processes, real TLS, real logs; only the approvals are the lab's own."""


@app.command(epilog="Example: saferoom lab run room.yaml --out out --twin")
def run(
    room: Annotated[Path, typer.Argument(help="The room's YAML file; configs/rooms/ has examples.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics, scores, models, report and logs.")],
    twin: Annotated[
        bool, typer.Option("--twin", help="Also fit the pooled plaintext model, and compare.")
    ] = False,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """Run a room from enrolment to verified logs.

    Enrol, agree, align, train, evaluate, score, grade; all results are written to OUT.
    """
    from saferoom.lab.room import load_room
    from saferoom.lab.runner import Options, run_room

    options = Options(twin=twin, lang=lang)
    _show(lambda told: run_room(load_room(room), out, options, told), out, options, as_json)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for data, results and report.")] = Path("demo-out"),
    rows: Annotated[int, typer.Option(help="Synthetic enterprises.")] = 8000,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """The tour: three organisations train, score and grade.

    Synthetic enterprises, a coordinator and three parties as real processes on this machine.
    """
    from saferoom.lab.demo import run_demo
    from saferoom.lab.runner import Options

    options = Options(lang=lang)
    _show(lambda told: run_demo(out, rows, options, told), out, options, as_json)


def _show(work: Callable[[ProgressView], dict[str, Any]], out: Path, options: Options, as_json: bool) -> None:
    with ProgressView() as told:
        metrics = work(told)
    if as_json:
        print_json(metrics)
    else:
        from saferoom.lab.summary import summary_lines

        print_lines(summary_lines(metrics, out, options.lang))
    if not metrics["logs_ok"]:
        raise VerificationError("a log did not verify", remedy=f"see {out / 'log' / 'verify.json'}")
