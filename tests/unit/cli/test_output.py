"""Tables, pairs and progress as people and pipes see them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from saferoom.cli.node import Node
from saferoom.cli.output import cell, moment, pair_lines, table_lines
from saferoom.cli.progress import ProgressView, follow
from saferoom.errors import CancelledError


class Scripted(Node):
    """A node that tells what it is told to tell."""

    def stream(self, verb: str, **args: Any) -> Iterator[dict[str, Any]]:
        assert (verb, args) == ("job.watch", {"job": "7c"})
        for party, phase, done in (("bank", "align", 0), ("bank", "align", 1), ("tax", "align", 1)):
            yield {"party": party, "phase": phase, "done": done, "total": 1, "sent_bytes": 5}
        yield self._outcome

    _outcome: dict[str, Any] = {"job_id": "7c", "state": "finished", "problem": None}


class Failing(Scripted):
    _outcome = {
        "job_id": "7c",
        "state": "cancelled",
        "problem": {
            "error": "CancelledError",
            "message": "no",
            "party": "tax",
            "step": "cancel",
            "remedy": "r",
        },
    }


def _watched(node: Node, *, as_json: bool) -> tuple[str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr):
        follow(node, "7c", as_json=as_json)
    return stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0.123456789, "0.123457"),
        ([], ""),
        (["a", "b"], "a, b"),
        ({"rows": 3, "clean": 2}, "rows 3, clean 2"),
        (0, "0"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_pairs_leave_out_what_is_not_there() -> None:
    assert list(pair_lines({"log_size": 0, "reason": "", "problem": None})) == ["        log size  0"]


def test_tables_stand_in_columns_with_chinese_too() -> None:
    lines = list(table_lines([{"a": "银行", "b": 1}, {"a": "x", "b": 2}], ["a", "b"], "nothing"))
    assert lines == ["a     b", "银行  1", "x     2"]
    assert list(table_lines([], ["a"], "nothing is there")) == ["nothing is there"]


def test_moments() -> None:
    assert moment(0.5) == "1970-01-01 00:00:00 UTC"
    assert moment(None) == ""


def test_progress_into_a_pipe_is_a_line_a_phase() -> None:
    assert _watched(Scripted(Path(), None, False), as_json=False) == ("", "bank: align\ntax: align\n")


def test_progress_as_json_is_a_line_an_item() -> None:
    stdout, stderr = _watched(Scripted(Path(), None, True), as_json=True)
    items = [json.loads(line) for line in stdout.splitlines()]
    assert [item.get("state", item.get("party")) for item in items] == ["bank", "bank", "tax", "finished"]
    assert stderr == ""


def test_a_job_that_failed_raises_its_problem() -> None:
    with pytest.raises(CancelledError, match=r"no \(party tax, step cancel\)\. Remedy: r"):
        _watched(Failing(Path(), None, False), as_json=False)


def test_talk_goes_to_stderr_word_for_word() -> None:
    stderr = io.StringIO()
    with redirect_stderr(stderr), ProgressView() as view:
        view("keys [bold]and[/bold] " + "enrolment " * 20)
    assert stderr.getvalue() == "keys [bold]and[/bold] " + "enrolment " * 20 + "\n"
