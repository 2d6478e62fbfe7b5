"""A node dies while trees grow; a new job resumes from them, and ends in the model of an unbroken job.

One room serves all these tests. Its network is slow, so that there is time to harm a job.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit.evidence.sources import opened_logs, size_of
from saferoom.errors import RefusedError
from saferoom.ids import COORDINATOR
from saferoom.lab.house import House, house
from saferoom.lab.processes import NodeProcess
from saferoom.lab.room import RoomTask, load_room
from saferoom.lab.synthetic import write_synthetic_room
from saferoom.node.settings import Emulation
from tests.cli_runner import run_command
from tests.node_processes import job_process
from tests.system.conftest import HASTY
from tests.waiting import until

pytestmark = pytest.mark.slow

PARTIES = ("bank", "power", "tax")
TREES = 12
LAST = ["job.checkpointed", "destruction.begun", "retention.destroyed"]
PARAMS = {"n_estimators": TREES, "max_depth": 2, "max_bin": 6, "key_bits": 2048, "randomness": "subgroup"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    files = write_synthetic_room(tmp_path_factory.mktemp("data"), rows=800, new_rows=60)
    task = RoomTask(kind="boosting", params=PARAMS)
    room = load_room(files.room).model_copy(update={"network": Emulation(latency_ms=8), "task": task})
    with house(room, tmp_path_factory.mktemp("house"), lambda _text: None, HASTY) as found:
        yield found


@pytest.fixture(scope="module")
def contract(running: House) -> str:
    return running.agree(running.add_data())


@pytest.fixture(scope="module")
def unbroken(running: House, contract: str) -> str:
    return running.train(contract, lambda _item: None)


def checkpoint(running: House, party: str, job: str) -> Path:
    return running.nodes[party].home / "checkpoints" / job


def begin(running: House, contract: str, trees: int = 2, **more: str) -> str:
    """A job of which every party has so many trees."""
    job = str(running.coordinator.ask("job.submit", contract=contract, kind="train", **more)["job_id"])
    for party in PARTIES:
        tree = checkpoint(running, party, job) / f"tree-{trees - 1:05}"
        until(tree.exists, f"{party} never had {trees} trees")
    return job


def ended(running: House, job: str, *nodes: str) -> list[dict[str, Any]]:
    """The job's row at each node, once it has ended there."""

    def row(node: NodeProcess) -> dict[str, Any] | None:
        found = node.ask("job.show", job=job)
        return found if found["ended"] else None

    return [until(lambda name=name: row(running.nodes[name]), f"{name} ended it") for name in nodes]  # type: ignore[misc]


def come_back(running: House, name: str) -> None:
    old = running.nodes[name]
    running.nodes[name] = NodeProcess.start(name, old.role, old.home)
    until(
        lambda: all(party["connected"] for party in running.coordinator.ask("status")["parties"]),
        "all are connected",
    )


def trees(running: House, party: str, job: str) -> Any:
    file = running.nodes[party].home / "models" / job / "model.json"
    return json.loads(file.read_text(encoding="utf-8"))["trees"]


def assert_gone_on(running: House, earlier: str, job: str) -> None:
    """It finished, though fewer trees were grown; nothing to resume from is left."""
    running.follow(running.coordinator, job, lambda _item: None)
    running.wait_finished(job)
    for party in PARTIES:
        assert len(trees(running, party, job)) == TREES
        facts = running.nodes[party].ask("job.show", job=job)["summary"]["facts"]
        assert 2 <= facts["resumed_trees"] <= TREES
        for one in (earlier, job):
            until_gone(checkpoint(running, party, one))


def assert_same(running: House, job: str, unbroken: str) -> None:
    for party in PARTIES:
        assert trees(running, party, job) == trees(running, party, unbroken)


def until_gone(folder: Path) -> None:
    until(lambda: not folder.exists(), f"{folder} is still there")


def command(running: House, *words: str) -> Any:
    """What a command answers as JSON."""
    result = run_command((*words, "--json"), folder=running.coordinator.home, environment=os.environ)
    assert result.code == 0, (words, result.stdout, result.stderr)
    return json.loads(result.stdout)


def events(running: House, name: str, job: str) -> list[tuple[str, str]]:
    """Type and reason of a job's entries in a node's log, oldest first."""
    with opened_logs([running.nodes[name].home / "log" / "log.db"]) as (log,):
        found = [json.loads(data) for _, data in log.entries(0, size_of(log))]
    mine = [event for event in found if event.get("session", {}).get("id") == job]
    return [(event["type"], event.get("reason", "")) for event in mine]


def types(running: House, name: str, job: str) -> list[str]:
    return [type_ for type_, _ in events(running, name, job)]


def test_a_job_process_that_is_killed(running: House, contract: str) -> None:
    job = begin(running, contract)
    job_process(running.nodes["power"].process.pid).kill()
    ended(running, job, *PARTIES, COORDINATOR)
    home = str(running.nodes["tax"].home)
    kept = command(running, "job", "show", job[:12], "--home", home)["checkpoint"]
    assert kept["trees"] >= 2 and kept["bytes"] > 1000 and kept["kept_until"]
    new = command(running, "job", "submit", contract, "--resume", job[:12], "--home", home)["job_id"]
    assert_gone_on(running, job, new)
    for name in PARTIES:
        until(lambda name=name: types(running, name, job)[-3:] == LAST, "it is logged")  # type: ignore[misc]
        resumed = [reason for type_, reason in events(running, name, new) if type_ == "job.resumed"]
        assert len(resumed) == 1 and resumed[0].endswith(f"of job {job}")
    with pytest.raises(RefusedError, match="has finished"):
        running.coordinator.ask("job.submit", contract=contract, kind="train", resume=new)


@pytest.mark.parametrize("name", ["tax", "bank", COORDINATOR])
def test_a_node_that_is_killed_and_comes_back(
    running: House, contract: str, unbroken: str, name: str, tmp_path: Path
) -> None:
    job = begin(running, contract)
    running.nodes[name].process.kill()
    running.nodes[name].process.wait()
    ended(running, job, *{*PARTIES, COORDINATOR} - {name})
    come_back(running, name)
    ended(running, job, name)
    new = str(running.coordinator.ask("job.submit", contract=contract, kind="train", resume=job)["job_id"])
    assert_gone_on(running, job, new)
    assert_same(running, new, unbroken)
    found = running.score(new, running.room.folder / "new.csv", tmp_path / "scores.csv", lambda _item: None)
    assert found["rows"] > 30


def test_a_job_that_is_broken_twice(running: House, contract: str, unbroken: str) -> None:
    first = begin(running, contract)
    running.nodes["bank"].ask("job.cancel", job=first, reason="the night is over")
    ended(running, first, *PARTIES, COORDINATOR)
    second = begin(running, contract, trees=5, resume=first)
    job_process(running.nodes["bank"].process.pid).kill()
    ended(running, second, *PARTIES, COORDINATOR)
    third = str(
        running.coordinator.ask("job.submit", contract=contract, kind="train", resume=second)["job_id"]
    )
    assert_gone_on(running, first, third)
    assert_gone_on(running, second, third)
    assert_same(running, third, unbroken)


def test_logs_of_jobs_that_went_on_fit_together(running: House, contract: str, tmp_path: Path) -> None:
    """Every disclosure and message of both jobs is in the logs that should have it."""
    job = begin(running, contract)
    job_process(running.nodes["tax"].process.pid).kill()
    ended(running, job, *PARTIES, COORDINATOR)
    new = str(running.coordinator.ask("job.submit", contract=contract, kind="train", resume=job)["job_id"])
    assert_gone_on(running, job, new)
    agreed = tmp_path / "contract.json"
    agreed.write_text(json.dumps(running.coordinator.ask("contract.show", contract=contract)["contract"]))
    logs = [str(node.home / "log" / "log.db") for node in running.nodes.values()]
    found = command(running, "audit", "reconcile", *logs, "--contract", str(agreed))
    assert [one for one in found["findings"] if new in json.dumps(one)] == []
