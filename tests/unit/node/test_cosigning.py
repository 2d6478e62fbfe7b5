"""Nodes that cosign each other's logs: a coordinator and its parties, joined by function calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit import VerdictKind, copy_log, verify_log
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.witness.http import witness_server
from saferoom.audit.witness.quorum import Quorum
from saferoom.audit.witness.witness import Witness, trust
from saferoom.contracts.contract import Contract
from saferoom.errors import ConfigError, RefusedError, SafeRoomError, StorageError, VerificationError
from saferoom.identity.keys import NodeKeys
from saferoom.ids import COORDINATOR
from saferoom.link.relay.relay import Relay
from saferoom.link.transport.partylink import LinkState, PartyLink
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.roles import coordinator_operations, party_operations
from saferoom.node.settings import OutsideWitness, WitnessingSettings
from saferoom.node.witnessing.quorums import log_verifier, node_of, origin_of, quorum_of
from saferoom.node.witnessing.standalone import WitnessHome
from saferoom.node.witnessing.succession import open_successor
from saferoom.node.witnessing.successor import propose
from tests.node_room import PARTIES, Nodes, opened_nodes, three_party_columns
from tests.waiting import LIMIT_S


class Wires:
    """Carries control messages at once, as long as the receiver is among `up`."""

    def __init__(self, nodes: Nodes, patch: pytest.MonkeyPatch) -> None:
        self.nodes, self.up = nodes, set(PARTIES)
        patch.setattr(Relay, "connected", lambda relay: set(self.up))
        patch.setattr(Relay, "send_control", lambda relay, party, raw: self.down(party, raw))
        patch.setattr(PartyLink, "send_control", lambda link, raw: self.to_coordinator(link._party, raw))
        patch.setattr(PartyLink, "start", lambda link: link._report(LinkState(is_up=True)))
        patch.setattr(PartyLink, "stop", lambda link: None)
        self.coordinator = Coordinator(nodes.cores[COORDINATOR], nodes.helper_keys)
        self.parties = {name: Party(nodes.cores[name]) for name in PARTIES}

    def down(self, party: str, raw: bytes) -> bool:
        if party in self.up:
            self.parties[party].on_control(raw)
        return party in self.up

    def to_coordinator(self, party: str, raw: bytes) -> bool:
        if party in self.up:
            self.coordinator.on_control(party, raw)
        return party in self.up

    def tick(self) -> None:
        for daemon in (self.coordinator, *self.parties.values()):
            daemon.core.acquaintances._looked = -10.0
            daemon.cosigning.hurry()
        for daemon in (self.coordinator, *self.parties.values()):
            daemon.cosigning.tick()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with opened_nodes(tmp_path) as nodes:
        yield nodes


@pytest.fixture
def wires(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Wires:
    return Wires(nodes, monkeypatch)


def verdict_of(core: Core, contract: Contract) -> Any:
    return verify_log(core.home.log, [core.log_verifier_key()], quorum=quorum_of(contract, core.me))


def test_all_nodes_of_a_contract_witness_each_other(nodes: Nodes, wires: Wires) -> None:
    contract = nodes.activate(nodes.draft(three_party_columns()))
    wires.tick()
    for name, core in nodes.cores.items():
        verdict = verdict_of(core, contract)
        assert (verdict.kind, verdict.witnessed.size) == (VerdictKind.WITNESSED, core.log.size), name
        others = {f"{origin_of(other)}/witness" for other in nodes.cores if other != name}
        assert set(verdict.witnessed.by) == others
        states = (wires.parties | {COORDINATOR: wires.coordinator})[name].cosigning.states()
        assert all(state.size == core.log.size and not state.refusal for state in states)


def test_entries_that_close_something_name_the_others_heads(nodes: Nodes, wires: Wires) -> None:
    nodes.activate(nodes.draft(three_party_columns()))
    wires.tick()
    tax = nodes.cores["tax"]
    tax.record("node.stopped")
    tax.record("node.started")
    *_, stopped, started = nodes.events("tax")
    seen = {anchor["origin"]: (anchor["size"], anchor["root"]) for anchor in stopped["anchors"]}
    assert set(seen) == {"saferoom/bank", "saferoom/power", "saferoom/coordinator"}
    size, root = seen["saferoom/bank"]
    assert nodes.cores["bank"].log.root_at(size).hex() == root
    assert "anchors" not in started


def test_the_status_names_every_witness(nodes: Nodes, wires: Wires) -> None:
    wires.tick()
    (status,) = party_operations(nodes.cores["tax"], wires.parties["tax"]).handle("status", {})
    assert status["witnesses"] == [f"coordinator: {nodes.cores['tax'].log.size} entries"]
    assert (status["log_stopped"], status["alarms"]) == (False, [])
    operations = coordinator_operations(wires.coordinator.core, wires.coordinator)
    (of_coordinator,) = operations.handle("status", {})
    assert len(of_coordinator["witnesses"]) == len(PARTIES)


def test_without_a_contract_only_the_coordinator_is_a_witness(nodes: Nodes, wires: Wires) -> None:
    wires.tick()
    words = {item.witness.partition("+")[0] for item in nodes.cores["tax"].log.cosignatures()}
    assert words == {"saferoom/coordinator/witness"}


def test_a_proposed_contract_makes_no_acquaintances(nodes: Nodes, wires: Wires) -> None:
    nodes.cores["tax"].book.add(nodes.draft(three_party_columns()))
    assert set(nodes.cores["tax"].acquaintances.log_keys()) == {COORDINATOR}
    assert set(nodes.cores[COORDINATOR].acquaintances.log_keys()) == set(PARTIES)


def test_a_party_that_is_away_is_asked_again(nodes: Nodes, wires: Wires) -> None:
    contract = nodes.activate(nodes.draft(three_party_columns()))
    wires.up.discard("power")
    wires.tick()
    state = {fed.witness: fed for fed in wires.parties["bank"].cosigning.states()}
    assert (state["power"].size, state["power"].refusal[:3]) == (-1, "503")
    assert verdict_of(nodes.cores["bank"], contract).kind is VerdictKind.WITNESSED
    wires.up.add("power")
    wires.tick()
    assert len(verdict_of(nodes.cores["bank"], contract).witnessed.by) == 3


def test_a_fork_goes_into_the_witness_s_own_log(nodes: Nodes, wires: Wires) -> None:
    nodes.activate(nodes.draft(three_party_columns()))
    wires.tick()
    bank = nodes.cores["bank"]
    size = bank.log.size
    other = Checkpoint("saferoom/bank", size, bytes(32)).signed(bank.log._signer)
    ask = wire.WitnessAsk(witness="tax", number=1, request=f"old {size}\n\n{other}".encode())
    wires.to_coordinator("bank", wire.Control(witness_ask=ask).SerializeToString())
    event = nodes.events("tax")[-1]
    assert (event["type"], event["outcome"], event["actor"]["org"]) == ("witness.alarm", "refused", "bank")
    assert {anchor["root"] for anchor in event["anchors"]} == {bank.log.root_at(size).hex(), "00" * 32}


def test_a_restored_node_does_not_start(nodes: Nodes, wires: Wires, tmp_path: Path) -> None:
    nodes.activate(nodes.draft(three_party_columns()))
    home = nodes.homes["tax"]
    copy_log(home.log, tmp_path / "backup.db")
    nodes.cores["tax"].record("policy.changed")
    wires.tick()
    nodes.cores["tax"].close()
    home.log.unlink()
    (tmp_path / "backup.db").rename(home.log)
    nodes.cores["tax"] = Core(home)
    size = nodes.cores["tax"].log.size
    wires.parties["tax"] = Party(nodes.cores["tax"])
    with pytest.raises(StorageError, match="old copy was put back"):
        wires.parties["tax"].start()
    assert nodes.cores["tax"].log.size == size
    nodes.cores["tax"].close()
    with pytest.raises(StorageError, match="old copy was put back"):
        Core(home)
    nodes.cores.pop("tax")


def test_a_node_starts_with_its_witnesses_asked_first(nodes: Nodes, wires: Wires) -> None:
    tax = wires.parties["tax"]
    tax.start()
    tax.stop()
    first = min(item.size for item in nodes.cores["tax"].log.cosignatures())
    started = next(i for i, event in enumerate(nodes.events("tax")) if event["type"] == "node.started")
    assert first <= started


def test_an_unasked_answer_is_refused_and_logged(nodes: Nodes, wires: Wires) -> None:
    reply = wire.WitnessReply(asker=COORDINATOR, number=1, status=200, body="x")
    wires.coordinator.on_control("tax", wire.Control(witness_reply=reply).SerializeToString())
    assert nodes.events(COORDINATOR)[-1]["type"] == "request.refused"


def test_a_party_cannot_speak_as_another_witness(nodes: Nodes, wires: Wires) -> None:
    nodes.activate(nodes.draft(three_party_columns()))
    wires.tick()
    before = list(nodes.cores["bank"].log.cosignatures())
    number, _ = wires.parties["bank"].cosigning._feeders["power"].request()
    reply = wire.WitnessReply(asker="bank", witness="power", number=number, status=404)
    wires.to_coordinator("tax", wire.Control(witness_reply=reply).SerializeToString())
    assert wires.parties["bank"].cosigning._feeders["power"].is_waiting()
    assert list(nodes.cores["bank"].log.cosignatures()) == before


def test_origins_of_nodes() -> None:
    assert [node_of(origin) for origin in ("saferoom/bank", "saferoom/bank/2")] == ["bank", "bank"]
    for origin in (
        "bank",
        "other/bank",
        "saferoom/bank/0",
        "saferoom/bank/x",
        "saferoom/bank/2/3",
        "saferoom/",
    ):
        assert node_of(origin) == "", origin


def test_the_quorum_of_a_contract(nodes: Nodes) -> None:
    contract = nodes.draft(three_party_columns())
    quorum = quorum_of(contract, "tax")
    assert quorum is not None
    assert (quorum.needed, len(quorum.witnesses), quorum.max_age_s) == (2, 3, 86_400)
    key = contract.pinned_keys()["tax"].log
    assert str(log_verifier("saferoom/tax", key)) == nodes.cores["tax"].log_verifier_key()


# --- a witness outside the room ----------------------------------------------------------


@pytest.fixture
def auditor(nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Address and verifier key of a stand-alone witness that knows tax's log."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    home = WitnessHome.create(tmp_path / "witness", "example.org/auditor", None)
    home.add_log(nodes.cores["tax"].log_verifier_key())
    witness = Witness(home.store(), home.signer(None), trust(home.logs()))
    server = witness_server(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", str(witness.verifier)
    server.shutdown()
    server.server_close()
    thread.join()


def named(core: Core, url: str, key: str) -> None:
    """As if node.yaml named the witness."""
    outside = OutsideWitness(url=url, key=key)
    core.settings = core.settings.model_copy(update={"witnessing": WitnessingSettings(outside=(outside,))})


def test_a_witness_outside_the_room_cosigns_without_the_line(
    nodes: Nodes, wires: Wires, auditor: tuple[str, str]
) -> None:
    named(nodes.cores["tax"], *auditor)
    tax = Party(nodes.cores["tax"])
    wires.parties["tax"] = tax
    tax.cosigning.wait_until_asked(lambda: False, timeout_s=LIMIT_S)
    assert [(fed.witness, fed.size) for fed in tax.cosigning.states()] == [
        ("example.org/auditor", tax.core.log.size)
    ]
    tax.cosigning.stop()
    verdict = verify_log(
        tax.core.home.log, [tax.core.log_verifier_key()], quorum=Quorum.of_keys(1, [auditor[1]])
    )
    assert verdict.kind is VerdictKind.WITNESSED


def test_a_witness_key_that_is_none_is_a_plain_error(nodes: Nodes, wires: Wires) -> None:
    named(nodes.cores["tax"], "http://127.0.0.1:1", "no key")
    with pytest.raises(ConfigError, match="witnessing"):
        Party(nodes.cores["tax"])


# --- a successor log ----------------------------------------------------------


@pytest.fixture
def lost(nodes: Nodes, wires: Wires, tmp_path: Path) -> Wires:
    """Tax's log was put back from an old copy; its node is down, and found out why."""
    nodes.activate(nodes.draft(three_party_columns()))
    home = nodes.homes["tax"]
    copy_log(home.log, tmp_path / "backup.db")
    nodes.cores["tax"].record("policy.changed")
    wires.tick()
    nodes.cores.pop("tax").close()
    home.log.unlink()
    (tmp_path / "backup.db").rename(home.log)
    core = Core(home)
    wires.parties["tax"] = Party(core)
    with pytest.raises(StorageError, match="successor"):
        wires.parties["tax"].start()
    core.close()
    return wires


def test_a_successor_log_begins_once_all_have_signed(nodes: Nodes, lost: Wires) -> None:
    home = nodes.homes["tax"]
    paper = propose(home, NodeKeys.load(home.keys), "the disk failed").text()
    for name in ("bank", "power", COORDINATOR):
        with pytest.raises(RefusedError, match="not signed by"):
            open_successor(home, paper, None)
        paper = nodes.cores[name].agree_to_successor(paper).text()
    opened = open_successor(home, paper, None)
    assert (opened["origin"], opened["entries"]) == ("saferoom/tax/2", 1)
    assert home.log_key.read_text(encoding="ascii").strip() == opened["verifier_key"]
    nodes.cores["tax"] = tax = Core(home)
    first = nodes.events("tax")[0]
    size = nodes.cores["bank"].witness.store.held("saferoom/tax").checkpoint.size  # type: ignore[union-attr]
    assert (first["type"], first["reason"]) == ("log.recovered", "the disk failed")
    assert [anchor["size"] for anchor in first["anchors"]] == [size - 1, size]
    assert home.log.with_name("log-1.db").exists()
    lost.parties["tax"] = Party(tax)
    lost.tick()
    assert {item.size for item in tax.log.cosignatures()} == {1}
    for name in ("bank", "power", COORDINATOR):
        assert nodes.cores[name].witness._known_logs("saferoom/tax") == []
        assert nodes.events(name)[-1]["type"] == "log.recovered"


def test_no_successor_is_witnessed_that_nobody_agreed_to(nodes: Nodes, wires: Wires) -> None:
    nodes.activate(nodes.draft(three_party_columns()))
    assert nodes.cores["bank"].witness._known_logs("saferoom/tax")
    assert nodes.cores["bank"].witness._known_logs("saferoom/tax/2") == []


@pytest.mark.parametrize("field", ["origin", "successor", "local", "ahead", "reason", "node"])
def test_a_changed_paper_is_refused(nodes: Nodes, lost: Wires, field: str) -> None:
    home = nodes.homes["tax"]
    paper = json.loads(propose(home, NodeKeys.load(home.keys), "the disk failed").text())
    paper["body"][field] += "x"
    with pytest.raises(VerificationError):
        nodes.cores["bank"].agree_to_successor(json.dumps(paper))
    assert nodes.cores["bank"].witness.store.successors() == {}


def test_a_crash_between_paper_and_log_is_gone_on_from(nodes: Nodes, lost: Wires) -> None:
    home = nodes.homes["tax"]
    paper = propose(home, NodeKeys.load(home.keys), "the disk failed").text()
    for name in ("bank", "power", COORDINATOR):
        paper = nodes.cores[name].agree_to_successor(paper).text()
    home.recovery.write_text(paper, encoding="utf-8")
    home.recovery.chmod(0o600)
    with pytest.raises(SafeRoomError):
        Core(home)
    assert open_successor(home, paper, None)["entries"] == 1
