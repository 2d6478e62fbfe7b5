"""A party's policy: every rule refuses what breaks it, and all reasons come at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from saferoom.contracts.policy import (
    Policy,
    check_contract,
    check_job,
    job_reasons,
    load_policy,
    policy_reasons,
)
from saferoom.errors import ConfigError, RefusedError, UsageError
from saferoom.kinds.base import Usage

EXAMPLES = Path(__file__).resolve().parents[3] / "configs" / "policies"


def policy(**rules: Any) -> Policy:
    return Policy.model_validate(rules)


def test_an_empty_policy_leaves_it_to_the_person(tmp_path: Path, house: Any) -> None:
    (tmp_path / "policy.yaml").write_text("# nothing yet\n")
    empty = load_policy(tmp_path / "policy.yaml")
    assert policy_reasons(empty, house.contract(), "tax", house.now) == []
    assert job_reasons(empty, house.contract(), "tax", "train", Usage(), house.now) == []
    assert empty.contract_needs_person()
    assert not empty.job_needs_person()


BREACHES: list[tuple[dict[str, Any], str]] = [
    ({"purposes": ["marketing"]}, "purpose 'sme-credit' is not accepted"),
    ({"purposes": []}, "purpose"),
    ({"partners": {"bank": None}}, "partner utility is not accepted"),
    ({"trust": ["strict"]}, "trust mode assisted is not accepted"),
    ({"assumptions": ["semi_honest_parties"]}, "assumption helper_does_not_collude is not accepted"),
    ({"never_columns": ["tax_b"]}, "column 'tax_b' must never be used"),
    ({"never_columns": ["TAX_B"]}, "column 'tax_b' must never be used"),
    ({"never_columns": ["USCC"]}, "column 'uscc' must never be used"),
    ({"minimum_rows": 201}, "minimum of 200 common rows is below our 201"),
    ({"release": {"bank": ["coefficients"]}}, "releasing score to bank is not accepted"),
    ({"release": {"*": ["coefficients"]}}, "releasing score to bank is not accepted"),
    ({"release": {}}, "releasing coefficients to tax is not accepted"),
    ({"consent_required": True}, "does not require the enterprises' consent"),
    ({"training_jobs": 2}, "3 training jobs are more than our 2"),
    ({"scores_per_day": 999}, "1000 scores a day are more than our 999"),
    ({"max_retention_days": 89}, "90 days of retention are more than our 89"),
    ({"max_contract_days": 30}, "31 days of validity are more than our 30"),
]


@pytest.mark.parametrize(("rules", "message"), BREACHES)
def test_every_rule_refuses_what_breaks_it(house: Any, rules: dict[str, Any], message: str) -> None:
    contract = house.contract()
    reasons = policy_reasons(policy(**rules), contract, "tax", house.now)
    assert any(message in reason for reason in reasons), reasons
    with pytest.raises(RefusedError, match=message.replace("'", ".")):
        check_contract(policy(**rules), contract, "tax", house.now)
    assert job_reasons(policy(**rules), contract, "tax", "train", Usage(), house.now), (
        "jobs are held to it too"
    )


def test_rules_that_are_kept_do_not_refuse(house: Any) -> None:
    fits = policy(
        purposes=["sme-credit"],
        partners={"bank": house.keys["bank"].public().fingerprint(), "utility": None},
        trust=["assisted"],
        assumptions=["semi_honest_parties", "helper_does_not_collude"],
        never_columns=["bank_a", "secret"],
        minimum_rows=200,
        release={"bank": ["coefficients", "score"], "*": ["coefficients"]},
        training_jobs=3,
        scores_per_day=1000,
        max_retention_days=90,
        max_contract_days=31,
    )
    check_contract(fits, house.contract(), "tax", house.now)
    check_job(fits, house.contract(), "tax", "train", Usage(2, 999), house.now)


def test_every_reason_is_given(house: Any) -> None:
    rules = policy(purposes=[], never_columns=["tax_a"], minimum_rows=1000, consent_required=True)
    with pytest.raises(RefusedError) as caught:
        check_contract(rules, house.contract(), "tax", house.now)
    assert caught.value.message.count(";") == 3


def test_pinned_fingerprints_of_partners(house: Any) -> None:
    wrong = policy(partners={"bank": house.keys["tax"].public().fingerprint(), "utility": None})
    reasons = policy_reasons(wrong, house.contract(), "tax", house.now)
    assert reasons == ["the contract pins other keys of bank than the policy"]


def test_an_expired_contract_cannot_be_approved(house: Any) -> None:
    contract = house.contract()
    assert policy_reasons(policy(), contract, "tax", contract.expires) == ["the contract has expired"]
    with pytest.raises(UsageError):
        policy_reasons(policy(), contract, "tax", datetime(2025, 1, 1))


def test_only_a_party_is_asked(house: Any) -> None:
    with pytest.raises(RefusedError, match="does not name this party"):
        policy_reasons(policy(), house.contract("tax"), "utility", house.now)


def test_the_policys_own_counts(house: Any) -> None:
    rules = policy(training_jobs=3, scores_per_day=1000)
    contract = house.contract()
    assert job_reasons(rules, contract, "tax", "train", Usage(3, 0), house.now)
    assert not job_reasons(rules, contract, "tax", "train", Usage(2, 1000), house.now)
    assert job_reasons(rules, contract, "tax", "score", Usage(0, 1000), house.now)
    assert not job_reasons(rules, contract, "tax", "score", Usage(3, 999), house.now)


MONDAY = datetime(2025, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "utc", "allowed"),
    [
        ({"start": "08:00", "end": "20:00"}, 0, True),
        ({"start": "08:00", "end": "20:00"}, 11.99, True),
        ({"start": "08:00", "end": "20:00"}, 12, False),
        ({"start": "08:00", "end": "20:00"}, -0.01, False),
        ({"start": "22:00", "end": "06:00"}, 14, True),
        ({"start": "22:00", "end": "06:00"}, -3, True),
        ({"start": "22:00", "end": "06:00"}, 2, False),
        ({"start": "08:00", "end": "20:00", "days": [1]}, 2, True),
        ({"start": "08:00", "end": "20:00", "days": [6, 7]}, 2, False),
        ({"start": "00:00", "end": "12:00", "days": [2]}, 17, True),
    ],
)
def test_hours_are_local(house: Any, hours: dict[str, Any], utc: float, allowed: bool) -> None:
    rules = policy(hours={**hours, "utc_offset": "+08:00"})
    now = MONDAY + timedelta(hours=utc)
    contract = house.contract(valid_from=MONDAY - timedelta(days=9))
    reasons = job_reasons(rules, contract, "tax", "train", Usage(), now)
    assert (not reasons) is allowed
    assert policy_reasons(rules, contract, "tax", now) == [], "a contract may be approved at any hour"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("purpose: [x]\n", "Extra inputs"),
        ("purposes: x\n", "purposes"),
        ("trust: [none]\n", "trust"),
        ("assumptions: [hope]\n", "assumptions"),
        ("minimum_rows: 1\n", "minimum_rows"),
        ("minimum_rows: many\n", "minimum_rows"),
        ("approval: never\n", "approval"),
        ("release: {bank: [everything]}\n", "release"),
        ("partners: {bank: '12345'}\n", "partners: bank"),
        ("partners: {Bank: ~}\n", "partners"),
        ("hours: {start: '8', end: '20:00', utc_offset: '+08:00'}\n", "hours.start"),
        ("hours: {start: '08:00', end: '20:00'}\n", "utc_offset"),
        ("hours: {start: '08:00', end: '20:00', utc_offset: Beijing}\n", "offset such as"),
        ("hours: {start: '08:00+01:00', end: '20:00', utc_offset: '+08:00'}\n", "without a zone"),
        ("hours: {start: '08:00', end: '20:00', utc_offset: '+08:00', days: [0]}\n", "days"),
        ("minimum_rows: 50\nminimum_rows: 2\n", "twice"),
    ],
)
def test_a_policy_with_a_mistake_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_policy(tmp_path / "policy.yaml")


def test_a_missing_policy_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the policy"):
        load_policy(tmp_path / "policy.yaml")


@pytest.mark.parametrize(
    ("approval", "contract", "job"), [("contract", True, False), ("job", True, True), ("none", False, False)]
)
def test_who_must_approve(approval: str, contract: bool, job: bool) -> None:
    rules = policy(approval=approval)
    assert (rules.contract_needs_person(), rules.job_needs_person()) == (contract, job)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_valid(path: Path) -> None:
    load_policy(path)


def test_there_are_examples() -> None:
    assert len(list(EXAMPLES.glob("*.yaml"))) >= 3
