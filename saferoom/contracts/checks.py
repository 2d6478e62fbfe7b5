"""What every node asks of a contract before it acts: is it in force, does it name this job, this disclosure.

All functions are pure: signatures, counts and the time are passed in. A refusal gives every reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from saferoom.channel.session import Disclosure
from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures, jobs_of
from saferoom.contracts.refusal import refuse
from saferoom.contracts.signatures import verify_approvals
from saferoom.errors import RefusedError, UsageError
from saferoom.kinds.base import Usage
from saferoom.kinds.fields import listed
from saferoom.kinds.learns import DISCLOSURES
from saferoom.kinds.registry import job_names


def check_active(contract: Contract, signatures: Mapping[str, bytes], now: datetime) -> Contract:
    """Return the contract if all parties signed it and it is in force now.

    Refusals and revocations are signed separately: a node asks here only while it knows of none.
    Raises VerificationError (signatures), RefusedError (dates).
    """
    verify_approvals(contract, signatures)
    refuse(date_reasons(contract, now), remedy="agree on a new contract")
    return contract


def check_job(contract: Contract, kind: str, params: Mapping[str, Any], usage: Usage, now: datetime) -> None:
    """Raise RefusedError unless the contract, in force, names a job of this kind with these parameters."""
    reasons = [*date_reasons(contract, now), *_kind_reasons(contract, kind)]
    job = contract.kind.jobs_by_name.get(kind)
    if job is not None:
        reasons += job.refuses(contract, params)
        reasons += _quota_reasons(contract, job.uses_up(params), usage)
    refuse(reasons, step="job")


def check_dataset(contract: Contract, party: str, dataset: str, version: str) -> None:
    """Raise RefusedError unless this is the data set, and version if pinned, that the contract names."""
    its = contract.parties[party]
    reasons = [] if its.dataset == dataset else ["the contract names another data set of this party"]
    if its.version is not None and its.version != version:
        reasons.append("the contract pins another version of the data set")
    refuse(reasons, step="data", remedy="agree on a contract for the present data")


def check_columns(contract: Contract, party: str, columns: Mapping[str, str]) -> None:
    """Raise RefusedError unless the contract names every column (to its use) of `party`."""
    named = contract.parties[party].columns
    other = [column for column, use in columns.items() if named.get(column) != use]
    refuse(
        [f"the contract does not name {party}'s column {column!r} for this use" for column in sorted(other)],
        step="data",
    )


def check_rows(contract: Contract, rows: int) -> None:
    """Raise RefusedError unless a training set of so many common rows is large enough."""
    if rows < contract.minimum_rows:
        refuse([f"fewer rows in common than the contract's minimum of {contract.minimum_rows}"], step="align")


def check_training_rows(contract: Contract, rows: int) -> None:
    """Raise RefusedError unless a model may be trained on so many rows, as the label holder chose them."""
    if rows < contract.minimum_rows:
        raise RefusedError(
            f"only {rows} rows are for training; the contract's minimum is {contract.minimum_rows}",
            party=contract.label_holder,
            step="split",
            remedy="hold fewer rows out, or bring more enterprises",
        )


def check_disclosure(
    contract: Contract, disclosure: Disclosure, job: str = "", rows_asked: int | None = None
) -> None:
    """Raise RefusedError unless the contract lets `disclosure.to` learn this kind of value.

    With `job` (`train` or `score`) only what that kind of job may disclose, and in training no common set
    or split below the minimum of rows. With `rows_asked`, what a score job asked for under the quota, no
    list of scores, of enterprises asked for, or of those that all hold, longer than that.
    """
    if job not in ("", *job_names()):
        raise UsageError(f"a job is one of {listed(job_names())}")
    reasons = []
    allowed = allowed_disclosures(contract, job or None)
    if (disclosure.kind, disclosure.to) not in allowed:
        reasons.append(f"the contract does not let {disclosure.to} learn {disclosure.kind!r}")
    minimum_rows = contract.minimum_rows if job == "train" else 0
    refuse(reasons + _extent_reasons(disclosure, minimum_rows, rows_asked), step=disclosure.step)


def date_reasons(contract: Contract, now: datetime) -> list[str]:
    """Why the contract is not in force at `now`, going by its dates."""
    if now.tzinfo is None:
        raise UsageError("a time must carry its time zone")
    if now < contract.valid_from:
        return [f"the contract begins at {contract.valid_from:%Y-%m-%d %H:%M} UTC"]
    if now >= contract.expires:
        return [f"the contract expired at {contract.expires.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    return []


def _extent_reasons(disclosure: Disclosure, minimum_rows: int, rows_asked: int | None) -> list[str]:
    """Why a value of this shape is not of the extent that its kind has."""
    kind, shape, reasons = disclosure.kind, disclosure.shape, []
    extent = DISCLOSURES[kind].extent if kind in DISCLOSURES else "list"
    if len(shape) > 1 and not (extent == "counts" and shape[1:] == (1,)):
        reasons.append(f"{kind!r} is a list of numbers, never a table")
    rows = shape[0] if shape else 1
    if extent == "one" and rows != 1:
        reasons.append(f"{kind!r} is one number")
    if extent == "rows" and rows < minimum_rows:
        reasons.append(f"{kind!r} of fewer rows than the contract's minimum")
    if extent in ("rows", "asked", "scores") and rows_asked is not None and rows > rows_asked:
        what = "scores" if extent == "scores" else "enterprises"
        reasons.append(f"more {what} than the {rows_asked} that the job asked for")
    return reasons


def _kind_reasons(contract: Contract, kind: str) -> list[str]:
    if kind in jobs_of(contract):
        return []
    return [f"the contract does not allow a job of kind {kind!r}; it allows {listed(jobs_of(contract))}"]


def _quota_reasons(contract: Contract, wanted: Usage, usage: Usage) -> list[str]:
    """Why a job that takes `wanted` would be too much."""
    quotas, reasons = contract.quotas, []
    if wanted.training_jobs and usage.training_jobs >= quotas.training_jobs:
        reasons.append(f"the contract's {quotas.training_jobs} training jobs are used up")
    if wanted.scores_today and usage.scores_today + wanted.scores_today > quotas.scores_per_day:
        reasons.append(f"more than the contract's {quotas.scores_per_day} scores a day")
    return reasons
