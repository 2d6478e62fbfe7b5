"""Contracts for boosted trees: parameters, outputs, disclosures, warnings, policies."""

from __future__ import annotations

from typing import Any

import pytest

from saferoom.channel.session import Disclosure
from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.checks import check_disclosure, check_job
from saferoom.contracts.contract import Contract, parse_contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.contracts.explain import explain
from saferoom.contracts.policy import Policy, policy_reasons
from saferoom.errors import ConfigError, RefusedError
from saferoom.ids import HELPER
from saferoom.kinds.base import Usage
from saferoom.kinds.boosting import BoostingParams

PARTIES = ("bank", "tax", "utility")
ALL = {
    "n_estimators": 30,
    "max_depth": 3,
    "learning_rate": 0.1,
    "reg_lambda": 2,
    "gamma": 0.5,
    "min_child_weight": 3.0,
    "colsample_bytree": 0.8,
    "max_bin": 64,
    "scale_pos_weight": 12.5,
    "early_stopping_rounds": 5,
    "validation_share": 0.2,
    "top_rate": 0.2,
    "other_rate": 0.1,
    "own_trees": 1,
    "min_leaf_rows": 50,
    "min_leaf_events": 2,
    "seed": 7,
    "scheme": "paillier",
    "key_bits": 2048,
    "randomness": "subgroup",
}


def boosting(house: Any, *feature_holders: str, **params: Any) -> Contract:
    return house.contract(*feature_holders, task={"kind": "boosting", "params": params})


def outputs(*bank_forms: str, own: str = "splits") -> list[dict[str, str]]:
    to_bank = [{"to": "bank", "form": form} for form in bank_forms]
    return [*({"to": party, "form": own} for party in PARTIES), *to_bank]


def test_parameters_survive_the_canonical_form(house: Any) -> None:
    contract = boosting(house, **ALL)
    assert parse_contract(canonical_bytes(contract)) == contract
    assert isinstance(contract.task.params, BoostingParams)
    assert contract.task.params.model_dump() == BoostingParams().model_dump() | ALL
    assert isinstance(boosting(house).task.params, BoostingParams)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("l2", 1.0),
        ("n_estimators", 0),
        ("n_estimators", 10.0),
        ("max_depth", 11),
        ("learning_rate", 0),
        ("learning_rate", "0.3"),
        ("reg_lambda", -1),
        ("gamma", float("nan")),
        ("min_child_weight", float("inf")),
        ("subsample", 1.1),
        ("colsample_bytree", 0),
        ("max_bin", 1),
        ("scale_pos_weight", 0),
        ("early_stopping_rounds", 0),
        ("validation_share", 0.6),
        ("top_rate", 1.0),
        ("min_leaf_rows", True),
        ("key_bits", 1024),
        ("randomness", "short"),
        ("seed", -1),
    ],
)
def test_parameters_out_of_range_are_named(house: Any, name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        boosting(house, **{name: value})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"min_leaf_rows": 19}, "min_leaf_rows of at least 20"),
        ({"reg_lambda": 0, "min_child_weight": 0}, "would have no bound"),
        ({"own_trees": 100}, "none of the n_estimators trees"),
        ({"early_stopping_rounds": 3}, "early_stopping_rounds needs a validation_share"),
        ({"validation_share": 0.1}, "only early_stopping_rounds needs that"),
        ({"top_rate": 0.2}, "together or not at all"),
        ({"other_rate": 0.2}, "together or not at all"),
        ({"top_rate": 0.6, "other_rate": 0.5}, "more than all rows"),
        ({"top_rate": 0.2, "other_rate": 0.1, "subsample": 0.5}, "subsample must be 1"),
    ],
)
def test_parameters_that_make_no_sense_together_are_refused(
    house: Any, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        boosting(house, **params)


@pytest.mark.parametrize(
    "params",
    [
        {"min_leaf_rows": 20},
        {"reg_lambda": 0},
        {"min_child_weight": 0},
        {"own_trees": 99},
        {"top_rate": 0.5, "other_rate": 0.5},
        {"subsample": 0.5},
    ],
)
def test_parameters_at_the_edge_are_accepted(house: Any, params: dict[str, Any]) -> None:
    assert boosting(house, **params)


def test_own_trees_need_own_columns(house: Any) -> None:
    draft = house.draft(task={"kind": "boosting", "params": {"own_trees": 1}})
    draft["parties"]["bank"]["columns"] = {"uscc": "id", "default": "label"}
    with pytest.raises(RefusedError, match="needs feature columns of the label holder"):
        house.contract_of(draft)


def test_outputs_that_are_left_out(house: Any) -> None:
    contract = boosting(house)
    assert contract.recipients("splits") == PARTIES
    assert contract.recipients("score") == ("bank",)
    assert {output.form for output in contract.outputs} == {"splits", "score"}


def test_training_needs_splits_for_all_and_scores_for_the_label_holder(house: Any) -> None:
    task = {"kind": "boosting"}
    with pytest.raises(RefusedError, match="the splits of its own columns; no such output is named for tax"):
        house.contract(task=task, outputs=[o for o in outputs("score") if o["to"] != "tax"])
    with pytest.raises(RefusedError, match="score to the label holder"):
        house.contract(task=task, outputs=outputs())
    with pytest.raises(RefusedError, match="coefficients is not supported by this version for a boosting"):
        house.contract(task=task, outputs=outputs("score", "coefficients"))
    with pytest.raises(RefusedError, match="points is not supported"):
        house.contract(task=task, outputs=outputs("score", "points"))
    with pytest.raises(RefusedError, match="splits is not supported by this version for a logistic"):
        house.contract(outputs=[*outputs("score", own="coefficients"), {"to": "tax", "form": "splits"}])


def test_reason_codes_go_with_scores(house: Any) -> None:
    task = {"kind": "boosting"}
    assert house.contract(task=task, outputs=outputs("score", "reason_codes"))
    with pytest.raises(RefusedError, match="reason codes go with score, which tax does not learn"):
        house.contract(task=task, outputs=[*outputs("score"), {"to": "tax", "form": "reason_codes"}])


def test_what_boosted_trees_disclose(house: Any) -> None:
    plain = boosting(house)
    assert allowed_disclosures(plain, "train") == {
        ("set_sizes", HELPER),
        *((kind, party) for kind in ("intersection", "split", "tree_rows") for party in PARTIES),
        ("score", "bank"),
        ("split_sums", "bank"),
        *((kind, party) for kind in ("chosen_splits", "tree_shapes") for party in ("tax", "utility")),
    }
    logistic = house.contract()
    assert allowed_disclosures(plain, "score") == allowed_disclosures(logistic, "score")
    explaining = house.contract(task={"kind": "boosting"}, outputs=outputs("score", "reason_codes"))
    assert allowed_disclosures(explaining) - allowed_disclosures(plain) == {
        ("reason_codes", "bank"),
        ("split_values", "tax"),
        ("split_values", "utility"),
    }


@pytest.mark.parametrize(
    ("kind", "to"),
    [("split_sums", "bank"), ("chosen_splits", "tax"), ("tree_rows", "tax"), ("tree_shapes", "tax")],
)
def test_disclosures_of_trees_are_lists(house: Any, kind: str, to: str) -> None:
    contract = boosting(house)
    check_disclosure(contract, Disclosure(kind, to, (5000,), "train"), "train")
    with pytest.raises(RefusedError, match="never a table"):
        check_disclosure(contract, Disclosure(kind, to, (5000, 2), "train"), "train")
    with pytest.raises(RefusedError, match="does not let"):
        check_disclosure(contract, Disclosure(kind, to, (5000,), "score"), "score")


def test_sums_go_to_the_label_holder_alone(house: Any) -> None:
    with pytest.raises(RefusedError, match="does not let tax learn 'split_sums'"):
        check_disclosure(boosting(house), Disclosure("split_sums", "tax", (10,), "train"), "train")


def test_a_job_has_the_contract_s_parameters(house: Any) -> None:
    contract = boosting(house, **ALL)
    check_job(contract, "train", ALL, Usage(), house.now)
    with pytest.raises(RefusedError, match="parameter 'min_leaf_rows' differs"):
        check_job(contract, "train", {"min_leaf_rows": 21}, Usage(), house.now)


def test_reason_codes_may_be_asked_for_where_they_are_named(house: Any) -> None:
    asked = {"model": "m", "rows": 5, "reasons": 3}
    with pytest.raises(RefusedError, match="no recipient of reason codes"):
        check_job(boosting(house), "score", asked, Usage(), house.now)
    explaining = house.contract(task={"kind": "boosting"}, outputs=outputs("score", "reason_codes"))
    check_job(explaining, "score", asked, Usage(), house.now)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_signers_are_told_what_trees_show(house: Any, lang: str) -> None:
    warnings = explain(boosting(house, min_leaf_rows=77), lang).warnings
    assert any("77" in warning for warning in warnings)
    assert len(warnings) == len(explain(house.contract(), lang).warnings) + 5
    with_own = explain(boosting(house, min_leaf_rows=77, own_trees=2), lang).warnings
    assert len(with_own) == len(warnings) - 1
    assert not any("own_trees" in warning for warning in with_own)
    few_trees = explain(boosting(house, min_leaf_rows=77, n_estimators=1, max_depth=1), lang).warnings
    assert set(few_trees) == {warning for warning in warnings if "32000" not in warning}
    assert len(few_trees) == len(warnings) - 1
    sampled = explain(boosting(house, top_rate=0.2, other_rate=0.1), lang).warnings
    assert any("top_rate" in warning for warning in sampled)


@pytest.mark.parametrize(("lang", "words"), [("en", "steps of about a point"), ("zh", "原因代码")])
def test_signers_are_told_what_reason_codes_take(house: Any, lang: str, words: str) -> None:
    forms = {True: ("score", "reason_codes"), False: ("score",)}
    task = {"kind": "boosting"}
    warned = {
        explains: [
            warning
            for warning in explain(house.contract(task=task, outputs=outputs(*names)), lang).warnings
            if words in warning
        ]
        for explains, names in forms.items()
    }
    assert (len(warned[True]), warned[False]) == (1, [])


def test_two_parties_are_not_told_of_parts_that_trees_have_not(house: Any) -> None:
    draft = house.draft("tax", task={"kind": "boosting"})
    del draft["parties"]["tax"]["columns"]["tax_b"]
    warnings = explain(house.contract_of(draft)).warnings
    assert not any("its own part" in warning for warning in warnings)
    assert any("all its splits are of that column" in warning for warning in warnings)


def test_a_policy_s_minimum_of_rows_holds_for_leaves(house: Any) -> None:
    contract = boosting(house, min_leaf_rows=30)
    assert policy_reasons(Policy(minimum_bin_rows=30), contract, "tax", house.now) == []
    assert policy_reasons(Policy(minimum_bin_rows=31), contract, "tax", house.now) == [
        "the minimum of 30 rows in a leaf is below our 31"
    ]


def weighted(house: Any, party: str, *columns: str, kind: str = "boosting") -> Contract:
    draft = house.draft(task={"kind": kind})
    draft["parties"][party]["columns"] |= dict.fromkeys(columns, "weight")
    return house.contract_of(draft)  # type: ignore[no-any-return]


def test_the_label_holder_may_name_one_weight_column(house: Any) -> None:
    contract = weighted(house, "bank", "w")
    assert contract.parties["bank"].columns_for("weight") == ("w",)
    assert contract.features_of("bank") == ("bank_a", "bank_b")
    assert parse_contract(canonical_bytes(contract)) == contract
    for party, columns in (("tax", ("w",)), ("bank", ("w", "v"))):
        with pytest.raises(ConfigError, match="only the label holder may name a weight column, and one"):
            weighted(house, party, *columns)


def test_weights_need_larger_leaves(house: Any) -> None:
    """They make gradients differ by more bits, so that fewer sets of rows have the same sums."""
    draft = house.draft(task={"kind": "boosting", "params": {"min_leaf_rows": 29}})
    draft["parties"]["bank"]["columns"]["w"] = "weight"
    with pytest.raises(
        RefusedError, match="with a weight column boosted trees need min_leaf_rows of at least 30"
    ):
        house.contract_of(draft)
    draft["task"]["params"]["min_leaf_rows"] = 30
    assert house.contract_of(draft)


@pytest.mark.parametrize("kind", ["logistic", "scorecard"])
def test_regressions_refuse_weights(house: Any, kind: str) -> None:
    with pytest.raises(RefusedError, match=f"a {kind} task uses no weights"):
        weighted(house, "bank", "w", kind=kind)
