"""The coordinator's contracts: drafted, sent round, signed by all, active; refused, revoked or expired."""

from __future__ import annotations

from collections.abc import Callable

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.contracts.signatures import Decision, verify_decision
from saferoom.errors import RefusedError, VerificationError
from saferoom.ids import COORDINATOR
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core

Send = Callable[[str, wire.Control], bool]
Closed = Callable[[Contract, str, str], None]


class ContractDesk:
    """Called under the coordinator's lock. `on_closed(contract, state, by)` ends the contract's jobs."""

    def __init__(self, core: Core, send: Send, on_closed: Closed) -> None:
        self._core = core
        self._book = core.book
        self._send = send
        self._on_closed = on_closed

    def propose(self, contract: Contract) -> None:
        """Remember a drafted contract and send it to its parties."""
        if self._book.add(contract):
            self._core.record("contract.drafted", contract=contract)
        self._tell_all(contract)

    def revoke(self, contract_id: str, reason: str) -> None:
        """The coordinator's operator ends a contract."""
        self._close(self._book.get(contract_id), "revoked", COORDINATOR, reason)

    def decided(self, party: str, message: wire.Decision) -> None:
        """A party's signed word. Saying it again changes nothing."""
        contract = self._book.get(message.contract_id)
        if party not in contract.parties:
            raise RefusedError("the contract does not name this party", party=party, step="contract")
        if message.contract_hash != contract_hash(contract):
            raise VerificationError("the decision is on another text", party=party, step="contract")
        decision = Decision(party, message.decision, message.reason, message.signature)
        verify_decision(contract, decision)
        known = {row["decision"] for row in self._book.decisions(contract.id, party=party)}
        if decision.decision in known:
            return
        self._book.decide(contract.id, party, decision.decision, decision.reason, decision.signature)
        if decision.decision == "approve":
            self._core.record("contract.signed", contract=contract, by=party)
            self._activate_if_complete(contract)
        else:
            state = {"refuse": "refused", "revoke": "revoked"}[decision.decision]
            self._close(contract, state, party, decision.reason)

    def tell(self, party: str) -> None:
        """Send a party every contract that names it, as it stands now."""
        for row in self._book.rows():
            contract = self._book.find(row["id"])
            if contract and party in contract.parties:
                self._tell(party, contract.id)

    def expire(self) -> None:
        """Close contracts whose time is over."""
        for contract in self._book.open_contracts():
            if self._core.now() >= contract.expires:
                self._close(contract, "expired", COORDINATOR, "its time is over")

    def _activate_if_complete(self, contract: Contract) -> None:
        complete = set(self._book.signatures(contract.id)) == set(contract.parties)
        if complete and self._book.row(contract.id)["state"] == "proposed":
            self._book.set_state(contract.id, "active")
            self._core.record("contract.activated", contract=contract)
        self._tell_all(contract)

    def _close(self, contract: Contract, state: str, by: str, reason: str) -> None:
        self._book.set_state(contract.id, state, f"{by}: {reason}")
        self._core.record(f"contract.{state}", contract=contract, by=by, reason=reason)
        self._on_closed(contract, state, by)
        self._tell_all(contract)

    def _tell_all(self, contract: Contract) -> None:
        for party in contract.parties:
            self._tell(party, contract.id)

    def _tell(self, party: str, contract_id: str) -> None:
        row = self._book.row(contract_id)
        message = wire.Contract(
            contract_id=contract_id,
            canonical=row["canonical"],
            signatures=self._book.signatures(contract_id),
            state=row["state"],
            reason=row["reason"],
            revocation=self._revocation(contract_id),
        )
        self._send(party, wire.Control(contract=message))

    def _revocation(self, contract_id: str) -> wire.Decision | None:
        """The signed word of the party that revoked a contract, so that the others can verify it."""
        for row in self._book.decisions(contract_id):
            if row["decision"] == "revoke":
                return wire.Decision(
                    contract_id=contract_id,
                    decision="revoke",
                    reason=row["reason"],
                    signature=row["signature"],
                    party=row["party"],
                )
        return None
