"""What nodes enforce: dates, signatures, jobs, parameters, quotas, data sets, columns, disclosures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from saferoom.channel.session import Disclosure
from saferoom.contracts.checks import (
    Usage,
    check_active,
    check_columns,
    check_dataset,
    check_disclosure,
    check_job,
    check_rows,
)
from saferoom.contracts.disclosures import allowed_disclosures, jobs_of
from saferoom.contracts.signatures import sign_decision
from saferoom.errors import RefusedError, UsageError, VerificationError
from saferoom.kinds.learns import DISCLOSURES

PARTIES = ("bank", "tax", "utility")


def signatures(house: Any, contract: Any) -> dict[str, bytes]:
    return {
        party: sign_decision(house.keys[party].signing, contract, party, "approve").signature
        for party in contract.parties
    }


def test_a_signed_contract_is_active_within_its_dates(house: Any) -> None:
    contract = house.contract()
    signed = signatures(house, contract)
    assert check_active(contract, signed, house.now) is contract
    for now, message in (
        (contract.valid_from - timedelta(seconds=1), "begins at"),
        (contract.expires, "expired at"),
        (contract.expires + timedelta(days=99), "expired at"),
    ):
        with pytest.raises(RefusedError, match=message):
            check_active(contract, signed, now)
        with pytest.raises(RefusedError, match=message):
            check_job(contract, "train", {}, Usage(), now)
    with pytest.raises(UsageError, match="time zone"):
        check_active(contract, signed, datetime(2025, 3, 3))


def test_all_parties_and_nobody_else_must_have_signed(house: Any) -> None:
    contract = house.contract()
    signed = signatures(house, contract)
    for party in PARTIES:
        with pytest.raises(VerificationError, match=f"not signed by {party}"):
            check_active(contract, {k: v for k, v in signed.items() if k != party}, house.now)
    with pytest.raises(VerificationError, match="not signed by bank, tax and utility"):
        check_active(contract, {}, house.now)
    with pytest.raises(VerificationError, match="not a party"):
        check_active(contract, {**signed, "broker": bytes(64)}, house.now)


def test_training_takes_the_agreed_parameters_and_no_others(house: Any) -> None:
    contract = house.contract()
    for params in ({}, {"l2": 0.5}, {"l2": 0.5, "split_seed": 7}):
        check_job(contract, "train", params, Usage(), house.now)
    for params in ({"l2": 0.6}, {"passes": 3}, {"split_seed": 8}, {"l2": True}, {"l2": "0.5"}, {"l2": None}):
        with pytest.raises(RefusedError, match="differs from the contract's"):
            check_job(contract, "train", params, Usage(), house.now)


@pytest.mark.parametrize("kind", ["", "align", "grade", "report", "Train", "score_batch"])
def test_other_kinds_of_job_are_refused(house: Any, kind: str) -> None:
    with pytest.raises(RefusedError, match="does not allow a job of kind"):
        check_job(house.contract(), kind, {}, Usage(), house.now)


def test_uses_decide_which_jobs_are_allowed(house: Any) -> None:
    assert jobs_of(house.contract(uses=["train"])) == ("train",)
    assert jobs_of(house.contract(uses=["score_one"])) == ("score",)
    assert jobs_of(house.contract(uses=["grade"])) == ()
    with pytest.raises(RefusedError, match="kind 'score'; it allows train"):
        check_job(house.contract(uses=["train"]), "score", {"model": "m"}, Usage(), house.now)
    with pytest.raises(RefusedError, match="kind 'train'; it allows score"):
        check_job(house.contract(uses=["score_batch"]), "train", {}, Usage(), house.now)
    one = house.contract(uses=["score_one"])
    check_job(one, "score", {"model": "m", "mode": "one", "rows": 1}, Usage(), house.now)
    with pytest.raises(RefusedError, match="mode of scoring"):
        check_job(one, "score", {"model": "m", "mode": "batch", "rows": 5}, Usage(), house.now)


def test_quotas(house: Any) -> None:
    contract = house.contract()
    check_job(contract, "train", {}, Usage(training_jobs=2), house.now)
    with pytest.raises(RefusedError, match="3 training jobs are used up"):
        check_job(contract, "train", {}, Usage(training_jobs=3), house.now)
    check_job(contract, "score", {"model": "m", "rows": 400}, Usage(scores_today=600), house.now)
    for rows, used in ((401, 600), (1001, 0), (1, 1000)):
        with pytest.raises(RefusedError, match="1000 scores a day"):
            check_job(contract, "score", {"model": "m", "rows": rows}, Usage(scores_today=used), house.now)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"model": "../../keys"},
        {"model": "a/b"},
        {"model": ".hidden"},
        {"model": 7},
        {"model": "m" * 65},
        {"model": "m", "rows": 0},
        {"model": "m", "rows": -5},
        {"model": "m", "rows": 1.5},
        {"model": "m", "rows": True},
        {"model": "m", "mode": "one", "rows": 2},
        {"model": "m", "mode": "all"},
        {"model": "m", "threshold": 1},
    ],
)
def test_scoring_parameters_that_are_not_agreed(house: Any, params: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        check_job(house.contract(), "score", params, Usage(), house.now)


def test_every_reason_is_given(house: Any) -> None:
    contract = house.contract()
    with pytest.raises(RefusedError) as caught:
        check_job(contract, "train", {"l2": 9, "x": 1}, Usage(training_jobs=9), contract.expires)
    for part in ("expired", "'l2'", "'x'", "used up"):
        assert part in caught.value.message


def test_the_data_set_and_its_pinned_version(house: Any) -> None:
    draft = house.draft()
    draft["parties"]["tax"]["version"] = "sha256:" + "a" * 64
    contract = house.contract_of(draft)
    check_dataset(contract, "tax", "tax-2024", "sha256:" + "a" * 64)
    check_dataset(contract, "bank", "bank-2024", "b" * 64)
    with pytest.raises(RefusedError, match="another version"):
        check_dataset(contract, "tax", "tax-2024", "b" * 64)
    with pytest.raises(RefusedError, match="another data set"):
        check_dataset(contract, "bank", "bank-2023", "b" * 64)


def test_columns_are_used_as_named_or_not_at_all(house: Any) -> None:
    contract = house.contract()
    check_columns(contract, "tax", {"tax_a": "feature", "uscc": "id"})
    with pytest.raises(RefusedError, match="tax's column 'secret'"):
        check_columns(contract, "tax", {"tax_a": "feature", "secret": "feature"})
    with pytest.raises(RefusedError, match="'default'"):
        check_columns(contract, "bank", {"default": "feature"})
    with pytest.raises(RefusedError, match="'bank_a'"):
        check_columns(contract, "tax", {"bank_a": "feature"})


def test_the_minimum_of_common_rows(house: Any) -> None:
    check_rows(house.contract(), 200)
    with pytest.raises(RefusedError, match="minimum of 200"):
        check_rows(house.contract(), 199)


# -- disclosures ----------------------------------------------------------------------------------------


def disclosure(kind: str, to: str, *shape: int) -> Disclosure:
    return Disclosure(kind, to, shape or (500,), "release/x")


def test_the_closed_set(house: Any) -> None:
    for_all = ("widths", "range_check", "converged")
    everybody = {(kind, p) for kind in ("intersection", "split", *for_all) for p in PARTIES}
    training = {
        *everybody,
        ("set_sizes", "helper"),
        *((kind, "helper") for kind in for_all),
        *(("coefficients", p) for p in PARTIES),
        ("intercept", "bank"),
        ("score", "bank"),
    }
    scoring = {
        ("set_sizes", "helper"),
        *(("intersection", p) for p in PARTIES),
        ("score", "bank"),
        *(("query", p) for p in PARTIES),
    }
    contract = house.contract()
    assert allowed_disclosures(contract, "train") == training
    assert allowed_disclosures(contract, "score") == scoring
    assert allowed_disclosures(contract) == training | scoring
    assert allowed_disclosures(house.contract(uses=["train"])) == training
    assert allowed_disclosures(house.contract(uses=["grade"])) == frozenset()


def test_every_kind_that_protocols_can_disclose_has_its_place(house: Any) -> None:
    selecting = {"kind": "scorecard", "params": {"max_vif": 5, "standard_errors": True}}
    outputs = [{"to": party, "form": "coefficients"} for party in PARTIES]
    outputs += [{"to": "bank", "form": form} for form in ("score", "points", "reason_codes")]
    trees = [{"to": party, "form": "splits"} for party in PARTIES]
    trees += [{"to": "bank", "form": form} for form in ("score", "reason_codes")]
    contracts = [
        house.contract(),
        house.contract(task=selecting, outputs=outputs),
        house.contract(task={"kind": "boosting"}, outputs=trees),
        house.contract(outputs=[*outputs[:3], {"to": "bank", "form": "grade_only"}]),
    ]
    assert {kind for contract in contracts for kind, _ in allowed_disclosures(contract)} == set(DISCLOSURES)


def test_what_a_scorecard_discloses_besides(house: Any) -> None:
    logistic, scorecard = (house.contract(task={"kind": kind}) for kind in ("logistic", "scorecard"))
    assert allowed_disclosures(scorecard, "train") - allowed_disclosures(logistic, "train") == {
        ("anonymous_events", "bank"),
        ("bin_events", "tax"),
        ("bin_events", "utility"),
        ("points", "bank"),
        *(("left_out", node) for node in (*PARTIES, "helper")),
    }
    all_signs = house.contract(task={"kind": "scorecard", "params": {"drop_wrong_signs": False}})
    fewer = allowed_disclosures(scorecard, "train") - allowed_disclosures(all_signs, "train")
    assert fewer == {("left_out", node) for node in (*PARTIES, "helper")}
    assert allowed_disclosures(logistic, "train") < allowed_disclosures(scorecard, "train")
    changed = allowed_disclosures(logistic, "score") ^ allowed_disclosures(scorecard, "score")
    assert changed == {("score", "bank"), ("points", "bank")}


def test_counts_are_a_list_as_long_as_there_are_bins(house: Any) -> None:
    contract = house.contract(task={"kind": "scorecard"})
    check_disclosure(contract, Disclosure("bin_events", "tax", (7, 1), "events"), "train")
    with pytest.raises(RefusedError, match="never a table"):
        check_disclosure(contract, Disclosure("bin_events", "tax", (7, 2), "events"), "train")
    with pytest.raises(RefusedError, match="never a table"):
        check_disclosure(contract, Disclosure("points", "bank", (7, 1), "part"), "train")


def test_points_are_held_to_the_quota_as_scores_are(house: Any) -> None:
    contract = house.contract(task={"kind": "scorecard"})
    check_disclosure(contract, Disclosure("points", "bank", (5,), "part"), "score", rows_asked=5)
    with pytest.raises(RefusedError, match="more scores than the 5"):
        check_disclosure(contract, Disclosure("points", "bank", (6,), "part"), "score", rows_asked=5)


def test_exactly_the_closed_set_passes(house: Any) -> None:
    contract = house.contract()
    allowed = allowed_disclosures(contract)
    for kind in (*DISCLOSURES, "label", "gradient", "logits"):
        for to in (*PARTIES, "helper", "coordinator", "broker", "auditor"):
            wanted = disclosure(kind, to, 1)
            if (kind, to) in allowed:
                check_disclosure(contract, wanted)
            else:
                with pytest.raises(RefusedError, match="does not let") as caught:
                    check_disclosure(contract, wanted)
                assert caught.value.step == "release/x"


def test_a_job_discloses_only_what_its_kind_may(house: Any) -> None:
    contract = house.contract()
    check_disclosure(contract, disclosure("coefficients", "tax"), "train")
    with pytest.raises(RefusedError, match="does not let tax learn 'coefficients'"):
        check_disclosure(contract, disclosure("coefficients", "tax"), "score")
    with pytest.raises(RefusedError, match="'query'"):
        check_disclosure(contract, disclosure("query", "tax"), "train")
    with pytest.raises(UsageError):
        check_disclosure(contract, disclosure("score", "bank"), "trian")


def test_shapes_are_held(house: Any) -> None:
    contract = house.contract()
    check_disclosure(contract, Disclosure("intercept", "bank", (), "x"))
    with pytest.raises(RefusedError, match="one number"):
        check_disclosure(contract, disclosure("intercept", "bank", 2))
    with pytest.raises(RefusedError, match="never a table"):
        check_disclosure(contract, disclosure("score", "bank", 500, 3))


@pytest.mark.parametrize("kind", ["intersection", "split"])
def test_a_small_common_set_is_not_disclosed_in_training(house: Any, kind: str) -> None:
    contract = house.contract()
    check_disclosure(contract, disclosure(kind, "tax", 200), "train")
    with pytest.raises(RefusedError, match="fewer rows than the contract's minimum"):
        check_disclosure(contract, disclosure(kind, "tax", 199), "train")
    check_disclosure(contract, disclosure("intersection", "tax", 1), "score")


def test_no_more_scores_than_were_asked_for(house: Any) -> None:
    contract = house.contract()
    check_disclosure(contract, disclosure("score", "bank", 10), "score", rows_asked=10)
    with pytest.raises(RefusedError, match="more scores than the 10"):
        check_disclosure(contract, disclosure("score", "bank", 11), "score", rows_asked=10)


def test_only_parties_with_features_see_queries(house: Any) -> None:
    draft = house.draft()
    del draft["parties"]["bank"]["columns"]["bank_a"], draft["parties"]["bank"]["columns"]["bank_b"]
    contract = house.contract_of(draft)
    assert contract.features_of("bank") == ()
    assert ("query", "bank") not in allowed_disclosures(contract)


def test_reason_codes_are_asked_for_by_number_and_for_few(house: Any) -> None:
    outputs = [{"to": party, "form": "coefficients"} for party in PARTIES]
    outputs += [{"to": "bank", "form": form} for form in ("score", "points", "reason_codes")]
    contract = house.contract(task={"kind": "scorecard"}, outputs=outputs, quotas={"scores_per_day": 10**6})
    params = {"model": "m", "rows": 2000, "reasons": 4}
    check_job(contract, "score", params, Usage(), house.now)
    for change, message in (
        ({"reasons": 5}, "from 0 to 4"),
        ({"reasons": True}, "from 0 to 4"),
        ({"rows": 2001}, "at most 2000 enterprises"),
    ):
        with pytest.raises(RefusedError, match=message):
            check_job(contract, "score", params | change, Usage(), house.now)
    plain = house.contract(task={"kind": "scorecard"}, quotas={"scores_per_day": 10**6})
    with pytest.raises(RefusedError, match="no recipient of reason codes"):
        check_job(plain, "score", params, Usage(), house.now)
