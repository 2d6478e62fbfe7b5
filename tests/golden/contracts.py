"""The golden contracts, by name: every kind of task, and whatever makes a difference to who learns what."""

from __future__ import annotations

from functools import cache

from tests.conftest import ROOT
from tests.golden.drafts import (
    FOUR,
    NOW,
    THREE,
    TWO,
    Draft,
    bare,
    draft_of,
    outputs,
    stand_alone_witness,
    with_columns,
    with_consent,
)
from tests.golden.keys import public_keys
from tests.golden.names import Contract, draft_contract, read_yaml

EXAMPLES = ROOT / "configs" / "contracts"

_WITNESSINGS = {
    "unwitnessed": None,
    "an auditor as witness": {"quorum": 1, "keys": [stand_alone_witness("auditor.example")]},
    "nodes and an auditor as witnesses": {
        "quorum": 3,
        "witnesses": ["bank", "coordinator", "tax", "utility"],
        "keys": [stand_alone_witness("auditor.example")],
        "max_age_s": 3600,
    },
}
_EVERY_TREE_PARAMETER = {
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
_EVERY_CARD_PARAMETER = {
    "l2": 0.25,
    "logit_range": 8,
    "pre_bins": 30,
    "pre_binning": "tree",
    "max_bins": 8,
    "min_bin_share": 0.1,
    "trend": "monotone",
    "min_iv": 0.02,
    "max_vif": 10,
    "drop_wrong_signs": True,
    "standard_errors": True,
    "base_points": 500,
    "base_odds": 15.5,
    "pdo": 20,
    "scheme": "paillier",
    "key_bits": 2048,
}


def _logistic() -> dict[str, Draft]:
    scores_for = {"to": "tax", "form": "score"}
    return {
        "bare": bare("logistic"),
        "two": draft_of("logistic", TWO, {"l2": 0.5}),
        "three": draft_of("logistic", THREE, {"l2": 0.5, "logit_range": 16}),
        "four": draft_of("logistic", FOUR, {"l2": 2}),
        "no own features": with_columns(draft_of("logistic"), "bank", "bank_a", "bank_b", "split"),
        "a single column": with_columns(draft_of("logistic", TWO), "tax", "tax_b"),
        "scores to both": draft_of("logistic", TWO, outputs=outputs("coefficients", TWO, score=TWO)),
        "consent and versions": with_consent(draft_of("logistic")),
        "consent of one": with_consent(draft_of("logistic"), "tax"),
        "training only": draft_of("logistic", uses=["train"]),
        "scoring only": draft_of("logistic", uses=["score_batch"], outputs=[scores_for]),
        "single scores only": draft_of("logistic", TWO, uses=["score_one", "grade"]),
        "grading only": draft_of("logistic", uses=["grade"]),
        **{name: draft_of("logistic", witnessing=words) for name, words in _WITNESSINGS.items()},
    }


def _scorecard() -> dict[str, Draft]:
    reasons = {"score": ["bank"], "points": ["bank"], "reason_codes": ["bank"]}
    to_both = outputs("coefficients", TWO, score=["bank"], points=TWO, reason_codes=TWO)
    return {
        "bare": bare("scorecard"),
        "two": draft_of("scorecard", TWO),
        "three": draft_of("scorecard", THREE, {"max_bins": 5, "pdo": 20}),
        "max_vif": draft_of("scorecard", THREE, {"max_vif": 10}),
        "drop_wrong_signs": draft_of("scorecard", THREE, {"drop_wrong_signs": True}),
        "standard_errors": draft_of("scorecard", THREE, {"standard_errors": True}),
        "reason codes": draft_of("scorecard", outputs=outputs("coefficients", THREE, **reasons)),
        "points and reason codes to both": draft_of("scorecard", TWO, outputs=to_both),
        "every parameter": draft_of("scorecard", THREE, _EVERY_CARD_PARAMETER),
        "own minimums": draft_of("scorecard", TWO, minimum_bin_rows=10, minimum_bin_events=0),
        "no own features": with_columns(draft_of("scorecard"), "bank", "bank_a", "bank_b"),
        "a single column": with_consent(with_columns(draft_of("scorecard", TWO), "tax", "tax_a")),
        "training only": draft_of("scorecard", uses=["train"]),
        "scoring only": draft_of("scorecard", uses=["score_batch", "score_one"]),
        "unwitnessed": draft_of("scorecard", witnessing=None),
    }


def _boosting() -> dict[str, Draft]:
    few = {"n_estimators": 3, "max_depth": 2}
    reasons = outputs("splits", THREE, score=["bank"], reason_codes=["bank"])
    to_both = outputs("splits", TWO, score=TWO, reason_codes=["tax"])
    sampled = {"subsample": 0.8, "colsample_bytree": 0.5}
    return {
        "bare": bare("boosting"),
        "two": draft_of("boosting", TWO),
        "three": draft_of("boosting", THREE, few),
        "rows enough for the trees": draft_of("boosting", THREE, few, minimum_rows=120),
        "one row too few for the trees": draft_of("boosting", THREE, few, minimum_rows=119),
        "reason codes": draft_of("boosting", outputs=reasons),
        "reason codes to the other": draft_of("boosting", TWO, outputs=to_both),
        "weights": with_columns(draft_of("boosting", THREE, few), "bank", exposure="weight"),
        "own_trees": draft_of("boosting", THREE, {**few, "own_trees": 1}, minimum_rows=80),
        "largest gradients": draft_of("boosting", THREE, {"top_rate": 0.2, "other_rate": 0.1}),
        "sampled rows and columns": draft_of("boosting", THREE, sampled),
        "every parameter": draft_of("boosting", THREE, _EVERY_TREE_PARAMETER),
        "no own features": with_columns(draft_of("boosting"), "bank", "bank_a", "bank_b"),
        "a single column": with_columns(draft_of("boosting", TWO), "tax", "tax_b"),
        "consent and versions": with_consent(draft_of("boosting")),
        "training only": draft_of("boosting", uses=["train"]),
        "scoring only": draft_of("boosting", uses=["score_one"]),
        "unwitnessed": draft_of("boosting", witnessing=None),
    }


def _examples() -> dict[str, Draft]:
    return {path.stem: read_yaml(path, "draft") for path in sorted(EXAMPLES.glob("*.yaml"))}


DRAFTS = {
    f"{kind}/{name.replace(' ', '-')}": draft
    for kind, drafts in (("logistic", _logistic()), ("scorecard", _scorecard()), ("boosting", _boosting()))
    for name, draft in drafts.items()
} | {f"examples/{name}": draft for name, draft in _examples().items()}


@cache
def contract_of(name: str) -> Contract:
    """The contract that a draft becomes."""
    return draft_contract(DRAFTS[name], public_keys(), now=NOW)
