"""`saferoom job …`: submit, list, watch, show, permit, cancel."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from saferoom.cli.node import Node, node_command
from saferoom.cli.output import Plain, moment, pair_lines, table_lines
from saferoom.cli.progress import follow
from saferoom.report.result_lines import figure_lines, grade_lines, remark_lines

app = typer.Typer(
    no_args_is_help=True, help="Runs of a task under a contract.", epilog="Example: saferoom job watch 3f"
)

JobArgument = Annotated[str, typer.Argument(help="The job's id, or its beginning.")]
ContractArgument = Annotated[str, typer.Argument(help="The contract's id, or its beginning.")]


@node_command(app, "saferoom job submit credit-2025-q1 --watch")
def submit(
    node: Node,
    contract: ContractArgument,
    kind: Annotated[str, typer.Option(help="What to run: train.")] = "train",
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay and show progress until the job ends.")
    ] = False,
    resume: Annotated[
        str, typer.Option(metavar="JOB", help="Go on from this failed job's last tree (boosted trees).")
    ] = "",
) -> None:
    """Start a job, at the coordinator or at a party.

    Every party checks it again, and accepts or refuses. With --watch and --json: a line an item.
    """
    answer = node.ask("job.submit", contract=contract, kind=kind, resume=resume)
    if watch:
        _follow_to_the_end(node, answer["job_id"])
    else:
        node.show(answer)


@node_command(app, "saferoom job list", name="list")
def list_(node: Node) -> None:
    """All jobs this node knows."""
    node.show(node.ask("job.list")["jobs"], _list_lines)


@node_command(app, "saferoom job show 3f", name="show")
def show_(node: Node, job: JobArgument) -> None:
    """One job: its state, what went wrong, what it cost."""
    node.show(node.ask("job.show", job=job), _job_lines)


@node_command(app, "saferoom job watch 3f")
def watch(node: Node, job: JobArgument) -> None:
    """Live progress, until the job ends.

    Ctrl-C ends the watching, not the job. With --json: a line an item, the outcome last.
    """
    _follow_to_the_end(node, job)


@node_command(app, "saferoom job permit credit-2025-q1 --kind score --times 3")
def permit(
    node: Node,
    contract: ContractArgument,
    kind: Annotated[str, typer.Option(help="train or score.")] = "train",
    times: Annotated[int, typer.Option(help="How many jobs.")] = 1,
) -> None:
    """Permit the next jobs, where this party's policy asks for it."""
    node.show(node.ask("job.permit", contract=contract, kind=kind, times=times, by=getpass.getuser()))


@node_command(app, "saferoom job cancel 3f --reason 'wrong quarter'")
def cancel(
    node: Node,
    job: JobArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is logged and told to the others.")
    ] = "no reason given",
) -> None:
    """Stop a job. Every side may; nothing it made is kept."""
    node.show(node.ask("job.cancel", job=job, reason=reason), _job_lines)


def _follow_to_the_end(node: Node, job: str) -> None:
    outcome = follow(node, job, as_json=node.as_json)
    if not node.as_json:
        node.show(outcome)


def _list_lines(jobs: list[Plain]) -> Iterator[str]:
    rows = [{**job, "contract": job["contract_id"], "created": moment(job["created"])} for job in jobs]
    yield from table_lines(rows, ["id", "kind", "state", "contract", "created"], "there is no job")


def _job_lines(job: Plain) -> Iterator[str]:
    yield from pair_lines(
        {
            "id": job["id"],
            "contract": job["contract_id"],
            "kind": job["kind"],
            "state": job["state"],
            "created": moment(job["created"]),
            "ended": moment(job["ended"]),
            **_problem(job["problem"] or {}),
            **_checkpoint(job),
        }
    )
    summary: Plain = job["summary"] or {}
    by_node = summary if "phases" not in summary else {"here": summary}
    for name, cost in sorted(by_node.items()):
        yield from pair_lines({name: _cost(cost), **cost.get("facts", {})})
    yield from _result_lines(job.get("results", {}))


def _result_lines(metrics: Plain) -> Iterator[str]:
    """Where this party evaluated the model: figures, grades, and what they can bear."""
    if not metrics:
        return
    yield ""
    yield from figure_lines(metrics)
    if "grading" in metrics:
        yield from ("", *grade_lines(metrics["grading"]), "", *remark_lines(metrics))


def _checkpoint(job: Plain) -> dict[str, str]:
    kept = job.get("checkpoint")
    if not kept:
        return {}
    return {
        "checkpoint": f"{kept['trees']} trees, kept until {kept['kept_until'][:10]}",
        "go on with": f"saferoom job submit {job['contract_id']} --resume {job['id']}",
    }


def _problem(problem: Mapping[str, str]) -> dict[str, str]:
    return {"problem": problem.get("message", ""), **{key: problem.get(key, "") for key in _WHERE}}


_WHERE = ("party", "step", "remedy")


def _cost(summary: Mapping[str, Any]) -> str:
    seconds = ", ".join(f"{name} {end - start:.2f} s" for name, (start, end) in summary["phases"].items())
    sent = sum(summary["sent_bytes"].values()) / 1e6
    return f"{seconds}; {sent:.1f} MB sent; {summary['peak_memory_bytes'] / 1e6:.0f} MB of memory"
