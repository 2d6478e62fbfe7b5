"""The coordinator's side of a contract: it believes signatures, tells everybody, and closes once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.contracts.signatures import sign_decision
from saferoom.errors import RefusedError, SafeRoomError, VerificationError
from saferoom.ids import COORDINATOR
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.daemons.contract_desk import ContractDesk
from tests.node_room import PARTIES, Nodes


@dataclass
class Office:
    nodes: Nodes
    contract: Contract
    sent: list[tuple[str, wire.Control]] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = ContractDesk(
            self.nodes.cores[COORDINATOR],
            self._send,
            lambda contract, state, by: self.closed.append((state, by)),
        )
        self.desk.propose(self.contract)

    def _send(self, party: str, message: wire.Control) -> bool:
        self.sent.append((party, message))
        return True

    def say(self, party: str, word: str, *, signed_by: str = "", sent_by: str = "", reason: str = "") -> None:
        key = self.nodes.cores[signed_by or party].keys.signing
        decision = sign_decision(key, self.contract, party, word, reason)
        message = wire.Decision(
            contract_id=self.contract.id,
            contract_hash=contract_hash(self.contract),
            decision=word,
            reason=reason,
            signature=decision.signature,
        )
        self.desk.decided(sent_by or party, message)

    @property
    def state(self) -> str:
        return str(self.nodes.cores[COORDINATOR].book.row(self.contract.id)["state"])


@pytest.fixture
def office(nodes: Nodes, contract: Contract) -> Office:
    return Office(nodes, contract)


def test_active_when_all_have_signed_and_all_hear_of_it(office: Office) -> None:
    assert {party for party, _ in office.sent} == set(PARTIES)
    for party in PARTIES:
        assert office.state == "proposed"
        office.say(party, "approve")
    assert office.state == "active"
    told = {party: m.contract for party, m in office.sent if m.contract.state == "active"}
    assert set(told) == set(PARTIES)
    assert all(set(message.signatures) == set(PARTIES) for message in told.values())


def test_a_word_in_anothers_name_does_not_count(office: Office) -> None:
    with pytest.raises(VerificationError):
        office.say("tax", "approve", signed_by="bank")
    with pytest.raises(VerificationError):
        office.say("tax", "approve", sent_by="bank")
    with pytest.raises(RefusedError):
        office.desk.decided("mallory", wire.Decision(contract_id=office.contract.id))
    assert office.nodes.cores[COORDINATOR].book.signatures(office.contract.id) == {}


def test_a_word_on_another_text_does_not_count(office: Office) -> None:
    with pytest.raises(VerificationError, match="another text"):
        office.desk.decided(
            "tax",
            wire.Decision(contract_id=office.contract.id, contract_hash=bytes(32), decision="approve"),
        )


def test_a_word_there_is_not(office: Office) -> None:
    message = wire.Decision(
        contract_id=office.contract.id, contract_hash=contract_hash(office.contract), decision="perhaps"
    )
    with pytest.raises(SafeRoomError):
        office.desk.decided("tax", message)


@pytest.mark.parametrize(("word", "state"), [("refuse", "refused"), ("revoke", "revoked")])
def test_one_no_closes_it_for_all_and_later_approvals_do_not_open_it(
    office: Office, word: str, state: str
) -> None:
    office.say("tax", word, reason="not like this")
    assert (office.state, office.closed) == (state, [(state, "tax")])
    for party in PARTIES:
        office.say(party, "approve")
    assert office.state == state
    office.say("tax", word, reason="not like this")
    assert office.closed == [(state, "tax")]


def test_time_closes_a_contract(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office.nodes.cores[COORDINATOR], "now", lambda: office.contract.expires)
    office.desk.expire()
    assert office.state == "expired"
    assert ("expired", COORDINATOR) in office.closed


def test_a_party_that_comes_back_hears_its_contracts_only(office: Office, nodes: Nodes) -> None:
    columns = {
        "bank": {"uscc": "id", "y": "label", "bank_a": "feature"},
        "power": {"uscc": "id", "power_a": "feature"},
    }
    of_others = nodes.draft(columns)
    office.desk.propose(of_others)
    office.sent.clear()
    office.desk.tell("tax")
    told = {message.contract.contract_id for _, message in office.sent}
    assert office.contract.id in told and of_others.id not in told
