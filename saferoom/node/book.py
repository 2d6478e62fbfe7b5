"""The contracts a node knows, with the parties' signed words on them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from saferoom.contracts.canonical import canonical_bytes, contract_hash
from saferoom.contracts.contract import Contract, parse_contract
from saferoom.errors import ConfigError, RefusedError, SafeRoomError, UsageError
from saferoom.kinds.base import UNKNOWN_JOB, JobKind
from saferoom.node import state as tables
from saferoom.node.state import State

OPEN_STATES = ("proposed", "active")


class ContractBook:
    """Contracts by id: proposed, active, refused, revoked or expired."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, contract: Contract) -> bool:
        """Remember a proposed contract. False if it is known; RefusedError if another has its id."""
        known = self._state.rows(tables.contracts, tables.contracts.c.id == contract.id)
        if known:
            if known[0]["hash"] != contract_hash(contract):
                raise RefusedError(
                    f"contract {contract.id} is known here with other content",
                    step="contract",
                    remedy="draft the changed contract under a new id",
                )
            return False
        self._state.put(
            tables.contracts,
            id=contract.id,
            hash=contract_hash(contract),
            canonical=canonical_bytes(contract),
            state="proposed",
            reason="",
            updated=time.time(),
        )
        return True

    def get(self, contract_id: str) -> Contract:
        """Raises UsageError if it is not known, ConfigError if a newer SafeRoom agreed to it."""
        canonical = self._state.get(tables.contracts, contract_id, "contract")["canonical"]
        try:
            return _parsed(canonical)
        except SafeRoomError as error:
            raise ConfigError(
                f"contract {contract_id} cannot be read by this version: {error.message}",
                step="contract",
                remedy="install the SafeRoom again that agreed to it",
            ) from error

    def find(self, contract_id: str) -> Contract | None:
        """As `get`; None if it is not known, or cannot be read: that stops nothing else."""
        try:
            return self.get(contract_id)
        except (UsageError, ConfigError):
            return None

    def job_kinds(self, contract_id: str) -> Mapping[str, JobKind]:
        """The kinds of job under a contract, by name; UNKNOWN_JOB by any other name.

        Rows of jobs may name anything: offers are written down when they are refused as well.
        """
        contract = self.find(contract_id)
        return defaultdict(lambda: UNKNOWN_JOB, contract.kind.jobs_by_name if contract else {})

    def row(self, contract_id: str) -> dict[str, Any]:
        return self._state.get(tables.contracts, contract_id, "contract")

    def rows(self) -> list[dict[str, Any]]:
        return self._state.rows(tables.contracts)

    def open_contracts(self) -> list[Contract]:
        """Those that can be read."""
        found = (self.find(row["id"]) for row in self.rows() if row["state"] in OPEN_STATES)
        return [contract for contract in found if contract]

    def set_state(self, contract_id: str, state: str, reason: str = "") -> None:
        self._state.update(tables.contracts, contract_id, state=state, reason=reason, updated=time.time())

    def decide(self, contract_id: str, party: str, decision: str, reason: str, signature: bytes) -> None:
        """Remember a party's signed word. The caller has verified the signature."""
        self._state.put(
            tables.decisions,
            contract_id=contract_id,
            party=party,
            decision=decision,
            reason=reason,
            signature=signature,
            time=time.time(),
        )

    def decisions(self, contract_id: str, *, party: str | None = None) -> list[dict[str, Any]]:
        found = self._state.rows(tables.decisions, tables.decisions.c.contract_id == contract_id)
        return [row for row in found if party in (None, row["party"])]

    def signatures(self, contract_id: str) -> dict[str, bytes]:
        """Approvals by party."""
        approvals = (row for row in self.decisions(contract_id) if row["decision"] == "approve")
        return {row["party"]: row["signature"] for row in approvals}


@lru_cache(maxsize=256)
def _parsed(canonical: bytes) -> Contract:
    """Contracts do not change, and are asked for at every disclosure."""
    return parse_contract(canonical)
