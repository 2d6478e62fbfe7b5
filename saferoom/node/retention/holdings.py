"""What a node still holds of its jobs, and whether it may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from saferoom.contracts.retention import due
from saferoom.errors import RefusedError
from saferoom.kinds.base import JobKind
from saferoom.node import state as tables
from saferoom.node.core import Core

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why what a job left is to be destroyed; `type` is the event that says that it was.

    `by` is the party whose signed word it is, "" for the clock; `signature` that of an order.
    """

    type: str
    reason: str
    by: str = ""
    on_behalf_of: str = ""
    signature: bytes = b""


UNFINISHED = Cause("staging.destroyed", "the job did not finish")
ORPHAN = Cause("retention.destroyed", "the node knows no job that made it")


class Holdings:
    """Reads the node's state; changes nothing."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def destruction(self, job_id: str) -> dict[str, Any] | None:
        """What is known of the destruction of what a job left: begun, failed, done; None if it is not due."""
        rows = self._core.state.rows(tables.destructions, tables.destructions.c.job_id == job_id)
        return rows[0] if rows else None

    def due(self, job: Row, ended: datetime | None = None) -> datetime:
        """Until when what a job left may be kept. `job` is its row; `ended`, if that does not say it yet."""
        ended = ended or datetime.fromtimestamp(job["ended"], UTC)
        return due(self._core.book.get(job["contract_id"]), ended)

    def cause(self, job: Row) -> Cause | None:
        """Why what a job left, its checkpoint too, may be kept no longer; None while it may.

        Of a contract that cannot be read nobody can tell: what was made under it is kept.
        """
        order = self._order_on_its_origin(job)
        if order is not None:
            return Cause("model.destroyed", order["reason"], order["by"])
        if job["state"] != "finished" and (heir := self._finished_heir(job)):
            return Cause("retention.destroyed", f"job {heir} resumed it and has finished")
        contract = self._core.book.find(job["contract_id"])
        if contract is None:
            return None
        for said in self._core.book.decisions(contract.id):
            if said["decision"] == "revoke":
                reason = f"the contract was revoked: {said['reason']}"
                return Cause("retention.destroyed", reason, said["party"])
        now = self._core.now()
        if now < self.due(job):
            return None
        days = f"{contract.retention_days} days of retention are over"
        return Cause("retention.destroyed", "the contract has expired" if now >= contract.expires else days)

    def check_usable(self, job: Row) -> None:
        """Raise RefusedError if what a job left is destroyed, or is to be."""
        known = self.destruction(job["id"])
        reason = known["reason"] if known else getattr(self.cause(job), "reason", "")
        if not known and not reason:
            return
        is_gone = known is not None and known["state"] == "destroyed"
        when = f" on {datetime.fromtimestamp(known['changed'], UTC):%Y-%m-%d}" if known and is_gone else ""
        what = self.kind(job).leaves
        raise RefusedError(
            f"the {what} {'was destroyed' + when if is_gone else 'is being destroyed'}: {reason}",
            party=self._core.me,
            step="model",
            remedy="train again, under a contract that is in force",
        )

    def kind(self, job: Row) -> JobKind:
        """What kind of job it was; UNKNOWN_JOB if nobody here can tell."""
        return self._core.book.job_kinds(job["contract_id"])[job["kind"]]

    def leaves_model(self, job: Row) -> bool:
        """Whether it is a job that makes a model."""
        return self.kind(job).leaves == "model"

    def model_of(self, job: Row) -> str:
        """The model that a job uses; "" if it uses none."""
        kind = self.kind(job)
        return _made_from(kind, job) if kind.model_param else ""

    def resumed(self, job: Row) -> str:
        """The unfinished job that a job resumes; "" if it begins anew."""
        kind = self.kind(job)
        return _made_from(kind, job) if kind.resume_param else ""

    def _order_on_its_origin(self, job: Row) -> dict[str, Any] | None:
        """Scores go with the model they were made with, trees with the checkpoint they were grown on from."""
        known = self.destruction(_made_from(self.kind(job), job))
        return known if known and known["type"] == "model.destroyed" else None

    def _finished_heir(self, job: Row) -> str:
        """A finished job that resumed this one, directly or not; "" if there is none."""
        kinds, heirs = self._core.book.job_kinds(job["contract_id"]), defaultdict[str, list[Row]](list)
        for row in self._core.state.rows(tables.jobs, tables.jobs.c.contract_id == job["contract_id"]):
            kind = kinds[row["kind"]]
            if kind.resume_param:
                heirs[_made_from(kind, row)].append(row)
        waiting = [job["id"]]
        while waiting:
            for heir in heirs.pop(waiting.pop(), ()):
                if heir["state"] == "finished":
                    return str(heir["id"])
                waiting.append(heir["id"])
        return ""


def _made_from(kind: JobKind, job: Row) -> str:
    """The job whose model a job uses, or which it resumes; "" if neither."""
    params = job["params"]  # SafeRoom 0.1 wrote down whatever an offer that it refused had here
    return kind.made_from(params) if isinstance(params, Mapping) else ""
