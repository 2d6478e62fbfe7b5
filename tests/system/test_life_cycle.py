"""Real nodes whose clocks run ahead: what jobs left is destroyed everywhere, logged, and cannot be used."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit.evidence.lifecycle import Lifecycle, lifecycle
from saferoom.audit.evidence.verify import verify_log
from saferoom.audit.log.export import export_folder
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.errors import RefusedError
from saferoom.ids import COORDINATOR
from saferoom.lab.house import house
from saferoom.lab.processes import NodeProcess
from tests.cli_runner import run_command
from tests.desk_room import PATIENCE, Desk, empty_room
from tests.node_room import PARTIES, enterprises, write_rows
from tests.waiting import LIMIT_S, until

ALL = dict.fromkeys(PARTIES, "rows")
NODES = (*PARTIES, COORDINATOR)
NODE = str(Path(__file__).parents[1] / "bent_node.py")
IDS, PARTS = enterprises(300)


class Room(Desk):
    """A desk whose nodes share a bent clock."""

    clock: Path

    def pass_days(self, days: float) -> None:
        now = float(self.clock.read_text("utf-8"))
        draft = self.clock.with_suffix(".new")
        draft.write_text(str(now + days), encoding="utf-8")
        draft.replace(self.clock)

    def kept(self, name: str, job: str) -> list[Path]:
        home = self.node(name).home
        return [home / folder / job for folder in ("jobs", "models") if (home / folder / job).exists()]

    def until_gone(self, *jobs: str, nodes: tuple[str, ...] = NODES) -> None:
        for name in nodes:
            for job in jobs:
                until(lambda n=name, j=job: self.is_gone(n, j), f"{job} is gone at {name}")  # type: ignore[misc]

    def is_gone(self, name: str, job: str) -> bool:
        """Logged as destroyed, which comes after the check."""
        ends = [e for e in self.events(name, job) if e["type"] in ("retention.destroyed", "model.destroyed")]
        return bool(ends) and ends[-1]["outcome"] == "allowed"

    def events(self, name: str, job: str = "") -> list[dict[str, Any]]:
        reader = SqliteReader(self.node(name).home / "log" / "log.db")
        try:
            found = [json.loads(data) for _, data in reader.entries(0, 1 << 40)]
        finally:
            reader.close()
        return [event for event in found if not job or event.get("session", {}).get("id") == job]

    def view(self, contract: str) -> Lifecycle:
        entries: list[tuple[int, bytes]] = []
        for name in NODES:
            reader = SqliteReader(self.node(name).home / "log" / "log.db")
            entries += reader.entries(0, 1 << 40)
            reader.close()
        return lifecycle(contract, entries)

    def finish(self, job: str, parties: Sequence[str]) -> None:
        """However long it takes: jobs are not what is tested here."""
        self.house.follow(self.node(COORDINATOR), job, lambda _item: None)
        super().finish(job, parties)

    def restart(self, name: str) -> None:
        self.node(name).stop()
        program = (sys.executable, NODE, "--clock", str(self.clock))
        self.house.nodes[name] = NodeProcess.start(name, self.node(name).role, self.node(name).home, program)
        until(self.all_connected, "all are connected")

    def all_connected(self) -> bool:
        return all(party["connected"] for party in self.node(COORDINATOR).ask("status")["parties"])


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    clock = tmp_path_factory.mktemp("clock") / "days"
    clock.write_text("0", encoding="utf-8")
    bent = dict.fromkeys(NODES, (sys.executable, NODE, "--clock", str(clock)))
    patience = PATIENCE.model_copy(update={"sweep_s": 0.3})
    folder = tmp_path_factory.mktemp("room")
    with house(empty_room(), folder, lambda _text: None, patience, bent) as running:
        room = Room(running, tmp_path_factory.mktemp("rows"))
        room.clock = clock
        for party, columns in PARTS.items():
            room.add(party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {}))
        yield room


@pytest.fixture
def contract(room: Room) -> str:
    return room.agree(ALL, retention_days=10)


@pytest.fixture
def model(room: Room, contract: str) -> str:
    job = room.submit(contract)
    room.finish(job, PARTIES)
    return job


def said(*words: str) -> str:
    """What a command prints."""
    result = run_command(words, folder=Path.cwd(), environment={})
    assert result.code == 0, result.stderr
    return result.stdout


def asked(file: Path, rows: int) -> Path:
    return write_rows(file, {name: PARTS["bank"][name][:rows] for name in ("uscc", "bank_a", "bank_b")})


def score(room: Room, model: str, file: Path, **more: str) -> str:
    verb = "score.one" if more else "score.batch"
    job = str(room.node("bank").ask(verb, model=model, input=str(file), **more)["job_id"])
    room.finish(job, PARTIES)
    return job


def canaries(home: Path, jobs: list[str]) -> list[bytes]:
    """What only these jobs can have brought here: coefficients, and whole lines of scores."""
    found: list[bytes] = []
    for job in jobs:
        model, scores = (home / "models" / job / name for name in ("model.json", "scores.csv"))
        if model.exists():
            values = json.loads(model.read_text("utf-8"))["coefficients"]
            found += [json.dumps(value).encode() for value in values]
        if scores.exists():
            found += scores.read_bytes().splitlines()[1:]
            with scores.open(encoding="utf-8", newline="") as lines:
                found += [f"{row['id']},".encode() for row in csv.DictReader(lines)]
    return found


def traces(home: Path, words: list[bytes]) -> list[str]:
    contents = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    return [str(path.relative_to(home)) for path, data in contents.items() if any(w in data for w in words)]


def test_when_retention_is_over_nothing_is_left_anywhere(
    room: Room, contract: str, model: str, tmp_path: Path
) -> None:
    file = asked(tmp_path / "asked.csv", 40)
    jobs = [model, score(room, model, file), score(room, model, file, id=IDS[7])]
    words = {name: canaries(room.node(name).home, jobs) for name in PARTIES}
    assert all(traces(room.node(name).home, words[name]) for name in PARTIES)
    assert all(len(words[name]) >= 2 for name in PARTIES)
    held = room.view(contract).holdings
    assert {holding.state for holding in held} == {"held"}
    assert len(held) == 5, "a model at each party, two lists of scores at the bank"

    room.pass_days(10.1)
    room.until_gone(*jobs)

    for name in NODES:
        node = room.node(name)
        assert not any(room.kept(name, job) for job in jobs), name
        assert traces(node.home, words.get(name, words["bank"])) == [], name
        assert node.ask("job.show", job=model)["summary"] is None
        key = (node.home / "log.key").read_text("utf-8").strip()
        assert verify_log(node.home / "log" / "log.db", [key]).ok
        types = [event["type"] for event in room.events(name, model)][-2:]
        assert types == ["destruction.begun", "retention.destroyed"], name
    assert {holding.state for holding in room.view(contract).holdings} == {"destroyed"}

    for ask in (
        lambda: room.node("bank").ask("score.batch", model=model, input=str(file)),
        lambda: room.node("bank").ask("model.show", model=model),
        lambda: room.node("tax").ask("model.export", model=model, out=str(tmp_path / "copy")),
        lambda: room.node("bank").ask("score.result", job=jobs[1]),
    ):
        with pytest.raises(RefusedError, match="was destroyed") as caught:
            ask()
        assert caught.value.remedy
    assert room.node("bank").ask("model.list")["models"] == []


def test_the_subject_of_a_single_query_can_be_found_and_unlinked(
    room: Room, model: str, tmp_path: Path
) -> None:
    job = score(room, model, asked(tmp_path / "asked.csv", 40), id=IDS[7])
    for name in PARTIES:
        (event,) = [event for event in room.events(name, job) if event["type"] == "score.one"]
        assert len(event["subject_commit"]) == 64
        assert IDS[7] not in json.dumps(room.events(name, job))
    unlinked = said("audit", "unlink", IDS[7], "--home", str(room.node("bank").home), "--json")
    assert json.loads(unlinked)["erased"] >= 1
    assert room.node("bank").ask("subject.unlink", subject=IDS[7])["erased"] == 0
    assert room.node("tax").ask("subject.unlink", subject=IDS[7])["erased"] >= 1


@pytest.mark.slow
def test_a_model_is_destroyed_by_order_also_where_nobody_was_at_home(
    room: Room, contract: str, model: str
) -> None:
    room.node("power").stop()
    home = str(room.node("bank").home)
    answer = json.loads(said("model", "destroy", model, "--reason", "over", "--home", home, "--json"))
    assert (answer["ordered"], answer["told"]) == (["power", "tax"], True)
    room.until_gone(model, nodes=("bank", "tax", COORDINATOR))
    assert (room.node("power").home / "models" / model).exists()
    room.restart("power")
    room.until_gone(model, nodes=("power",))
    for name in NODES:
        assert room.events(name, model)[-1]["actor"]["org"] == "bank", name
    with pytest.raises(RefusedError, match=r"was destroyed on .*: over"):
        room.node("tax").ask("model.destroy", model=model, reason="again")
    wanted = {"model": model, "rows": 1, "mode": "batch"}
    job = room.submit(contract, "score", **wanted)
    for name in NODES:
        assert room.ended(name, job)["state"] in ("refused", "failed")
        assert "was destroyed" in room.ended(name, job)["problem"]["message"]


@pytest.mark.slow
def test_a_revoked_contract_keeps_nothing(room: Room, contract: str, model: str) -> None:
    room.node("tax").ask("contract.revoke", contract=contract, reason="new legal advice")
    room.until_gone(model)
    for name in NODES:
        assert room.events(name, model)[-1]["reason"] == "the contract was revoked: new legal advice"
        assert not room.kept(name, model)


@pytest.mark.slow
def test_a_node_that_dies_between_the_log_and_the_act_finishes_at_its_next_start(
    room: Room, contract: str, model: str
) -> None:
    die = room.clock.with_name(f"{room.clock.name}.die")
    tax = room.node("tax")
    for name in ("bank", "power", COORDINATOR):
        room.node(name).stop()
    die.touch()
    room.pass_days(11)
    assert tax.process.wait(LIMIT_S) != 0
    last = room.events("tax")[-1]
    assert last["type"] == "destruction.begun"
    assert room.kept("tax", last["session"]["id"]), "logged and not done"
    assert room.kept("tax", model)
    die.unlink()
    for name in (COORDINATOR, "bank", "power", "tax"):
        room.node(name).stop()
        program = (sys.executable, NODE, "--clock", str(room.clock))
        room.house.nodes[name] = NodeProcess.start(name, room.node(name).role, room.node(name).home, program)
        assert not room.kept(name, model), "gone before the node is up"
    room.until_gone(model)
    until(room.all_connected, "all are connected")


def test_the_six_stages_on_the_command_line(room: Room, contract: str, model: str, tmp_path: Path) -> None:
    homes = [room.node(name).home for name in NODES]
    text = said("audit", "lifecycle", contract, "--home", str(homes[0]))
    words = "归集 collection,传输 transfer,存储 storage,使用 use,共享 sharing,销毁 destruction"
    assert [title for title in words.split(",") if title not in text] == []
    export_folder(homes[1] / "log" / "log.db", tmp_path / "log")
    logs = [str(homes[0] / "log" / "log.db"), str(tmp_path / "log")]
    plain = json.loads(said("audit", "lifecycle", contract, *logs, "--stage", "storage", "--json"))
    (storage,) = plain["stages"]
    assert sorted(line["node"] for line in storage["lines"]) == sorted(PARTIES[:2])
    assert all(line["reason"].startswith("kept until ") for line in storage["lines"])
    assert {row["state"] for row in plain["holdings"]} == {"held"}
