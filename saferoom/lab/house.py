"""A room built on this machine: homes, enrolment, daemons, data sets, contract. Nothing is short-cut.

Only the approvals are: the lab gives them itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from saferoom.data.dataset import describe
from saferoom.errors import PeerError
from saferoom.files.private import write_output
from saferoom.files.yaml_text import yaml_text
from saferoom.ids import COORDINATOR
from saferoom.jobs.home import Home
from saferoom.jobs.problem import Problem
from saferoom.kinds.grading import GRADE_ONLY
from saferoom.kinds.registry import kind_of
from saferoom.kinds.trust import MODES
from saferoom.lab.processes import SAFEROOM, NodeProcess, reserved_port
from saferoom.lab.room import Room
from saferoom.node.core import Core
from saferoom.node.settings import NodeSettings, Patience, load_settings, save_settings
from saferoom.node.setup import enrol, init_coordinator, init_party, join

READY_S = 60.0
CONTRACT_DAYS = 30
OPTIONAL_TERMS = ("minimum_bin_rows", "minimum_bin_events", "default_definition")
DEFAULT_PATIENCE = Patience()

Talk = Callable[[str], None]
OnProgress = Callable[[dict[str, Any]], None]


class House:
    """A running room: the coordinator and its parties. Whatever stands in `nodes` at its end is stopped."""

    def __init__(self, room: Room, nodes: dict[str, NodeProcess]) -> None:
        self.room = room
        self.nodes = nodes

    @property
    def coordinator(self) -> NodeProcess:
        return self.nodes[COORDINATOR]

    @property
    def parties(self) -> dict[str, NodeProcess]:
        return {name: node for name, node in self.nodes.items() if name != COORDINATOR}

    def add_data(self) -> dict[str, dict[str, Any]]:
        """Register every party's data set; returns the registrations."""
        found = {}
        for party in self.room.parties:
            file = self.nodes[party].home / "dataset.yaml"
            write_output(file, yaml_text(dataset_of(self.room, party)))
            found[party] = self.nodes[party].ask("data.add", file=str(file))
        return found

    def agree(self, registrations: Mapping[str, Mapping[str, Any]]) -> str:
        """Draft the room's usual contract, and agree on it; returns its id."""
        return self.agree_on(draft_of(self.room, registrations))

    def agree_on(self, draft: Mapping[str, Any]) -> str:
        """Send a draft round, approve it at every party, wait until it is active; returns its id."""
        drafted = self.coordinator.ask("contract.draft", draft=dict(draft))
        contract_id = str(drafted["id"])
        for node in self.parties.values():
            _until(_knows, "contract", node.name, node, contract_id)
            node.ask("contract.approve", contract=contract_id, by="lab")
        for node in self.nodes.values():
            _until(_is_active, "contract", node.name, node, contract_id)
        return contract_id

    def train(self, contract_id: str, on_progress: OnProgress) -> str:
        """Submit a training job and follow it to its end; returns its id. Raises its problem."""
        job_id = str(self.coordinator.ask("job.submit", contract=contract_id, kind="train")["job_id"])
        self._finish(job_id, on_progress)
        return job_id

    def score(self, model: str, file: Path, out: Path, on_progress: OnProgress) -> dict[str, Any]:
        """Score a file of enterprises at the label holder. Raises the job's problem."""
        holder = self.nodes[self.room.label_holder]
        job_id = str(holder.ask("score.batch", model=model, input=str(file.absolute()))["job_id"])
        self._finish(job_id, on_progress)
        return holder.ask("score.result", job=job_id, out=str(out.absolute()))

    def _finish(self, job_id: str, on_progress: OnProgress) -> None:
        self.follow(self.coordinator, job_id, on_progress)
        self.wait_finished(job_id)

    def wait_finished(self, job_id: str) -> None:
        """Until every party knows the verdict of a job that has ended."""
        for node in self.parties.values():
            _until(_is_finished, "verdict", node.name, node, job_id)

    @staticmethod
    def follow(node: NodeProcess, job_id: str, on_progress: OnProgress) -> None:
        """Pass progress on until the job ends. Raises its problem."""
        for item in node.stream("job.watch", job=job_id):
            if "state" not in item:
                on_progress(item)
            elif item["problem"]:
                raise Problem(**item["problem"]).to_error()


@contextmanager
def house(
    room: Room,
    folder: Path,
    talk: Talk,
    patience: Patience = DEFAULT_PATIENCE,
    programs: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[House]:
    """Build the room's nodes under `folder`, start them, and stop them at the end, whatever happens.

    `programs`: for some nodes another command than `saferoom`, to watch them or to bend them.
    """
    with reserved_port() as port:
        homes = {name: Home.at(folder / name) for name in (COORDINATOR, *room.parties)}
        talk("keys and enrolment")
        _found(homes, room, patience, f"127.0.0.1:{port}")
        nodes: dict[str, NodeProcess] = {}
        try:
            talk("starting nodes")
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda n: _start(nodes, n, homes[n], programs.get(n, SAFEROOM)), homes))
            _until(_all_connected, "connect", COORDINATOR, nodes)
            yield House(room, nodes)
        finally:
            with ThreadPoolExecutor() as pool:
                list(pool.map(NodeProcess.stop, [*nodes.values()]))


def dataset_name(room: Room) -> str:
    return "".join(c if c.isalnum() else "-" for c in room.room)[:60]


def dataset_of(room: Room, party: str) -> dict[str, Any]:
    """What the party's `dataset.yaml` says, wherever it lies."""
    part = room.parties[party]
    content = {"name": dataset_name(room), **part.model_dump(exclude_none=True)}
    content["source"] = _absolute(part.source, room.folder)
    if part.consent and "source" in part.consent:
        content["consent"] = {**part.consent, "source": _absolute(part.consent["source"], room.folder)}
    return content


def draft_of(room: Room, registrations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The draft contract for a lab room: all features; what the room releases to the label holder."""
    now = datetime.now(UTC)
    roles = {
        party: "label_holder" if party == room.label_holder else "feature_holder"
        for party in sorted(room.parties)
    }
    tells_scores = room.release != GRADE_ONLY
    return {
        "id": f"{dataset_name(room)}-{now:%Y%m%d%H%M%S}",
        "title": f"lab room {room.room}",
        "purpose": "credit model of small enterprises",
        "legal_basis": "lab run on one machine",
        "parties": {
            party: {
                "organisation": f"lab {party}",
                "role": roles[party],
                "dataset": dataset_name(room),
                "columns": _columns(room, party, registrations[party]),
            }
            for party in room.parties
        },
        "task": {"kind": room.task.kind, "params": room.task.params, "split_seed": room.seed},
        "trust": room.trust,
        "outputs": kind_of(room.task.kind).usual_outputs(roles, room.release),
        **({"grading": room.grading.model_dump()} if room.grading else {}),
        "assumptions": sorted(MODES[room.trust].required(len(room.parties), tells_scores=tells_scores)),
        "minimum_rows": room.minimum_rows,
        **{name: value for name in OPTIONAL_TERMS if (value := getattr(room, name)) is not None},
        "valid_from": (now - timedelta(minutes=5)).isoformat(),
        "expires": (now + timedelta(days=CONTRACT_DAYS)).isoformat(),
    }


def _columns(room: Room, party: str, registration: Mapping[str, Any]) -> dict[str, str]:
    part = room.parties[party]
    uses = {part.id: "id"}
    if part.label_column:
        uses[part.label_column] = "label"
    if part.split:
        uses[part.split] = "split"
    if part.weight:
        uses[part.weight] = "weight"
    return uses | {column["name"]: "feature" for column in registration["columns"]}


def _start(nodes: dict[str, NodeProcess], name: str, home: Home, program: Sequence[str]) -> None:
    """Start a node and enter it at once, so that it is stopped even if another does not come up."""
    role = "coordinator" if name == COORDINATOR else "party"
    nodes[name] = NodeProcess.start(name, role, home.root, program)


def _found(homes: Mapping[str, Home], room: Room, patience: Patience, address: str) -> None:
    """Keys of the coordinator and of all parties, and their enrolment."""
    now = datetime.now(UTC)
    settings = NodeSettings(
        role="coordinator",
        node_id=COORDINATOR,
        organisation="lab",
        listen=address,
        public_address=address,
        patience=patience,
        network=room.network,
    )
    init_coordinator(homes[COORDINATOR], settings, now)
    _enrol_all(homes, room, now, patience)


def _enrol_all(homes: Mapping[str, Home], room: Room, now: datetime, patience: Patience) -> None:
    core = Core(homes[COORDINATOR])
    try:
        for party in room.parties:
            request = init_party(homes[party], party, f"lab {party}", now)
            own_settings = load_settings(homes[party].settings)
            save_settings(homes[party].settings, own_settings.model_copy(update={"patience": patience}))
            _, welcome = enrol(core, request, now, None, None)
            own = Core(homes[party])
            try:
                join(own, welcome, now, None)
            finally:
                own.close()
    finally:
        core.close()


def _absolute(source: str | dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same source, its paths starting from `folder`. Raises ConfigError naming wrong keys."""
    content = {"name": "source", "id": "id", "id_kind": "opaque", "source": source}
    return describe(content, folder).source.model_dump(mode="json")


def _all_connected(nodes: Mapping[str, NodeProcess]) -> bool:
    parties = nodes[COORDINATOR].ask("status")["parties"]
    return all(party["connected"] for party in parties)


def _knows(node: NodeProcess, contract_id: str) -> bool:
    return any(row["id"] == contract_id for row in node.ask("contract.list")["contracts"])


def _is_active(node: NodeProcess, contract_id: str) -> bool:
    return bool(node.ask("contract.show", contract=contract_id)["state"] == "active")


def _is_finished(node: NodeProcess, job_id: str) -> bool:
    return bool(node.ask("job.show", job=job_id)["state"] == "finished")


def _until(condition: Callable[..., bool], step: str, party: str, *args: object) -> None:
    """Wait for `condition(*args)`. Raises PeerError naming the step."""
    deadline = time.monotonic() + READY_S
    while not condition(*args):
        if time.monotonic() > deadline:
            raise PeerError(
                f"not there after {READY_S:g} s", party=party, step=step, remedy="see its daemon.log"
            )
        time.sleep(0.02)
