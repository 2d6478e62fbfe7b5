"""The node's memory and the watch on jobs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from saferoom.errors import StorageError, UsageError
from saferoom.jobs.problem import Problem
from saferoom.node import state as tables
from saferoom.node.processes.watch import Watch
from saferoom.node.state import State
from tests.waiting import LIMIT_S, until


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(f"sqlite:///{tmp_path / 'state.db'}")


def put_job(memory: State, job: str, **more: object) -> None:
    values = {"contract_id": "c", "kind": "train", "params": {}, "state": "running", "created": 0.0}
    memory.put(tables.jobs, id=job, **{**values, **more})


def test_a_job_is_found_by_the_beginning_of_its_id(state: State) -> None:
    put_job(state, "abc1")
    put_job(state, "abd2")
    assert state.find_by_prefix(tables.jobs, "abc", "job")["id"] == "abc1"
    for wrong in ("ab", "x", "", "%"):
        with pytest.raises(UsageError):
            state.find_by_prefix(tables.jobs, wrong, "job")


def test_put_replaces_and_end_remembers_the_problem(state: State) -> None:
    put_job(state, "j")
    put_job(state, "j", state="offered")
    problem = Problem("PeerError", "gone", "tax", "train", "start it").to_dict()
    state.end_job("j", "failed", problem, {"seconds": {"train": 1.5}})
    row = state.get(tables.jobs, "j", "job")
    assert (row["state"], row["problem"], row["summary"]) == ("failed", problem, {"seconds": {"train": 1.5}})


def test_memory_outlives_the_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    first = State(url)
    put_job(first, "j")
    first.close()
    assert State(url).get(tables.jobs, "j", "job")["state"] == "running"


def test_a_state_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Remedy"):
        State(f"sqlite:///{tmp_path / 'no-such-folder' / 'state.db'}")


def test_problem_comes_back_as_the_same_error() -> None:
    problem = Problem("RefusedError", "not named", "bank", "offer", "ask")
    error = problem.to_error()
    assert type(error).__name__ == "RefusedError"
    assert Problem.of(error, party="other") == problem


def test_a_foreign_error_keeps_its_text_to_itself() -> None:
    problem = Problem.of(ValueError("91510107MY06NRRG10"), party="bank", step="load")
    assert "9151" not in str(problem)
    assert "ValueError" in problem.message


def test_watch_tells_progress_and_then_the_outcome() -> None:
    watch = Watch()
    watch.progress("j", "bank", {"phase": "train", "done": 1, "total": 9})
    seen = []
    reader = threading.Thread(target=lambda: seen.extend(watch.follow("j", poll_s=0.05)))
    reader.start()
    until(lambda: seen, "the first word")
    watch.progress("j", "bank", {"phase": "train", "done": 9, "total": 9})
    watch.end("j", {"state": "finished", "problem": None})
    reader.join(LIMIT_S)
    assert seen[0]["done"] == 1
    assert seen[-1] == {"job_id": "j", "state": "finished", "problem": None}


def test_watch_knows_where_a_party_was_last_seen() -> None:
    watch = Watch()
    assert watch.phase("j", "tax") == ""
    for party, phase in (("tax", "align"), ("tax", "train"), ("bank", "evaluate")):
        watch.progress("j", party, {"phase": phase, "done": 1, "total": 9})
    assert (watch.phase("j", "tax"), watch.phase("j", "bank")) == ("train", "evaluate")
    watch.end("j", {"state": "failed"})
    assert watch.phase("j", "tax") == ""
