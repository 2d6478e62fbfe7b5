"""Contracts whose terms nobody can carry out, or nobody should: outputs, assumptions, parameters."""

from __future__ import annotations

from tests.golden.drafts import THREE, outputs
from tests.golden.edits import Edits, one_each, together

_TO_BANK = {"to": "bank", "form": "score"}
_WITHOUT_TAX = ("bank", "utility")

_LOGISTIC = one_each(
    ("trust", "strict"),
    ("assumptions", []),
    ("assumptions", ["semi_honest_parties"]),
    ("assumptions", ["helper_does_not_collude"]),
    ("outputs", []),
    ("outputs", [_TO_BANK]),
    ("outputs/+", {"to": "bank", "form": "points"}),
    ("outputs/+", {"to": "bank", "form": "grade_only"}),
    ("outputs/+", {"to": "bank", "form": "reason_codes"}),
    ("outputs/+", {"to": "tax", "form": "reason_codes"}),
    ("outputs/+", {"to": "tax", "form": "splits"}),
    ("parties/bank/columns/w", "weight"),
    ("task/params", None),
    ("task/params/l1", 1),
    ("task/params/max_bins", 6),
    ("task/params/l2", -0.1),
    ("task/params/l2", 1e10),
    ("task/params/l2", "1.0"),
    ("task/params/l2", True),
    ("task/params/logit_range", 9),
)
_LOGISTIC_TOGETHER: dict[str, Edits] = {
    "coefficients alone": {"outputs": outputs("coefficients", THREE)},
    "no coefficients for tax": {"outputs": outputs("coefficients", _WITHOUT_TAX, score=["bank"])},
    "splits for coefficients": {"outputs": outputs("splits", THREE, score=["bank"])},
    "scoring without a recipient": {"uses": ["score_one"], "outputs": []},
    "grading without a recipient": {"uses": ["grade"], "outputs": []},
    "strict, and nothing accepted": {"trust": "strict", "assumptions": [], "outputs": []},
}
_SCORECARD = one_each(
    ("minimum_bin_rows", 9),
    ("outputs/+", {"to": "tax", "form": "reason_codes"}),
    ("outputs/+", {"to": "bank", "form": "grade_only"}),
    ("parties/bank/columns/w", "weight"),
    ("task/params/n_estimators", 3),
    ("task/params/pre_bins", 1),
    ("task/params/pre_bins", 101),
    ("task/params/pre_binning", "kmeans"),
    ("task/params/max_bins", 1),
    ("task/params/max_bins", 21),
    ("task/params/max_bins", 6.0),
    ("task/params/min_bin_share", 0.6),
    ("task/params/trend", "up"),
    ("task/params/min_iv", -1),
    ("task/params/max_vif", 1.4),
    ("task/params/max_vif", 501),
    ("task/params/drop_wrong_signs", 1),
    ("task/params/standard_errors", "yes"),
    ("task/params/base_points", 10_001),
    ("task/params/base_odds", 0),
    ("task/params/pdo", 0),
    ("task/params/scheme", "rsa"),
    ("task/params/key_bits", 1024),
)
_SCORECARD_TOGETHER: dict[str, Edits] = {
    "no points": {"outputs": outputs("coefficients", THREE, score=["bank"])},
    "no scores, and standard errors": {
        "outputs": outputs("coefficients", THREE, points=["bank"]),
        "task/params/standard_errors": True,
    },
    "splits for coefficients": {"outputs": outputs("splits", THREE, score=["bank"], points=["bank"])},
    "scoring without a recipient of points": {"uses": ["score_batch"], "outputs": [_TO_BANK]},
    "wrong parameters": {"task/params/pdo": 0, "task/params/max_bins": 1, "task/params/l1": 1},
}
_BOOSTING = one_each(
    ("outputs/+", {"to": "bank", "form": "points"}),
    ("outputs/+", {"to": "tax", "form": "reason_codes"}),
    ("task/params/l2", 1.0),
    ("task/params/n_estimators", 0),
    ("task/params/n_estimators", 1001),
    ("task/params/n_estimators", 10.0),
    ("task/params/max_depth", 11),
    ("task/params/learning_rate", 0),
    ("task/params/learning_rate", "0.3"),
    ("task/params/reg_lambda", -1),
    ("task/params/gamma", -0.5),
    ("task/params/min_child_weight", 1e7),
    ("task/params/subsample", 1.1),
    ("task/params/colsample_bytree", 0),
    ("task/params/max_bin", 1),
    ("task/params/max_bin", 257),
    ("task/params/scale_pos_weight", 0),
    ("task/params/early_stopping_rounds", 0),
    ("task/params/early_stopping_rounds", 3),
    ("task/params/validation_share", 0.6),
    ("task/params/validation_share", 0.1),
    ("task/params/top_rate", 1.0),
    ("task/params/top_rate", 0.2),
    ("task/params/other_rate", 0),
    ("task/params/other_rate", 0.2),
    ("task/params/own_trees", -1),
    ("task/params/own_trees", 3),
    ("task/params/min_leaf_rows", 19),
    ("task/params/min_leaf_rows", True),
    ("task/params/min_leaf_events", -1),
    ("task/params/seed", -1),
    ("task/params/scheme", "ckks"),
    ("task/params/key_bits", 1024),
    ("task/params/randomness", "short"),
)
_BOOSTING_TOGETHER: dict[str, Edits] = {
    "splits alone": {"outputs": outputs("splits", THREE)},
    "no splits for tax": {"outputs": outputs("splits", _WITHOUT_TAX, score=["bank"])},
    "coefficients for splits": {"outputs": outputs("coefficients", THREE, score=["bank"])},
    "a leaf's weight without bound": {"task/params/reg_lambda": 0, "task/params/min_child_weight": 0},
    "more than all rows": {"task/params/top_rate": 0.6, "task/params/other_rate": 0.5},
    "rows drawn twice": {
        "task/params/top_rate": 0.2,
        "task/params/other_rate": 0.1,
        "task/params/subsample": 0.5,
    },
    "own trees without own columns": {
        "task/params/own_trees": 1,
        "parties/bank/columns": {"uscc": "id", "default": "label"},
    },
    "weights and small leaves": {"parties/bank/columns/w": "weight", "task/params/min_leaf_rows": 29},
    "every rule of trees": {
        "task/params/min_leaf_rows": 0,
        "task/params/reg_lambda": 0,
        "task/params/min_child_weight": 0,
        "task/params/own_trees": 3,
        "task/params/early_stopping_rounds": 1,
        "task/params/top_rate": 0.9,
        "task/params/subsample": 0.5,
        "parties/bank/columns": {"uscc": "id", "default": "label", "w": "weight"},
    },
}

TERMS = {
    "logistic": together(_LOGISTIC, _LOGISTIC_TOGETHER),
    "scorecard": together(_SCORECARD, _SCORECARD_TOGETHER),
    "boosting": together(_BOOSTING, _BOOSTING_TOGETHER),
}
"""Of a contract of each kind among three parties."""
