"""A party's signed orders to destroy a model: given, passed on by the coordinator, obeyed by all parties.

Said again after every reconnect, so that a party that was away obeys when it is back. The coordinator cannot
make one up: it is signed by the party, and bound to contract and job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from saferoom.contracts.contract import Contract
from saferoom.contracts.retention import DestroyOrder, sign_order, verify_order
from saferoom.errors import RefusedError, UsageError, VerificationError
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.retention.destroyer import Destroyer
from saferoom.node.retention.holdings import Cause


def give_order(core: Core, destroyer: Destroyer, job: Mapping[str, Any], reason: str, by: str) -> None:
    """This party's own order on a model: signed, and carried out here at once. Raises UsageError."""
    contract = core.book.get(job["contract_id"])
    order = sign_order(core.keys.signing, contract, job["id"], core.me, reason)
    destroyer.order(job, Cause("model.destroyed", reason, core.me, by, order.signature))


class DestroyOrders:
    """The orders a node knows. Called under the node's lock."""

    def __init__(self, core: Core, destroyer: Destroyer) -> None:
        self._core = core
        self._destroyer = destroyer

    def known(self) -> list[wire.Control]:
        """Every order this node was given or gave, as it is passed on."""
        rows = self._core.state.rows(tables.destructions, tables.destructions.c.signature != b"")
        return [_message(row) for row in rows]

    def obey(self, message: wire.DestroyOrder) -> Contract:
        """Verify an order and carry it out here; returns the contract it is under.

        Raises RefusedError, UsageError, VerificationError.
        """
        contract = self._core.book.get(message.contract_id)
        order = DestroyOrder(message.job_id, message.party, message.reason, message.signature)
        verify_order(contract, order)
        jobs = self._core.state.rows(tables.jobs, tables.jobs.c.id == order.job)
        if not jobs:
            raise UsageError("an order to destroy what no job known here left", step="destroy")
        if jobs[0]["contract_id"] != contract.id:
            raise VerificationError("an order on a job of another contract", step="destroy")
        cause = Cause("model.destroyed", order.reason, order.party, signature=order.signature)
        self._destroyer.order(jobs[0], cause)
        return contract


class OrderDesk:
    """The coordinator's part: it obeys, for what it knows of the job, and passes on."""

    def __init__(self, orders: DestroyOrders, core: Core, send: Callable[[str, wire.Control], bool]) -> None:
        self._orders = orders
        self._core = core
        self._send = send

    def received(self, party: str, message: wire.DestroyOrder) -> None:
        if message.party != party:
            raise RefusedError("an order comes from the party that gives it", party=party, step="destroy")
        contract = self._orders.obey(message)
        for other in sorted(set(contract.parties) - {party}):
            self._send(other, wire.Control(destroy=message))

    def tell(self, party: str) -> None:
        """Say to a party that is back what was ordered under its contracts."""
        for message in self._orders.known():
            contract = self._core.book.find(message.destroy.contract_id)
            if contract and party in contract.parties:
                self._send(party, message)


def _message(row: Mapping[str, Any]) -> wire.Control:
    return wire.Control(
        destroy=wire.DestroyOrder(
            job_id=row["job_id"],
            contract_id=row["contract_id"],
            party=row["by"],
            reason=row["reason"],
            signature=row["signature"],
        )
    )
