"""What the coordinator's operator can ask for."""

from __future__ import annotations

from typing import Any

from saferoom.contracts.draft import draft_contract
from saferoom.errors import UsageError
from saferoom.identity.public import PublicKeys
from saferoom.identity.register import Register
from saferoom.ids import COORDINATOR, HELPER
from saferoom.node.core import Core
from saferoom.node.daemons.coordinator import Coordinator
from saferoom.node.operations.base import Operations, Plain, answer, argument
from saferoom.node.setup import enrol


class CoordinatorOperations(Operations):
    """`daemon` is None while the coordinator is down: then only what needs no party works."""

    def __init__(self, core: Core, daemon: Coordinator | None) -> None:
        super().__init__(core, daemon.jobs.watch if daemon else None)
        self._daemon = daemon
        self.verbs |= {
            "status": answer(self.status),
            "party.enrol": answer(self.party_enrol),
            "party.remove": answer(self.party_remove),
            "contract.draft": answer(self.contract_draft),
            "contract.revoke": answer(self.contract_revoke),
            "job.submit": answer(self.job_submit),
            "job.cancel": answer(self.job_cancel),
        }

    def status(self, _args: Plain) -> Plain:
        connected = self._daemon.connected() if self._daemon else set()
        parties = [
            {
                "party": party,
                "organisation": node.organisation,
                "connected": party in connected,
                "revoked": node.revoked,
            }
            for party, node in Register.load(self.core.home.register).nodes.items()
        ]
        return {
            "node": self.core.me,
            "role": "coordinator",
            "up": self._daemon is not None,
            "parties": parties,
            "jobs_under_way": len(self._daemon.jobs.runs.under_way()) if self._daemon else 0,
            "log_size": self.core.log.size,
            "log_stopped": self.core.log.is_stopped,
            "witnesses": self._daemon.cosigning.words() if self._daemon else [],
            "alarms": self.core.alarms(),
        }

    def party_enrol(self, args: Plain) -> Plain:
        """Let a party in by its request; the answer holds its welcome. Works with and without a daemon."""
        text, word = str(argument(args, "request")), args.get("passphrase")
        expect = str(args.get("fingerprint", "")) or None
        request, welcome = enrol(self.core, text, self.core.now(), word, expect)
        return {
            "party": request.keys.node_id,
            "organisation": request.organisation,
            "fingerprint": request.keys.fingerprint(),
            "welcome": welcome,
        }

    def party_remove(self, args: Plain) -> Plain:
        """Put a party out; a running coordinator ends its line within a moment. Logged first."""
        party, reason = str(argument(args, "party")), str(argument(args, "reason"))
        register = Register.load(self.core.home.register).without(party, self.core.now())
        self.core.record("party.removed", reason=f"{party}: {reason}")
        register.save(self.core.home.register)
        still_named = [c.id for c in self.core.book.open_contracts() if party in c.parties]
        return {"removed": party, "open_contracts": still_named}

    def contract_draft(self, args: Plain) -> Plain:
        """Make a contract from a draft and the enrolled parties' keys, and send it to them."""
        draft: dict[str, Any] = argument(args, "draft")
        contract = draft_contract(draft, self._daemon_keys(), now=self.core.now())
        self._up().propose(contract)
        return self.contract_show({"contract": contract.id})

    def _daemon_keys(self) -> dict[str, PublicKeys]:
        """Public keys of all enrolled parties, of the coordinator and of the helper."""
        own = self.core.keys.public()
        helper = self._up().helper_public
        return {**Register.load(self.core.home.register).public_keys(), COORDINATOR: own, HELPER: helper}

    def contract_revoke(self, args: Plain) -> Plain:
        contract = self.find_contract(args)
        self._up().revoke(contract.id, argument(args, "reason"))
        return self.contract_show({"contract": contract.id})

    def job_submit(self, args: Plain) -> Plain:
        contract = self.find_contract(args)
        job_id = self._up().submit(
            contract.id, argument(args, "kind"), self.training_params(args), by=COORDINATOR
        )
        return {"job_id": job_id}

    def job_cancel(self, args: Plain) -> Plain:
        row = self.find_job(args)
        self._up().cancel(row["id"], COORDINATOR, str(args.get("reason", "no reason given")))
        return self.job_show({"job": row["id"]})

    def _up(self) -> Coordinator:
        if self._daemon is None:
            raise UsageError("the coordinator is not up", remedy="start it with `saferoom coordinator up`")
        return self._daemon
