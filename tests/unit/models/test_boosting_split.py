"""Gain and leaf weight of one split: XGBoost's."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost

from saferoom.models.boosting.settings import FRAC_BITS, WEIGHT_FRAC_BITS, BoostingSettings
from saferoom.models.boosting.split import NO_SPLIT, best_of, leaf_weight

UNIT = 1 << FRAC_BITS
I64 = np.int64


def sums(*rows: tuple[float, float, int]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array([(round(g * UNIT), round(h * UNIT), e) for g, h, e in rows], dtype=np.int64)


def table(seed: int, rows: int = 400) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 7, rows).astype(float)
    y = (rng.random(rows) < 0.15 + 0.1 * x).astype(float)
    return x, y


@pytest.mark.parametrize("reg_lambda", [0.0, 1.0, 7.5])
@pytest.mark.parametrize("min_child_weight", [0.0, 1.0, 25.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_stump_is_xgboost_s(reg_lambda: float, min_child_weight: float, seed: int) -> None:
    """Cut, gain and both leaf weights, from the same margin of 0."""
    x, y = table(seed)
    booster = xgboost.train(
        {
            "objective": "binary:logistic",
            "base_score": 0.5,
            "max_depth": 1,
            "eta": 0.3,
            "lambda": reg_lambda,
            "gamma": 0,
            "min_child_weight": min_child_weight,
            "tree_method": "exact",
            "nthread": 1,
        },
        xgboost.DMatrix(x[:, None], label=y),
        num_boost_round=1,
    )
    (dump,) = booster.get_dump(dump_format="json", with_stats=True)
    tree = json.loads(dump)

    settings = BoostingSettings(
        reg_lambda=reg_lambda, min_child_weight=min_child_weight, learning_rate=0.3, min_leaf_rows=10
    )
    rows = np.stack([(0.5 - y) * UNIT, np.full(len(y), 0.25 * UNIT), y], axis=1).astype(np.int64)
    left = np.array([rows[x <= cut].sum(axis=0) for cut in range(6)])
    node = rows.sum(axis=0)
    best = best_of(left, np.ones(6, dtype=bool), node, settings)
    assert best.tied == (int(np.ceil(tree["split_condition"])) - 1,)
    assert best.gain == pytest.approx(tree["gain"], rel=1e-5)
    by_node = {child["nodeid"]: child["leaf"] for child in tree["children"]}
    for child, total in (("yes", left[best.tied[0]]), ("no", node - left[best.tied[0]])):
        weight = leaf_weight(total, settings) / 2**WEIGHT_FRAC_BITS
        assert weight == pytest.approx(by_node[tree[child]], rel=1e-5)


SETTINGS = BoostingSettings(reg_lambda=1.0, min_child_weight=1.0)
NODE = sums((0.0, 20.0, 10))[0]


def test_the_highest_gain_wins_and_equal_ones_are_all_named() -> None:
    left = sums((1.0, 10.0, 5), (-4.0, 10.0, 5), (4.0, 10.0, 5), (2.0, 10.0, 5))
    best = best_of(left, np.ones(4, dtype=bool), NODE, SETTINGS)
    assert best.tied == (1, 2)
    assert best.gain == pytest.approx(16 / 11 * 2)


def test_candidates_that_are_not_kept_do_not_win() -> None:
    left = sums((1.0, 10.0, 5), (-4.0, 10.0, 5))
    assert best_of(left, np.array([True, False]), NODE, SETTINGS).tied == (0,)
    assert best_of(left, np.zeros(2, dtype=bool), NODE, SETTINGS) == NO_SPLIT
    assert best_of(left[:0], np.zeros(0, dtype=bool), NODE, SETTINGS) == NO_SPLIT


@pytest.mark.parametrize(
    ("settings", "left", "is_split"),
    [
        (BoostingSettings(min_child_weight=5.0), (4.0, 5.0, 5), True),
        (BoostingSettings(min_child_weight=5.1), (4.0, 5.0, 5), False),
        (BoostingSettings(min_child_weight=5.1), (4.0, 15.0, 5), False),
        (BoostingSettings(min_leaf_events=3), (4.0, 10.0, 3), True),
        (BoostingSettings(min_leaf_events=3), (4.0, 10.0, 2), False),
        (BoostingSettings(min_leaf_events=3), (4.0, 10.0, 8), False),
        (BoostingSettings(gamma=2.9), (4.0, 10.0, 5), True),
        (BoostingSettings(gamma=3.0), (4.0, 10.0, 5), False),
        (BoostingSettings(), (0.0, 10.0, 5), False),
        (BoostingSettings(min_child_weight=0.0), (0.0, 0.0, 0), False),
    ],
)
def test_minimums(settings: BoostingSettings, left: tuple[float, float, int], is_split: bool) -> None:
    found = best_of(sums(left), np.ones(1, dtype=bool), NODE, settings)
    assert bool(found.tied) is is_split


def test_leaf_weights_are_bounded_and_whole() -> None:
    settings = BoostingSettings(reg_lambda=0.0, learning_rate=1.0)
    assert leaf_weight(sums((-1000.0, 0.001, 1))[0], settings) == 1 << 28
    assert leaf_weight(sums((1000.0, 0.001, 1))[0], settings) == -(1 << 28)
    assert leaf_weight(sums((3.0, 5.0, 1))[0], settings) == round(-0.6 * 2**WEIGHT_FRAC_BITS)
