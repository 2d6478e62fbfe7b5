"""Golden objections: class and every word of what is said against contracts, drafts, policies, jobs.

    files/objections/….json    by what was tried; "(accepted)" where nothing is said against it

Pydantic's own words are among those on the form of a contract: another version of it may have others. How the
files are written anew: see `test_golden_contracts.py`.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.golden import wrong_drafts, wrong_jobs
from tests.golden import wrong_policies as wrong
from tests.golden.contracts import contract_of
from tests.golden.drafts import NOW
from tests.golden.edits import edited
from tests.golden.names import (
    Policy,
    Usage,
    check_contract_by_policy,
    check_job_by_policy,
    contract_from,
    job_reasons_by_policy,
    load_policy,
    policy_reasons,
)
from tests.golden.objections import ACCEPTED, all_said, said
from tests.golden.store import Golden
from tests.golden.wrong_forms import FORMS
from tests.golden.wrong_terms import TERMS

ABOUT_JOBS = dict(wrong_jobs.attempts())


WRONG = {"form": ("logistic", FORMS)} | {f"{kind}-terms": (kind, edits) for kind, edits in TERMS.items()}


@pytest.mark.parametrize("about", WRONG)
def test_contracts(golden: Golden, about: str) -> None:
    kind, wrong_ones = WRONG[about]
    found = {
        name: said(lambda edits=edits: contract_from(edited(f"{kind}/three", edits)))  # type: ignore[misc]
        for name, edits in wrong_ones.items()
    }
    assert ACCEPTED not in found.values()
    golden.holds(f"objections/contracts/{about}.json", found)


def test_drafts_and_texts(golden: Golden) -> None:
    found = all_said(wrong_drafts.attempts())
    assert ACCEPTED not in found.values()
    golden.holds("objections/contracts/drafts.json", found)


@pytest.mark.parametrize("about", ABOUT_JOBS)
def test_jobs(golden: Golden, about: str) -> None:
    golden.holds(f"objections/jobs/{about}.json", all_said(ABOUT_JOBS[about]))


@pytest.mark.parametrize("kind", ["logistic", "scorecard", "boosting"])
def test_every_kind_of_disclosure_to_everybody(golden: Golden, kind: str) -> None:
    contract = contract_of(f"{kind}/three")
    found = {job or "any": wrong_jobs.disclosures_refused(contract, job) for job in ("train", "score", "")}
    golden.holds(f"objections/jobs/{kind}-disclosures.json", found)


@pytest.mark.parametrize("name", wrong.CONTRACTS)
def test_policies(golden: Golden, name: str) -> None:
    contract = contract_of(name)
    found = {}
    for rule, content in wrong.RULES.items():
        policy = Policy.model_validate(content)
        found[rule] = policy_reasons(policy, contract, "tax", NOW)
        of_job = job_reasons_by_policy(policy, contract, "tax", "score", Usage(), NOW)
        assert of_job == found[rule], "a job is held to all that a contract is held to"
    golden.holds(f"objections/policies/{name.replace('/', '-')}.json", found)


def test_policies_hours_and_counts(golden: Golden) -> None:
    contract, counts = contract_of("logistic/three"), Policy(training_jobs=3, scores_per_day=1000)
    found = {}
    for name, (hours, utc) in wrong.HOURS.items():
        policy = Policy.model_validate({"hours": hours | {"utc_offset": "+08:00"}})
        now = wrong.MONDAY + timedelta(hours=utc)
        found[name] = job_reasons_by_policy(policy, contract, "tax", "train", Usage(), now)
    for name, (kind, usage) in wrong.USED.items():
        found[name] = job_reasons_by_policy(counts, contract, "tax", kind, usage, NOW)
    golden.holds("objections/policies/jobs.json", found)


def test_what_policies_raise(golden: Golden) -> None:
    contract, strict = contract_of("logistic/three"), Policy(purposes=(), minimum_rows=500)
    moments = {
        name: said(lambda now=now: check_contract_by_policy(Policy(), contract, "tax", now))  # type: ignore[misc]
        for name, now in wrong.MOMENTS.items()
    }
    two = contract_of("logistic/two")
    found = moments | {
        "no party of it": said(lambda: check_contract_by_policy(Policy(), two, "utility", NOW)),
        "a contract": said(lambda: check_contract_by_policy(strict, contract, "tax", NOW)),
        "a job": said(lambda: check_job_by_policy(strict, contract, "tax", "train", Usage(), NOW)),
    }
    golden.holds("objections/policies/raised.json", found)


def test_policy_files(golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors name the file: here by its name alone."""
    monkeypatch.chdir(tmp_path)
    file = Path("policy.yaml")
    found = {"absent": said(lambda: load_policy(file))}
    for name, text in wrong.FILES.items():
        file.write_text(text, encoding="utf-8")
        found[name] = said(lambda: load_policy(file))
    file.write_bytes(b"\xff\xfe\x00")
    found["no UTF-8"] = said(lambda: load_policy(file))
    golden.holds("objections/policies/files.json", found)


def test_rules_that_are_left_out(golden: Golden) -> None:
    golden.holds("objections/policies/left-out.json", Policy().model_dump(mode="json"))
    assert Policy().contract_needs_person() and not Policy().job_needs_person()


@pytest.mark.parametrize("approval", ["contract", "job", "none"])
def test_who_must_approve(approval: str) -> None:
    policy = Policy.model_validate({"approval": approval})
    assert policy.contract_needs_person() == (approval != "none")
    assert policy.job_needs_person() == (approval == "job")
