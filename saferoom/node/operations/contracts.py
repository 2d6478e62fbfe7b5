"""What can be asked about contracts.

Every node shows and explains them; the coordinator drafts them, the parties decide on them.
"""

from __future__ import annotations

from typing import Any

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.explain import explain, render_explanation
from saferoom.identity.public import PublicKeys
from saferoom.identity.register import Register
from saferoom.ids import COORDINATOR, HELPER
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Daemon, Noun, Plain, argument, officer, verb
from saferoom.node.operations.find import find_contract

UNREADABLE = "it cannot be read by this version: see `saferoom contract show`"


class Contracts(Noun[Daemon]):
    """Contracts as every node of the room knows them."""

    @verb("contract.list")
    def list_all(self, _args: Plain) -> Plain:
        """A line on each contract."""
        return {"contracts": [self._line(row) for row in self.core.book.rows()]}

    @verb("contract.show")
    def show(self, args: Plain) -> Plain:
        """The contract itself, what each party decided, and the fingerprints it names."""
        contract = find_contract(self.core, args)
        decisions = [
            {key: row[key] for key in ("party", "decision", "reason", "time")}
            for row in self.core.book.decisions(contract.id)
        ]
        line = self._line(self.core.book.row(contract.id))
        fingerprints = {node: keys.fingerprint() for node, keys in contract.pinned_keys().items()}
        return {**line, "contract": contract.to_plain(), "decisions": decisions, "fingerprints": fingerprints}

    @verb("contract.explain")
    def explain(self, args: Plain) -> Plain:
        """What a contract means, in words: who learns what, and on which assumptions."""
        contract = find_contract(self.core, args)
        explanation = explain(contract)
        return {
            "id": contract.id,
            "hash": contract_hash(contract).hex(),
            "text": render_explanation(explanation, lang=str(args.get("lang", "en"))),
            "rows": [row.to_plain() for row in explanation.rows],
            "warnings": list(explanation.warnings),
        }

    def _line(self, row: Plain) -> Plain:
        contract = self.core.book.find(row["id"])
        return {
            "id": row["id"],
            "title": contract.title if contract else "",
            "state": row["state"],
            "reason": row["reason"] if contract else UNREADABLE,
            "hash": row["hash"].hex(),
            "parties": sorted(contract.parties) if contract else [],
            "signed": sorted(self.core.book.signatures(row["id"])),
        }


class ContractsAtParty(Contracts[Party]):
    """The data officer's decisions, which the daemon sends to the coordinator."""

    @verb("contract.review")
    def review(self, args: Plain) -> Plain:
        """The explanation, and what the party's policy says."""
        contract = find_contract(self.core, args)
        return {**self.explain(args), "policy": self.running().contracts.review(contract.id)}

    @verb("contract.approve")
    def approve(self, args: Plain) -> Plain:
        """Sign a contract."""
        contract, daemon = find_contract(self.core, args), self.running()
        with daemon.lock():
            daemon.contracts.approve(contract.id, officer(args))
        return self.show({"contract": contract.id})

    @verb("contract.refuse")
    def refuse(self, args: Plain) -> Plain:
        """Say no to a contract that is not in force yet."""
        contract, daemon = find_contract(self.core, args), self.running()
        with daemon.lock():
            daemon.contracts.refuse(contract.id, argument(args, "reason"), officer(args))
        return self.show({"contract": contract.id})

    @verb("contract.revoke")
    def revoke(self, args: Plain) -> Plain:
        """End a contract; its jobs end with it."""
        contract, daemon = find_contract(self.core, args), self.running()
        with daemon.lock():
            daemon.contracts.revoke(contract.id, argument(args, "reason"), officer(args))
        return self.show({"contract": contract.id})


class ContractsAtCoordinator(Contracts[Coordinator]):
    """Contracts are made and sent out here."""

    @verb("contract.draft")
    def draft(self, args: Plain) -> Plain:
        """Make a contract from a draft and the enrolled parties' keys, and send it to them."""
        draft: dict[str, Any] = argument(args, "draft")
        contract = draft_contract(draft, self._keys(), now=self.core.now())
        self.running().propose(contract)
        return self.show({"contract": contract.id})

    @verb("contract.revoke")
    def revoke(self, args: Plain) -> Plain:
        """End a contract; its jobs end with it."""
        contract = find_contract(self.core, args)
        self.running().revoke(contract.id, argument(args, "reason"))
        return self.show({"contract": contract.id})

    def _keys(self) -> dict[str, PublicKeys]:
        """Public keys of all enrolled parties, of the coordinator and of the helper."""
        own = self.core.keys.public()
        helper = self.running().helper_public
        return {**Register.load(self.core.home.register).public_keys(), COORDINATOR: own, HELPER: helper}
