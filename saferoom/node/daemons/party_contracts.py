"""A party's contracts: received, checked against its policy, approved and signed by its data officer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from saferoom.audit.entries.events import DataObject
from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract, parse_contract
from saferoom.contracts.policy import Policy, policy_reasons
from saferoom.contracts.signatures import Decision, sign_decision, verify_approvals, verify_decision
from saferoom.errors import RefusedError, UsageError, VerificationError
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core

CLOSED = ("refused", "revoked", "expired")


class PartyContracts:
    """Called under the node's lock. `on_closed(contract_id, state, reason)` ends the contract's jobs."""

    def __init__(
        self,
        core: Core,
        policy: Callable[[], Policy],
        send: Callable[[wire.Control], bool],
        on_closed: Callable[[str, str, str], None],
    ) -> None:
        self._core = core
        self._book = core.book
        self._policy = policy
        self._send = send
        self._on_closed = on_closed

    def received(self, message: wire.Contract) -> None:
        """A contract from the coordinator, new or as it stands now. Its signatures are verified here."""
        contract = parse_contract(message.canonical)
        self._check_is_ours(contract)
        if self._book.add(contract):
            self._core.record("contract.drafted", contract=contract)
            self._sign_unattended(contract)
        if message.state in CLOSED and self._book.row(contract.id)["state"] not in CLOSED:
            self._remember_revocation(contract, message)
            self._close(contract, message.state, message.reason)
        elif message.state == "active" and self._may_become_active(contract):
            self._activate(contract, dict(message.signatures))

    def review(self, contract_id: str) -> list[str]:
        """Why the party's policy forbids this contract; empty if it does not."""
        contract = self._book.get(contract_id)
        return policy_reasons(self._policy(), contract, self._core.me, self._core.now())

    def approve(self, contract_id: str, by: str) -> None:
        """Sign. Raises RefusedError with every reason if the policy forbids it, whoever asks."""
        contract = self._proposed(contract_id)
        reasons = self.review(contract_id)
        if reasons:
            reason = "; ".join(reasons)
            self._core.record(
                "contract.refused", outcome="refused", contract=contract, reason=reason, on_behalf_of=by
            )
            remedy = "ask for another contract, or change policy.yaml"
            raise RefusedError(
                f"the policy forbids it: {reason}", party=self._core.me, step="approve", remedy=remedy
            )
        self._decide(contract, "approve", "", by)

    def refuse(self, contract_id: str, reason: str, by: str) -> None:
        self._decide(self._proposed(contract_id), "refuse", reason, by)

    def revoke(self, contract_id: str, reason: str, by: str) -> None:
        """End an active contract; its running jobs stop."""
        contract = self._book.get(contract_id)
        if self._book.row(contract_id)["state"] in CLOSED:
            raise UsageError("the contract is closed already", step="revoke")
        self._decide(contract, "revoke", reason, by)
        self._close(contract, "revoked", f"{self._core.me}: {reason}")

    def tell_decisions(self) -> None:
        """After a reconnect: say again what we decided, on closed contracts too: they may be open there."""
        for known in self._book.rows():
            contract = self._book.find(known["id"])
            if contract is None:
                continue
            for row in self._book.decisions(contract.id, party=self._core.me):
                self._tell(contract, row)

    def expire(self) -> None:
        for contract in self._book.open_contracts():
            if self._core.now() >= contract.expires:
                self._close(contract, "expired", "its time is over")

    def _remember_revocation(self, contract: Contract, message: wire.Contract) -> None:
        """A party's own word ends what was stored under the contract; the coordinator's only its use."""
        if message.state != "revoked" or not message.HasField("revocation"):
            return
        said = message.revocation
        verify_decision(contract, Decision(said.party, "revoke", said.reason, said.signature))
        self._book.decide(contract.id, said.party, "revoke", said.reason, said.signature)

    def _sign_unattended(self, contract: Contract) -> None:
        """Where the policy asks for no person, the node itself signs what the policy allows."""
        if not self._policy().contract_needs_person() and not self.review(contract.id):
            self._decide(contract, "approve", "", "policy")

    def _check_is_ours(self, contract: Contract) -> None:
        if self._core.me not in contract.parties:
            raise RefusedError("the contract does not name this party", step="contract")
        if contract.pinned_keys()[self._core.me] != self._core.keys.public():
            remedy = "draft it again from the keys that this party enrolled"
            raise VerificationError(
                "the contract pins other keys for this party", step="contract", remedy=remedy
            )

    def _may_become_active(self, contract: Contract) -> bool:
        """Never again once it is closed here or we said no, whoever still holds our approval."""
        said = {row["decision"] for row in self._book.decisions(contract.id, party=self._core.me)}
        return self._book.row(contract.id)["state"] == "proposed" and not said & {"refuse", "revoke"}

    def _activate(self, contract: Contract, signatures: dict[str, bytes]) -> None:
        verify_approvals(contract, signatures)
        for party, signature in signatures.items():
            self._book.decide(contract.id, party, "approve", "", signature)
        self._core.record("contract.activated", contract=contract, object=self._own_data(contract))
        self._book.set_state(contract.id, "active")

    def _close(self, contract: Contract, state: str, reason: str) -> None:
        self._book.set_state(contract.id, state, reason)
        self._core.record(f"contract.{state}", contract=contract, reason=reason)
        self._on_closed(contract.id, state, reason)

    def _proposed(self, contract_id: str) -> Contract:
        state = self._book.row(contract_id)["state"]
        if state != "proposed":
            raise UsageError(f"the contract is {state}, not proposed", step="approve")
        return self._book.get(contract_id)

    def _decide(self, contract: Contract, word: str, reason: str, by: str) -> None:
        decision: Decision = sign_decision(self._core.keys.signing, contract, self._core.me, word, reason)
        verify_decision(contract, decision)
        event = {"approve": "contract.approved", "refuse": "contract.refused", "revoke": "contract.revoked"}[
            word
        ]
        data = self._own_data(contract) if word == "approve" else None
        self._core.record(event, contract=contract, reason=reason, on_behalf_of=by, object=data)
        self._book.decide(contract.id, self._core.me, word, reason, decision.signature)
        self._tell(contract, {"decision": word, "reason": reason, "signature": decision.signature})

    def _own_data(self, contract: Contract) -> DataObject:
        """What this party brings into the contract."""
        mine = contract.parties[self._core.me]
        version = (mine.version or "").removeprefix("sha256:")
        return DataObject.of(mine.dataset, columns=sorted(mine.columns), version_hash=version)

    def _tell(self, contract: Contract, row: dict[str, Any]) -> None:
        message = wire.Decision(
            contract_id=contract.id,
            contract_hash=contract_hash(contract),
            decision=row["decision"],
            reason=row["reason"],
            signature=row["signature"],
        )
        self._send(wire.Control(decision=message))
