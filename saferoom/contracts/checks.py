"""What every node asks of a contract before it acts: is it in force, does it name this job, this disclosure.

All functions are pure: signatures, counts and the time are passed in. A refusal gives every reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from saferoom.channel.session import Disclosure
from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import Job, allowed_disclosures, jobs_of
from saferoom.contracts.fields import listed
from saferoom.contracts.signatures import verify_approvals
from saferoom.contracts.terms import refuse
from saferoom.errors import UsageError
from saferoom.kinds.learns import DISCLOSURES

_JOB = re.compile(r"[0-9a-f]{32}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SCORE_PARAMS = frozenset({"model", "mode", "rows", "reasons"})
_NO_RECIPIENT = "the contract names no recipient of reason codes"
MOST_REASONS = 4
MOST_ROWS_WITH_REASONS = 2_000


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used of a contract: training jobs over its life, rows scored today (UTC)."""

    training_jobs: int = 0
    scores_today: int = 0


def check_active(contract: Contract, signatures: Mapping[str, bytes], now: datetime) -> Contract:
    """Return the contract if all parties signed it and it is in force now.

    Refusals and revocations are signed separately: a node asks here only while it knows of none.
    Raises VerificationError (signatures), RefusedError (dates).
    """
    verify_approvals(contract, signatures)
    refuse(date_reasons(contract, now), remedy="agree on a new contract")
    return contract


def check_job(contract: Contract, kind: str, params: Mapping[str, Any], usage: Usage, now: datetime) -> None:
    """Raise RefusedError unless the contract, in force, names a job of this kind with these parameters.

    `train` takes no parameter that differs from the contract's, and for boosted trees `resume` (the id of an
    earlier job); `score` takes `model` (its id), `mode`
    (`batch` or `one`; `batch` if absent), `rows` (how many, for the quota) and `reasons` (codes for each).
    """
    reasons = [*date_reasons(contract, now), *_kind_reasons(contract, kind)]
    if kind == "train":
        reasons += _training_reasons(contract, params, usage)
    elif kind == "score":
        reasons += _scoring_reasons(contract, params, usage)
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


def check_disclosure(
    contract: Contract, disclosure: Disclosure, job: str = "", rows_asked: int | None = None
) -> None:
    """Raise RefusedError unless the contract lets `disclosure.to` learn this kind of value.

    With `job` (`train` or `score`) only what that kind of job may disclose, and in training no common set
    or split below the minimum of rows. With `rows_asked`, what a score job asked for under the quota, no
    score list longer than that.
    """
    if job not in ("", *get_args(Job)):
        raise UsageError(f"a job is one of {listed(get_args(Job))}")
    reasons = []
    allowed = allowed_disclosures(contract, _job(job))
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


def quota_reasons(contract: Contract, rows: int, usage: Usage) -> list[str]:
    """Why `rows` more scores today would be too many."""
    if usage.scores_today + rows <= contract.quotas.scores_per_day:
        return []
    return [f"more than the contract's {contract.quotas.scores_per_day} scores a day"]


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
    if extent == "scores" and rows_asked is not None and rows > rows_asked:
        reasons.append(f"more scores than the {rows_asked} that the job asked for")
    return reasons


def _job(job: str) -> Job | None:
    return next((known for known in get_args(Job) if known == job), None)


def _kind_reasons(contract: Contract, kind: str) -> list[str]:
    if kind in jobs_of(contract):
        return []
    return [f"the contract does not allow a job of kind {kind!r}; it allows {listed(jobs_of(contract))}"]


def _training_reasons(contract: Contract, params: Mapping[str, Any], usage: Usage) -> list[str]:
    agreed = {**contract.task.params.model_dump(), "split_seed": contract.task.split_seed}
    reasons = [
        f"parameter {name!r} differs from the contract's"
        for name in sorted(set(params) - {"resume"})
        if name not in agreed or isinstance(params[name], bool) or params[name] != agreed[name]
    ]
    if "resume" in params:
        reasons += _resuming_reasons(contract, params["resume"])
    if usage.training_jobs >= contract.quotas.training_jobs:
        reasons.append(f"the contract's {contract.quotas.training_jobs} training jobs are used up")
    return reasons


def _resuming_reasons(contract: Contract, job: object) -> list[str]:
    """Why an earlier job cannot be gone on from."""
    if contract.task.kind != "boosting":
        return ["only jobs of boosted trees can be resumed"]
    if not isinstance(job, str) or not _JOB.fullmatch(job):
        return ["the parameter 'resume' is not the id of a job"]
    return []


def _scoring_reasons(contract: Contract, params: Mapping[str, Any], usage: Usage) -> list[str]:
    reasons = [f"the contract knows no parameter {name!r}" for name in sorted(set(params) - _SCORE_PARAMS)]
    mode, rows, model = params.get("mode", "batch"), params.get("rows", 1), params.get("model", "")
    if mode not in ("batch", "one") or f"score_{mode}" not in contract.uses:
        reasons.append("the contract does not name this mode of scoring among its uses")
    if not isinstance(model, str) or not _MODEL.fullmatch(model):
        reasons.append("the parameter 'model' is not the id of a model")
    if type(rows) is not int or rows < 1 or (mode == "one" and rows != 1):
        return [*reasons, "the parameter 'rows' must be a number of rows, and 1 to score one enterprise"]
    return reasons + _reason_code_reasons(contract, params, rows) + quota_reasons(contract, rows, usage)


def _reason_code_reasons(contract: Contract, params: Mapping[str, Any], rows: int) -> list[str]:
    """Why reason codes cannot be asked for."""
    codes = params.get("reasons", 0)
    if type(codes) is not int or not 0 <= codes <= MOST_REASONS:
        return [f"the parameter 'reasons' is a number from 0 to {MOST_REASONS}"]
    if not codes:
        return []
    reasons = [] if contract.recipients("reason_codes") else [_NO_RECIPIENT]
    if rows > MOST_ROWS_WITH_REASONS:
        reasons.append(f"reason codes are given for at most {MOST_ROWS_WITH_REASONS} enterprises at once")
    return reasons
