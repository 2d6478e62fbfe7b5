"""`saferoom job …`: submit, list, watch, show, cancel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from saferoom.cli.common import DEFAULT_HOME, HomeOption, JsonOption, ask, ask_stream, show, show_table, talk
from saferoom.node.problem import Problem

app = typer.Typer(
    no_args_is_help=True, help="Runs of a task under a contract.", epilog="Example: saferoom job watch 3f"
)

JobArgument = Annotated[str, typer.Argument(help="The job's id, or its beginning.")]


@app.command()
def submit(
    contract: Annotated[str, typer.Argument(help="The contract's id, or its beginning.")],
    kind: Annotated[str, typer.Option(help="What to run: train.")] = "train",
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay and show progress until the job ends.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Start a job. All parties check it again, and accept or refuse."""
    answer = ask(home, "job.submit", {"contract": contract, "kind": kind})
    if watch:
        follow(home, answer["job_id"], as_json)
    else:
        show(answer, as_json)


@app.command("list")
def list_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """All jobs this node knows."""
    show_table(ask(home, "job.list")["jobs"], ["id", "kind", "state", "contract_id"], as_json)


@app.command("show")
def show_(job: JobArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """One job: its state, what went wrong, what it cost."""
    show(ask(home, "job.show", {"job": job}), as_json)


@app.command()
def watch(job: JobArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Live progress, until the job ends."""
    follow(home, job, as_json)


@app.command()
def cancel(
    job: JobArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is logged and told to the others.")
    ] = "no reason given",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Stop a job. Every side may; nothing it made is kept."""
    answer = ask(home, "job.cancel", {"job": job, "reason": reason})
    show(answer if as_json else {key: answer[key] for key in ("id", "state", "problem")}, as_json)


def follow(home: Path, job: str, as_json: bool, *, quiet: bool = False) -> None:
    """Show progress until the job ends; raise its problem if it failed. `quiet`: do not print the outcome."""
    outcome: dict[str, Any] = {}
    with progress_bars() as bars:
        shown: dict[str, TaskID] = {}
        for item in ask_stream(home, "job.watch", {"job": job}):
            if "state" in item:
                outcome = item
            elif as_json:
                print(json.dumps(item))
            else:
                advance(bars, shown, item)
    if outcome.get("problem"):
        raise Problem(**outcome["problem"]).to_error()
    if not quiet:
        show(outcome, as_json)


def progress_bars() -> Progress:
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[megabytes]:.1f} MB sent"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=talk)


def advance(bars: Progress, shown: dict[str, TaskID], item: dict[str, Any]) -> None:
    """One bar a node, which shows the phase it is in."""
    party, total, megabytes = item["party"], max(item["total"], 1), item["sent_bytes"] / 1e6
    name = f"{party} {item['phase']}"
    if party not in shown:
        shown[party] = bars.add_task(name, total=total, megabytes=megabytes)
    bars.update(shown[party], description=name, completed=item["done"], total=total, megabytes=megabytes)


@app.command()
def permit(
    contract: Annotated[str, typer.Argument(help="The contract's id, or its beginning.")],
    kind: Annotated[str, typer.Option(help="train or score.")] = "train",
    times: Annotated[int, typer.Option(help="How many jobs.")] = 1,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Permit the next jobs of a contract, where this party's policy says `approval: job`."""
    show(ask(home, "job.permit", {"contract": contract, "kind": kind, "times": times}), as_json)
