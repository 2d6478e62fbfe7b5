"""Rows that a node did not choose: of offers it refused, of other versions. Nothing of them stops anything.

A coordinator may offer what it likes, and each offer is written down. A newer SafeRoom may have run in the
same home before.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.contract import Contract
from saferoom.errors import ConfigError, UsageError
from saferoom.ids import COORDINATOR
from saferoom.kinds.base import NOTHING
from saferoom.link.relay.relay import Relay
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Operations
from saferoom.node.operations.roles import coordinator_operations, party_operations
from saferoom.node.retention.destroyer import Destroyer
from saferoom.node.retention.holdings import Holdings
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns
from tests.waiting import until

NO_PARAMETERS = ("[]", "7", "null", '"resume"', '[["resume", 1]]', "NaN", "[" * 5000)
ODD_PARAMS: tuple[Any, ...] = (
    [],
    ["resume"],
    7,
    None,
    "x",
    {"resume": {}},
    {"": 1},
    {"model": ["m"], "rows": "1"},
)
KINDS = ("train", "score", "oracle", "")
LONG = 1200
"""Deeper than Python recurses."""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("rows")) as nodes:
        _, parts = enterprises(120)
        nodes.add_data("tax", "rows", parts["tax"])
        yield nodes


@pytest.fixture
def contract(nodes: Nodes) -> Contract:
    return nodes.activate(nodes.draft(three_party_columns(), task={"kind": "boosting"}))


@pytest.fixture(params=["tax", COORDINATOR])
def core(nodes: Nodes, request: pytest.FixtureRequest) -> Iterator[Core]:
    """A node of either role; what a test writes into its state goes with it."""
    core = nodes.cores[request.param]
    yield core
    for row in core.state.rows(tables.jobs):
        core.state.update(tables.jobs, row["id"], state="refused", contract_id="over")
        core.home.destroy_checkpoint(row["id"])
    for row in core.book.rows():
        core.state.update(tables.contracts, row["id"], state="expired")


def put(core: Core, contract: str, kind: str = "train", *, state: str = "refused", **changes: Any) -> str:
    """A row of a job that has ended now; its id."""
    now = core.now().timestamp()
    values = {"id": core.new_id(), "params": {}, "created": now, "ended": now} | changes
    core.state.put(tables.jobs, contract_id=contract, kind=kind, state=state, **values)
    return str(values["id"])


def put_checkpoint(core: Core, contract: str) -> str:
    """A job that failed and left what another could resume from."""
    job = put(core, contract, state="failed", started=core.now().timestamp())
    core.home.checkpoint(job).mkdir(parents=True)
    (core.home.checkpoint(job) / "head.json").write_text("{}", encoding="utf-8")
    return job


def put_contract_of_tomorrow(core: Core, contract: Contract) -> str:
    """A contract in force, about a kind of task that no version has yet; its id."""
    plain = json.loads(canonical_bytes(contract)) | {"id": f"{contract.id}-of-tomorrow"}
    plain["task"] = {"kind": "oracle", "params": {}, "split_seed": 0}
    core.state.put(
        tables.contracts,
        id=plain["id"],
        hash=bytes(32),
        canonical=json.dumps(plain).encode(),
        state="active",
        reason="",
        updated=0.0,
    )
    return str(plain["id"])


def sweep(core: Core) -> None:
    Destroyer(core, lambda *_: None, list).sweep(at_start=True)


def operations(core: Core) -> Operations[Any]:
    return coordinator_operations(core, None) if core.me == COORDINATOR else party_operations(core, None)


def ask(core: Core, verb: str, **args: Any) -> Any:
    (found,) = operations(core).handle(verb, args)
    return found


@pytest.mark.parametrize("text", NO_PARAMETERS, ids=lambda text: text[:12])
def test_an_offer_without_parameters_by_name_leaves_nothing(
    nodes: Nodes, contract: Contract, text: str
) -> None:
    party = Party(nodes.cores["tax"])
    before = party.core.state.rows(tables.jobs)
    for contract_id in (contract.id, "nobody's"):
        offer = wire.JobOffer(
            job_id=party.core.new_id(), contract_id=contract_id, kind="train", params_json=text
        )
        party.on_control(wire.Control(offer=offer).SerializeToString())
        event = nodes.events("tax")[-1]
        assert (event["type"], event["actor"]["org"]) == ("request.refused", COORDINATOR)
        assert "parameters" in event["reason"]
    assert party.core.state.rows(tables.jobs) == before


def test_rows_of_refused_offers_stop_nothing(core: Core, contract: Contract) -> None:
    kept, holdings = put_checkpoint(core, contract.id), Holdings(core)
    for contract_id, kind, params in itertools.product((contract.id, "nobody's"), KINDS, ODD_PARAMS):
        job = put(core, contract_id, kind, params=params)
        row = core.state.get(tables.jobs, job, "job")
        assert isinstance(holdings.model_of(row), str) and isinstance(holdings.resumed(row), str)
        assert holdings.cause(row) is None
        assert ask(core, "job.show", job=job)["params"] == params
        if core.me != COORDINATOR:
            with pytest.raises(UsageError, match="left no scores here"):
                ask(core, "score.result", job=job)
            with pytest.raises(UsageError, match="left no model here"):
                ask(core, "model.destroy", model=job, reason="none")
    sweep(core)
    assert core.home.checkpoint(kept).is_dir()
    assert core.usage(contract.id).training_jobs == 1
    assert ask(core, "job.list")["jobs"]


def test_many_offers_that_resume_one_another_stop_no_sweep(nodes: Nodes, contract: Contract) -> None:
    core = nodes.cores["power"]
    kept = earlier = put_checkpoint(core, contract.id)
    for _ in range(LONG):
        earlier = put(core, contract.id, params={"resume": earlier})
    sweep(core)
    assert core.home.checkpoint(kept).is_dir()
    put(core, contract.id, state="finished", params={"resume": earlier})
    sweep(core)
    assert not core.home.checkpoint(kept).exists()


def test_offers_that_resume_each_other_stop_no_sweep(nodes: Nodes, contract: Contract) -> None:
    core = nodes.cores["power"]
    first, second = core.new_id(), core.new_id()
    put(core, contract.id, id=first, params={"resume": second})
    put(core, contract.id, id=second, params={"resume": first})
    assert Holdings(core).cause(core.state.get(tables.jobs, first, "job")) is None


def test_jobs_of_a_newer_version_count_nothing_and_are_destroyed_in_time(
    core: Core, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put(core, contract.id, "oracle", state="finished", started=1.0, params={"model": "m"})
    core.home.model(job).mkdir(parents=True)
    assert core.usage(contract.id) == NOTHING
    sweep(core)
    assert core.home.model(job).is_dir()
    late = contract.expires + timedelta(seconds=1)
    monkeypatch.setattr(core, "now", lambda: late)
    sweep(core)
    assert not core.home.model(job).exists()


def test_a_contract_of_a_newer_version_stops_no_other(core: Core, contract: Contract) -> None:
    unknown = put_contract_of_tomorrow(core, contract)
    job = put(core, unknown, "oracle", state="finished", started=1.0)
    outdated = put_checkpoint(core, contract.id)
    put(core, contract.id, state="finished", params={"resume": outdated})
    core.home.model(job).mkdir(parents=True)
    sweep(core)
    assert not core.home.checkpoint(outdated).exists()
    assert core.home.model(job).is_dir()
    lines = {line["id"]: line for line in ask(core, "contract.list")["contracts"]}
    assert lines[contract.id]["title"] and not lines[unknown]["title"]
    assert "cannot be read by this version" in lines[unknown]["reason"]
    open_ids = {found.id for found in core.book.open_contracts()}
    assert contract.id in open_ids and unknown not in open_ids
    assert core.acquaintances.public_keys()
    with pytest.raises(ConfigError, match=f"contract {unknown} cannot be read.*task.kind") as caught:
        ask(core, "contract.show", contract=unknown)
    assert "install the SafeRoom again" in caught.value.remedy


def test_a_line_that_comes_up_speaks_of_the_contracts_that_can_be_read(
    nodes: Nodes, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send(_relay: Relay, _party: str, message: bytes) -> bool:
        sent.append(wire.Control.FromString(message).contract.contract_id)
        return True

    monkeypatch.setattr(Relay, "send_control", send)
    coordinator = Coordinator(nodes.cores[COORDINATOR], nodes.helper_keys)
    unknown = put_contract_of_tomorrow(coordinator.core, contract)
    hello = wire.Control(hello=wire.Hello(running_jobs=[put(coordinator.core, unknown)]))
    coordinator.on_control("tax", hello.SerializeToString())
    assert contract.id in sent and unknown not in sent
    assert nodes.events(COORDINATOR)[-1]["type"] != "request.refused"


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError()], ids=str)
def test_a_defect_ends_one_round_and_not_all(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    party, rounds = Party(nodes.cores["tax"]), []

    def fails() -> None:
        rounds.append(1)
        raise error

    monkeypatch.setattr(party.contracts, "expire", fails)
    party.start()
    try:
        until(lambda: len(rounds) > 1, "a second round")
    finally:
        party.stop()
