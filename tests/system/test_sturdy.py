"""Whatever happens to a job ends, everywhere and soon, in an error that names party and remedy.

One room serves all these tests: the job that each harms is at the same time the proof that the nodes
survived the test before it; the last test runs a job to its end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from saferoom.errors import SafeRoomError
from saferoom.lab.house import House
from saferoom.lab.processes import NodeProcess
from tests.node_processes import forkserver, job_process
from tests.waiting import until


@pytest.fixture(scope="module")
def contract(slow_house: House) -> str:
    return slow_house.agree(slow_house.add_data())


@pytest.fixture
def job(slow_house: House, contract: str) -> str:
    """A job that has reached training."""
    job_id = str(slow_house.coordinator.ask("job.submit", contract=contract, kind="train")["job_id"])
    for item in slow_house.coordinator.stream("job.watch", job=job_id):
        assert "state" not in item, item
        if item["party"] == "tax" and item["phase"].startswith("train"):
            return job_id
    raise AssertionError("the job never reached training")


def problem_at(node: NodeProcess, job: str) -> dict[str, Any]:
    """The job's problem at a node, once it has ended there."""

    def row() -> dict[str, Any] | None:
        found = node.ask("job.show", job=job)
        return found if found["ended"] else None

    ended = until(row, f"{node.name} has ended the job")
    assert ended is not None and ended["state"] != "finished"
    return dict(ended["problem"], state=ended["state"])


def assert_nothing_left(node: NodeProcess, job: str) -> None:
    """The last of it goes when the job's process is gone."""
    until(lambda: not (node.home / "jobs" / job).exists(), f"{node.name} has destroyed what the job wrote")
    assert not (node.home / "models" / job).exists()


def assert_failed_everywhere(house: House, job: str, nodes: list[str], *, party: str) -> None:
    for name in nodes:
        problem = problem_at(house.nodes[name], job)
        assert problem["party"] == party, (name, problem)
        assert problem["message"] and problem["step"] and problem["remedy"], (name, problem)
        assert_nothing_left(house.nodes[name], job)


def assert_works(house: House, contract: str) -> None:
    job_id = house.train(contract, lambda _item: None)
    for party in house.parties.values():
        assert (party.home / "models" / job_id / "model.json").exists()


def restart(house: House, name: str) -> None:
    old = house.nodes[name]
    house.nodes[name] = NodeProcess.start(name, old.role, old.home)
    until_connected(house)


def until_connected(house: House) -> None:
    until(
        lambda: all(party["connected"] for party in house.coordinator.ask("status")["parties"]),
        "all are connected",
    )


def test_a_job_process_that_is_killed(slow_house: House, contract: str, job: str) -> None:
    job_process(slow_house.nodes["tax"].process.pid).kill()
    assert_failed_everywhere(slow_house, job, ["coordinator", "bank", "tax", "power"], party="tax")


def test_the_helper_that_is_killed(slow_house: House, contract: str, job: str) -> None:
    job_process(slow_house.coordinator.process.pid).kill()
    assert_failed_everywhere(slow_house, job, ["coordinator", "bank", "tax", "power"], party="helper")


def test_a_forkserver_that_is_killed_ends_no_job(slow_house: House, contract: str, job: str) -> None:
    forkserver(slow_house.nodes["tax"].process.pid).kill()
    list(slow_house.nodes["bank"].stream("job.watch", job=job))
    assert slow_house.nodes["bank"].ask("job.show", job=job)["state"] == "finished"


@pytest.mark.slow
def test_a_job_process_that_hangs(slow_house: House, contract: str, job: str) -> None:
    job_process(slow_house.nodes["power"].process.pid).send_signal(signal.SIGSTOP)
    assert_failed_everywhere(slow_house, job, ["coordinator", "bank", "tax", "power"], party="power")


def test_a_node_that_is_killed_and_comes_back(slow_house: House, contract: str, job: str) -> None:
    os.kill(slow_house.nodes["tax"].process.pid, signal.SIGKILL)
    slow_house.nodes["tax"].process.wait()
    assert_failed_everywhere(slow_house, job, ["coordinator", "bank", "power"], party="tax")
    assert problem_at(slow_house.nodes["bank"], job)["step"].startswith("train")
    restart(slow_house, "tax")
    assert_failed_everywhere(slow_house, job, ["tax"], party="tax")


def test_a_node_that_freezes_and_thaws(slow_house: House, contract: str, job: str) -> None:
    """To the others it is the same as a line that swallows everything."""
    os.kill(slow_house.nodes["tax"].process.pid, signal.SIGSTOP)
    try:
        assert_failed_everywhere(slow_house, job, ["coordinator", "bank", "power"], party="tax")
    finally:
        os.kill(slow_house.nodes["tax"].process.pid, signal.SIGCONT)
    until_connected(slow_house)
    problem_at(slow_house.nodes["tax"], job)


def test_a_coordinator_that_is_killed_and_comes_back(slow_house: House, contract: str, job: str) -> None:
    os.kill(slow_house.coordinator.process.pid, signal.SIGKILL)
    slow_house.coordinator.process.wait()
    assert_failed_everywhere(slow_house, job, ["bank", "tax", "power"], party="coordinator")
    restart(slow_house, "coordinator")
    assert_failed_everywhere(slow_house, job, ["coordinator"], party="coordinator")


@pytest.mark.parametrize("by", ["coordinator", "power"])
def test_a_job_is_cancelled_from_any_side(slow_house: House, contract: str, job: str, by: str) -> None:
    slow_house.nodes[by].ask("job.cancel", job=job, reason="no longer wanted")
    for name in ("coordinator", "bank", "tax", "power"):
        problem = problem_at(slow_house.nodes[name], job)
        assert (problem["state"], problem["party"]) == ("cancelled", by), name


def test_a_revoked_contract_stops_its_jobs(slow_house: House, contract: str, job: str) -> None:
    second = slow_house.agree(slow_house.add_data())
    other = str(slow_house.coordinator.ask("job.submit", contract=second, kind="train")["job_id"])
    slow_house.nodes["tax"].ask("contract.revoke", contract=second, reason="a complaint")
    for name in ("coordinator", "bank", "tax", "power"):
        assert problem_at(slow_house.nodes[name], other)["error"] == "RefusedError"
    with pytest.raises(SafeRoomError, match="revoked"):
        slow_house.coordinator.ask("job.submit", contract=second, kind="train")
    slow_house.follow(slow_house.coordinator, job, lambda _item: None)


def changed(file: Path, edit: Callable[[str], str]) -> Callable[[], None]:
    """Edit a file; returns what puts it back."""
    before = file.read_text(encoding="utf-8")
    file.write_text(edit(before), encoding="utf-8")
    return lambda: file.write_text(before, encoding="utf-8") and None


def test_a_data_file_that_changed_since_it_was_registered(slow_house: House, contract: str) -> None:
    file = slow_house.room.folder / "tax.csv"
    undo = changed(file, lambda text: "\n".join(text.splitlines()[:-1]) + "\n")
    try:
        job = str(slow_house.coordinator.ask("job.submit", contract=contract, kind="train")["job_id"])
        assert_failed_everywhere(slow_house, job, ["coordinator", "bank", "tax", "power"], party="tax")
        assert "changed" in problem_at(slow_house.nodes["bank"], job)["message"]
    finally:
        undo()
    assert_works(slow_house, contract)
