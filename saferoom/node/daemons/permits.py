"""A person's word for the next jobs of a contract, where the party's policy asks for one for each job."""

from __future__ import annotations

from saferoom.contracts.contract import Contract
from saferoom.node import state as tables
from saferoom.node.core import Core


class Permits:
    """How many jobs of each contract and kind a person has permitted and no job has used yet."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def grant(self, contract: Contract, kind: str, times: int, by: str) -> int:
        """Permit the next `times` jobs; logged. Returns how many are open now."""
        self._core.record("job.permitted", contract=contract, reason=f"{times} × {kind}", on_behalf_of=by)
        left = self.left(contract.id, kind) + times
        self._core.state.put(tables.permits, contract_id=contract.id, kind=kind, left=left)
        return left

    def spend(self, contract_id: str, kind: str) -> bool:
        """Use one permit up. False if there is none."""
        left = self.left(contract_id, kind)
        if left:
            self._core.state.put(tables.permits, contract_id=contract_id, kind=kind, left=left - 1)
        return left > 0

    def left(self, contract_id: str, kind: str) -> int:
        found = self._core.state.rows(
            tables.permits, tables.permits.c.contract_id == contract_id, tables.permits.c.kind == kind
        )
        return int(found[0]["left"]) if found else 0
