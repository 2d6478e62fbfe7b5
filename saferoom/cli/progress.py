"""Live progress on stderr: bars on a terminal, a line a phase elsewhere."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from saferoom.cli.node import Node
from saferoom.cli.output import Plain, talk


class ProgressView:
    """Give it items of progress in a `with`: `{party, phase, done, total, sent_bytes}`, or a line of talk."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[megabytes]:.1f} MB sent"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=talk,
        )
        self._tasks: dict[str, TaskID] = {}
        self._phases: set[tuple[str, str]] = set()

    def __enter__(self) -> ProgressView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tasks:
            self._bars.stop()

    def __call__(self, item: Plain | str) -> None:
        if isinstance(item, str):
            talk.print(item, markup=False)
        elif talk.is_terminal:
            self._advance(item)
        elif (item["party"], item["phase"]) not in self._phases:
            self._phases.add((item["party"], item["phase"]))
            talk.print(f"{item['party']}: {item['phase']}", markup=False)

    def _advance(self, item: Plain) -> None:
        """One bar a node, which shows the phase it is in."""
        party, total, megabytes = item["party"], max(item["total"], 1), item["sent_bytes"] / 1e6
        name = f"{party} {item['phase']}"
        if not self._tasks:
            self._bars.start()
        if party not in self._tasks:
            self._tasks[party] = self._bars.add_task(name, total=total, megabytes=megabytes)
        shown: dict[str, Any] = {"description": name, "completed": item["done"], "total": total}
        self._bars.update(self._tasks[party], megabytes=megabytes, **shown)


def follow(node: Node, job: str, *, as_json: bool) -> Plain:
    """Show progress until the job ends; returns its outcome. Raises the problem of a job that failed.

    As JSON every item, the outcome too, is a line of its own on stdout.
    """
    outcome: Plain = {}
    try:
        with ProgressView() as view:
            for item in node.stream("job.watch", job=job):
                outcome = item
                if as_json:
                    print(json.dumps(item, ensure_ascii=False), flush=True)
                elif "state" not in item:
                    view(item)
    except KeyboardInterrupt:
        talk.print(f"the job goes on; `saferoom job watch {job}` shows it again", markup=False)
        raise
    if outcome.get("problem"):
        from saferoom.jobs.problem import Problem

        raise Problem(**outcome["problem"]).to_error()
    return outcome
