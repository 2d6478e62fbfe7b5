"""A party's own rules, in `policy.yaml`, read by its node alone: no contract and nobody else overrides them.

A rule that is left out allows everything of its kind; docs/contracts.md lists the few that have a value of
their own when left out. `policy_reasons` and `job_reasons` say why not; the checks raise.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, ValidationError, model_validator

from saferoom.contracts.contract import Contract
from saferoom.contracts.refusal import refuse
from saferoom.errors import RefusedError, UsageError, VerificationError
from saferoom.files.yaml_text import read_yaml
from saferoom.identity.public import parse_fingerprint
from saferoom.kinds.base import NOTHING, Usage
from saferoom.kinds.fields import Count, Distinct, Frozen, Line, PartyId, Strict, explained
from saferoom.kinds.registry import FormName
from saferoom.kinds.regression import Real
from saferoom.kinds.score_step import MAX_BITS_SHOWN, USUAL_STEP, ScoreStep
from saferoom.kinds.trust import Assumption, Trust

ANYBODY = "*"


def _clock(value: Any) -> time:
    try:
        moment = time.fromisoformat(value)
    except (TypeError, ValueError) as exc:
        raise ValueError("must be a time of day such as 08:30") from exc
    if moment.tzinfo is not None:
        raise ValueError("must be a time of day without a zone; utc_offset names the zone")
    return moment


def _offset(value: Any) -> timedelta:
    try:
        offset = datetime.strptime(value, "%z").utcoffset()
    except (TypeError, ValueError) as exc:
        raise ValueError("must be an offset such as +08:00") from exc
    return offset or timedelta(0)


class Hours(Strict):
    """When jobs may run. `start` after `end` means overnight; `days` are 1 (Monday) to 7, local."""

    start: Annotated[time, BeforeValidator(_clock)]
    end: Annotated[time, BeforeValidator(_clock)]
    days: Distinct[Annotated[StrictInt, Field(ge=1, le=7)]] = (1, 2, 3, 4, 5, 6, 7)
    utc_offset: Annotated[timedelta, BeforeValidator(_offset)]

    def include(self, now: datetime) -> bool:
        local = now.astimezone(UTC) + self.utc_offset
        clock = local.time()
        if self.start <= self.end:
            inside = self.start <= clock < self.end
        else:
            inside = clock >= self.start or clock < self.end
        return inside and local.isoweekday() in self.days


class Policy(Strict):
    """See docs/contracts.md for every rule."""

    purposes: Distinct[Line] | None = None
    partners: Frozen[PartyId, str | None] | None = None
    trust: Distinct[Trust] = ("assisted", "strict")
    assumptions: Distinct[Assumption] | None = None
    never_columns: Distinct[Line] = ()
    minimum_rows: Annotated[StrictInt, Field(ge=2)] = 20
    minimum_bin_rows: Annotated[StrictInt, Field(ge=0)] = 20
    minimum_bin_events: Annotated[StrictInt, Field(ge=0)] = 3
    release: Frozen[str, Distinct[FormName]] | None = None
    consent_required: StrictBool = False
    training_jobs: Count | None = None
    scores_per_day: Count | None = None
    minimum_score_step: ScoreStep = USUAL_STEP
    max_bits_shown: Annotated[Real, Field(ge=0, le=64)] = MAX_BITS_SHOWN
    max_share_shown: Annotated[Real, Field(ge=0, le=1)] = 1.0
    max_retention_days: Count | None = None
    max_contract_days: Count | None = None
    hours: Hours | None = None
    approval: Literal["contract", "job", "none"] = "contract"

    @model_validator(mode="after")
    def _readable_fingerprints(self) -> Self:
        for party, fingerprint in (self.partners or {}).items():
            if fingerprint is not None:
                try:
                    parse_fingerprint(fingerprint)
                except VerificationError as exc:
                    raise ValueError(f"partners: {party}: {exc.message}") from exc
        return self

    def contract_needs_person(self) -> bool:
        """Whether a person must approve each contract. If not, the node may sign what the policy allows."""
        return self.approval != "none"

    def job_needs_person(self) -> bool:
        """Whether a person must approve each job."""
        return self.approval == "job"


def load_policy(path: Path) -> Policy:
    """Read `policy.yaml`; an empty file is a policy without rules of its own. Raises ConfigError."""
    try:
        return Policy.model_validate(
            read_yaml(path, "policy", remedy="see configs/policies for examples", may_be_empty=True)
        )
    except ValidationError as exc:
        raise explained(exc, f"policy {path}") from exc


def check_contract(policy: Policy, contract: Contract, party: str, now: datetime) -> None:
    """Raise RefusedError with every reason why `party` must not approve the contract."""
    refuse(policy_reasons(policy, contract, party, now), remedy="agree on other terms, or change policy.yaml")


def check_job(policy: Policy, contract: Contract, party: str, kind: str, usage: Usage, now: datetime) -> None:
    """Raise RefusedError with every reason why `party` must not take part in the job."""
    refuse(job_reasons(policy, contract, party, kind, usage, now), step="job", remedy="see policy.yaml")


def policy_reasons(policy: Policy, contract: Contract, party: str, now: datetime) -> list[str]:
    """Why the policy of `party` forbids the contract; empty if it does not. RefusedError: no party of it."""
    if party not in contract.parties:
        raise RefusedError("the contract does not name this party", party=party, step="contract")
    return [
        *_agreement_reasons(policy, contract),
        *_partner_reasons(policy, contract, party),
        *_own_data_reasons(policy, contract, party),
        *_release_reasons(policy, contract),
        *_limit_reasons(policy, contract),
        *(["the contract has expired"] if _aware(now) >= contract.expires else []),
    ]


def job_reasons(
    policy: Policy, contract: Contract, party: str, kind: str, usage: Usage, now: datetime
) -> list[str]:
    """Why the policy forbids a job now; empty if it does not.

    The whole contract is held against the policy again, since the policy may have changed. What a score job
    adds to `usage.scores_today` is held against the contract's quota by `checks.check_job`.
    """
    reasons = policy_reasons(policy, contract, party, now)
    if policy.hours is not None and not policy.hours.include(_aware(now)):
        reasons.append("outside the hours in which jobs may run")
    return reasons + _quota_reasons(policy, contract, kind, usage)


def _quota_reasons(policy: Policy, contract: Contract, kind: str, usage: Usage) -> list[str]:
    job = contract.kind.jobs_by_name.get(kind)
    takes = job.uses_up({}) if job else NOTHING
    return [
        f"the {most} {what} are used up"
        for what, does, used, most in (
            (
                "training jobs under one contract",
                takes.training_jobs,
                usage.training_jobs,
                policy.training_jobs,
            ),
            ("scores a day", takes.scores_today, usage.scores_today, policy.scores_per_day),
        )
        if does and most is not None and used >= most
    ]


def _agreement_reasons(policy: Policy, contract: Contract) -> list[str]:
    reasons = []
    if policy.purposes is not None and contract.purpose not in policy.purposes:
        reasons.append(f"purpose {contract.purpose!r} is not accepted")
    if contract.trust not in policy.trust:
        reasons.append(f"trust mode {contract.trust} is not accepted")
    if policy.assumptions is not None:
        refused = sorted(set(contract.assumptions) - set(policy.assumptions))
        reasons += [f"assumption {name} is not accepted" for name in refused]
    return reasons


def _partner_reasons(policy: Policy, contract: Contract, party: str) -> list[str]:
    if policy.partners is None:
        return []
    reasons = []
    for other in sorted(set(contract.parties) - {party}):
        if other not in policy.partners:
            reasons.append(f"partner {other} is not accepted")
            continue
        expected = policy.partners[other]
        pinned = contract.parties[other].keys.fingerprint
        if expected is not None and parse_fingerprint(expected) != parse_fingerprint(pinned):
            reasons.append(f"the contract pins other keys of {other} than the policy")
    return reasons


def _own_data_reasons(policy: Policy, contract: Contract, party: str) -> list[str]:
    its = contract.parties[party]
    forbidden = {column.casefold() for column in policy.never_columns}
    reasons = [
        f"column {column!r} must never be used"
        for column in sorted(its.columns)
        if column.casefold() in forbidden
    ]
    if policy.consent_required and not its.consent_required:
        reasons.append("the contract does not require the enterprises' consent for our data")
    return reasons


def _release_reasons(policy: Policy, contract: Contract) -> list[str]:
    if policy.release is None:
        return []
    reasons = []
    for output in contract.outputs:
        allowed = policy.release.get(output.to, policy.release.get(ANYBODY, ()))
        if output.form not in allowed:
            reasons.append(f"releasing {output.form} to {output.to} is not accepted")
    return reasons


def _limit_reasons(policy: Policy, contract: Contract) -> list[str]:
    reasons = []
    if contract.minimum_rows < policy.minimum_rows:
        reasons.append(
            f"the minimum of {contract.minimum_rows} common rows is below our {policy.minimum_rows}"
        )
    if contract.releases_scores and contract.released_step < policy.minimum_score_step:
        reasons.append(
            f"scores in steps of {contract.released_step:g} log-odds are finer than our"
            f" {policy.minimum_score_step:g}"
        )
    reasons += contract.kind.limits(policy, contract)
    days = (contract.expires - contract.valid_from) / timedelta(days=1)
    for what, asked, limit in (
        ("training jobs", contract.quotas.training_jobs, policy.training_jobs),
        ("scores a day", contract.quotas.scores_per_day, policy.scores_per_day),
        ("days of retention", contract.retention_days, policy.max_retention_days),
        ("days of validity", days, policy.max_contract_days),
    ):
        if limit is not None and asked > limit:
            reasons.append(f"{asked:g} {what} are more than our {limit}")
    return reasons


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise UsageError("a time must carry its time zone")
    return now
