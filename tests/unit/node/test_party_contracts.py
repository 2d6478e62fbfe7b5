"""A party takes a contract from the coordinator at the word of the signatures, never at the coordinator's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.contract import Contract
from saferoom.contracts.policy import Policy
from saferoom.contracts.signatures import sign_decision
from saferoom.errors import ConfigError, RefusedError, UsageError, VerificationError
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.daemons.party_contracts import PartyContracts
from tests.node_room import Nodes, contract_message


@dataclass
class Desk:
    """The tax bureau's contracts, what they sent, and which were closed."""

    nodes: Nodes
    sent: list[wire.Control] = field(default_factory=list)
    closed: list[tuple[str, str, str]] = field(default_factory=list)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.contracts = PartyContracts(
            self.nodes.cores["tax"], lambda: self.policy, self._send, lambda *end: self.closed.append(end)
        )

    def _send(self, message: wire.Control) -> bool:
        self.sent.append(message)
        return True

    def state(self, contract: Contract) -> str:
        return str(self.nodes.cores["tax"].book.row(contract.id)["state"])

    def hear(self, contract: Contract, state: str = "proposed", **signatures: bytes) -> None:
        self.contracts.received(contract_message(contract, state, signatures))

    def decisions(self) -> list[str]:
        return [message.decision.decision for message in self.sent]

    def events(self, contract: Contract) -> list[str]:
        found = self.nodes.events("tax")
        return [event["type"] for event in found if event.get("contract", {}).get("id") == contract.id]


@pytest.fixture
def desk(nodes: Nodes) -> Desk:
    return Desk(nodes)


def test_from_proposal_to_activity(desk: Desk, contract: Contract) -> None:
    desk.hear(contract)
    desk.contracts.approve(contract.id, "officer-7")
    assert desk.decisions() == ["approve"]
    desk.hear(contract, "active", **desk.nodes.approvals(contract))
    assert desk.state(contract) == "active"
    assert desk.events(contract) == ["contract.drafted", "contract.approved", "contract.activated"]


def test_being_told_twice_changes_nothing(desk: Desk, contract: Contract) -> None:
    for _ in range(2):
        desk.hear(contract)
    for _ in range(2):
        desk.hear(contract, "active", **desk.nodes.approvals(contract))
    assert desk.events(contract) == ["contract.drafted", "contract.activated"]


def _missing(nodes: Nodes, contract: Contract) -> dict[str, bytes]:
    return {party: s for party, s in nodes.approvals(contract).items() if party != "power"}


def _forged(nodes: Nodes, contract: Contract) -> dict[str, bytes]:
    forged = sign_decision(nodes.cores["coordinator"].keys.signing, contract, "tax", "approve").signature
    return nodes.approvals(contract) | {"tax": forged}


def _of_a_stranger(nodes: Nodes, contract: Contract) -> dict[str, bytes]:
    return nodes.approvals(contract) | {"mallory": bytes(64)}


def _of_a_refusal(nodes: Nodes, contract: Contract) -> dict[str, bytes]:
    said = sign_decision(nodes.cores["power"].keys.signing, contract, "power", "refuse", "no")
    return nodes.approvals(contract) | {"power": said.signature}


@pytest.mark.parametrize("lie", [_missing, _forged, _of_a_stranger, _of_a_refusal, lambda *_: {}])
def test_a_coordinator_that_lies_about_signatures_gets_nothing(
    desk: Desk, contract: Contract, lie: Callable[[Nodes, Contract], dict[str, bytes]]
) -> None:
    desk.hear(contract)
    with pytest.raises(VerificationError) as caught:
        desk.hear(contract, "active", **lie(desk.nodes, contract))
    assert caught.value.message
    assert desk.state(contract) == "proposed"
    assert "contract.activated" not in desk.events(contract)


def test_a_text_that_is_altered_on_the_way_is_another_contract(desk: Desk, contract: Contract) -> None:
    desk.hear(contract)
    plain = json.loads(canonical_bytes(contract))
    plain["minimum_rows"] = 2
    altered = Contract.model_validate(plain)
    with pytest.raises(RefusedError, match="other content"):
        desk.hear(altered, "active", **desk.nodes.approvals(contract))
    assert desk.state(contract) == "proposed"


def test_an_altered_text_heard_first_is_not_signed_by_anybody_else(desk: Desk, contract: Contract) -> None:
    """The other parties signed the true text: their signatures do not hold for what we were shown."""
    plain = json.loads(canonical_bytes(contract))
    plain["quotas"]["scores_per_day"] = 1_000_000
    shown = Contract.model_validate(plain)
    desk.hear(shown)
    desk.contracts.approve(shown.id, "officer-7")
    own = {"tax": desk.sent[-1].decision.signature}
    with pytest.raises(VerificationError):
        desk.hear(shown, "active", **(desk.nodes.approvals(contract) | own))
    assert desk.state(shown) == "proposed"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"id":"a","id":"b"}'])
def test_what_is_no_contract_is_refused(desk: Desk, text: bytes) -> None:
    with pytest.raises(ConfigError):
        desk.contracts.received(wire.Contract(contract_id="x", canonical=text, state="proposed"))


def test_a_contract_of_others_is_refused(nodes: Nodes) -> None:
    desk = Desk(nodes)
    columns = {
        "bank": {"uscc": "id", "y": "label", "bank_a": "feature"},
        "power": {"uscc": "id", "power_a": "feature"},
    }
    with pytest.raises(RefusedError, match="does not name this party"):
        desk.hear(nodes.draft(columns))


def test_a_contract_that_pins_other_keys_of_ours_is_refused(desk: Desk, contract: Contract) -> None:
    plain = json.loads(canonical_bytes(contract))
    ours, helpers = plain["parties"]["tax"], plain["helper"]
    ours["keys"], plain["helper"] = helpers, ours["keys"]
    with pytest.raises(VerificationError):
        desk.contracts.received(
            wire.Contract(
                contract_id=contract.id, canonical=json.dumps(plain).encode(), state="proposed", reason=""
            )
        )


def test_policy_forbids_whoever_asks(desk: Desk, contract: Contract) -> None:
    desk.policy = Policy.model_validate({"never_columns": ["tax_b"], "purposes": ["statistics"]})
    desk.hear(contract)
    with pytest.raises(RefusedError) as caught:
        desk.contracts.approve(contract.id, "officer-7")
    assert "tax_b" in caught.value.message and "purpose" in caught.value.message
    assert caught.value.party == "tax" and caught.value.remedy
    assert desk.sent == []
    assert desk.events(contract) == ["contract.drafted", "contract.refused"]


def test_what_was_revoked_here_stays_revoked_whatever_the_coordinator_says(
    desk: Desk, contract: Contract
) -> None:
    desk.hear(contract, "active", **desk.nodes.approvals(contract))
    desk.contracts.revoke(contract.id, "a complaint", "officer-7")
    assert desk.closed == [(contract.id, "revoked", "tax: a complaint")]
    desk.hear(contract, "active", **desk.nodes.approvals(contract))
    assert desk.state(contract) == "revoked"


def test_what_was_refused_here_does_not_become_active_by_an_older_approval(
    desk: Desk, contract: Contract
) -> None:
    desk.hear(contract)
    desk.contracts.approve(contract.id, "officer-7")
    desk.contracts.refuse(contract.id, "second thoughts", "officer-7")
    desk.hear(contract, "active", **desk.nodes.approvals(contract))
    assert desk.state(contract) == "proposed"


def test_a_revocation_said_while_the_line_was_down_is_said_again(desk: Desk, contract: Contract) -> None:
    desk.hear(contract, "active", **desk.nodes.approvals(contract))
    desk.contracts.revoke(contract.id, "a complaint", "officer-7")
    desk.sent.clear()
    desk.contracts.tell_decisions()
    said = [m.decision for m in desk.sent if m.decision.contract_id == contract.id]
    assert "revoke" in {decision.decision for decision in said}


def test_a_closed_contract_is_not_approved(desk: Desk, contract: Contract) -> None:
    desk.hear(contract)
    desk.hear(contract, "refused")
    with pytest.raises(UsageError, match="refused"):
        desk.contracts.approve(contract.id, "officer-7")
    with pytest.raises(UsageError, match="closed"):
        desk.contracts.revoke(contract.id, "late", "officer-7")


def test_time_closes_a_contract(desk: Desk, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.hear(contract, "active", **desk.nodes.approvals(contract))
    monkeypatch.setattr(desk.nodes.cores["tax"], "now", lambda: contract.expires)
    desk.contracts.expire()
    assert desk.state(contract) == "expired"
    assert (contract.id, "expired", "its time is over") in desk.closed
    assert desk.events(contract)[-1] == "contract.expired"
