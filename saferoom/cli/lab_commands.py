"""`saferoom demo` and `saferoom lab …`: a whole room on this machine.

The lab is imported by the commands that use it: it loads scikit-learn, and daemons start here too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from saferoom.cli.common import JsonOption, LangOption, default_language, results, talk
from saferoom.cli.job_commands import advance, progress_bars
from saferoom.errors import VerificationError

app = typer.Typer(
    no_args_is_help=True,
    help="A whole room on this machine, from CSV files: for trying things out.",
    epilog="Example: saferoom lab run room.yaml --out out --twin",
)


@app.callback()
def _group() -> None:
    """Real processes, real TLS, real logs; only the approvals are the lab's own."""


@app.command()
def run(
    room: Annotated[Path, typer.Argument(help="The room's YAML file.")],
    out: Annotated[Path, typer.Option(help="Folder for metrics, scores, models, report and logs.")],
    twin: Annotated[
        bool, typer.Option("--twin", help="Also fit the pooled plaintext model, and compare.")
    ] = False,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """Enrol, agree, align, train, evaluate, score, grade, verify the logs; write it all to OUT."""
    from saferoom.lab.room import load_room
    from saferoom.lab.runner import Options, run_room

    options = Options(twin=twin, lang=lang or default_language())
    _show(_run_with_bars(lambda told: run_room(load_room(room), out, options, told)), out, as_json)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for data, results and report.")] = Path("demo-out"),
    rows: Annotated[int, typer.Option(help="Synthetic enterprises.")] = 8000,
    lang: LangOption = "",
    as_json: JsonOption = False,
) -> None:
    """The tour: three organisations on this machine train, score, grade, and check their logs."""
    from saferoom.lab.demo import run_demo
    from saferoom.lab.runner import Options

    options = Options(lang=lang or default_language())
    _show(_run_with_bars(lambda told: run_demo(out, rows, options, told)), out, as_json)


def _run_with_bars(work: Any) -> dict[str, Any]:
    with progress_bars() as bars:
        shown: dict[str, Any] = {}

        def told(item: dict[str, Any] | str) -> None:
            if isinstance(item, str):
                talk.print(item, markup=False)
            else:
                advance(bars, shown, item)

        answer: dict[str, Any] = work(told)
    return answer


def _show(metrics: dict[str, Any], out: Path, as_json: bool) -> None:
    if as_json:
        print(json.dumps(metrics, ensure_ascii=False, indent=2))
    else:
        from saferoom.lab.summary import summary_lines

        for line in summary_lines(metrics, out):
            results.print(line, markup=False)
    if not metrics["logs_ok"]:
        raise VerificationError("a log did not verify", remedy=f"see {out / 'log' / 'verify.json'}")
