"""May a job resume an earlier one? Asked before it starts, at the coordinator and at every party.

And what a node says of the checkpoint that a job left.
"""

from __future__ import annotations

from typing import Any

from saferoom.audit.evidence.lifecycle import kept_until
from saferoom.contracts.contract import Contract
from saferoom.contracts.retention import due
from saferoom.errors import RefusedError
from saferoom.node import state as tables
from saferoom.node.core import Core
from saferoom.node.retention.holdings import UNFINISHED, Holdings
from saferoom.tasks.results.checkpoint import HEAD, WITHOUT, has_checkpoint, read_head


def check_earlier(core: Core, contract: Contract, job: str) -> dict[str, Any]:
    """The row of an earlier job of this contract that ended without a model. Raises RefusedError."""
    rows = core.state.rows(tables.jobs, tables.jobs.c.id == job)
    if not rows or not core.book.job_kinds(contract.id)[rows[0]["kind"]].resume_param:
        raise _refused(core, "the job to resume is not known here", "see `saferoom job list`")
    if rows[0]["contract_id"] != contract.id:
        remedy = f"resume it under {rows[0]['contract_id']}"
        raise _refused(core, "the job to resume was run under another contract", remedy)
    if rows[0]["state"] == "finished":
        raise _refused(core, "the job to resume has finished", f"its model is {job}")
    if rows[0]["state"] not in tables.JOB_ENDED:
        raise _refused(core, "the job to resume has not ended", f"see `saferoom job watch {job}`")
    return rows[0]


def check_checkpoint(core: Core, holdings: Holdings, contract: Contract, job: str, version: str) -> None:
    """Its checkpoint is here, and made of this version of the data. Raises RefusedError, StorageError."""
    row, known = check_earlier(core, contract, job), holdings.destruction(job)
    if known and known["type"] != UNFINISHED.type:
        raise _refused(core, f"the job's checkpoint was destroyed: {known['reason']}")
    if cause := holdings.cause(row):
        raise _refused(core, f"the job's checkpoint is to be destroyed: {cause.reason}")
    folder = core.home.checkpoint(job)
    if not has_checkpoint(folder):
        raise _refused(core, "there is no checkpoint of the job here: it ended before its first tree")
    if read_head(folder).data_version != version:
        raise _refused(core, "the data set has been registered anew since the job's checkpoint was made")


def note_checkpoint(core: Core, contract: Contract, job: str) -> None:
    """A job ends without a model: what another may resume from stays, and until when is logged."""
    if has_checkpoint(core.home.checkpoint(job)):
        until = kept_until(due(contract, core.now()))
        core.record("job.checkpointed", contract=contract, job=job, reason=until)


def checkpoint_facts(core: Core, holdings: Holdings, job: dict[str, Any]) -> dict[str, Any]:
    """What a person may want to know of a job's checkpoint; empty if there is none."""
    try:
        sizes = {path.name: path.stat().st_size for path in core.home.checkpoint(job["id"]).iterdir()}
    except OSError:  # there is none, or it is being destroyed
        return {}
    if HEAD not in sizes or job["state"] not in tables.JOB_ENDED:
        return {}
    return {
        "trees": sum(name.startswith("tree-") for name in sizes),
        "bytes": sum(sizes.values()),
        "kept_until": holdings.due(job).isoformat(timespec="seconds"),
    }


def _refused(core: Core, what: str, remedy: str = WITHOUT) -> RefusedError:
    return RefusedError(what, party=core.me, step="resume", remedy=remedy)
