"""DeLong's variance against its published example and its definition; intervals that cover as they say."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from saferoom.models.uncertainty.auc import (
    auc_difference,
    auc_difference_of_counts,
    auc_estimate,
    auc_estimate_of_counts,
    delong,
    hanley_mcneil,
)
from saferoom.models.uncertainty.estimate import Z

# albumin, total protein, K-G score, popind: DeLong, DeLong, Clarke-Pearson (1988), the 49 complete cases
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
1.6 5.6 5 1   3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
4.3 7.0 4 1   3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
3.0 4.7 8 0   4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
3.2 5.1 5 1   2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
3.5 6.2 5 1   2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6 5 1
"""
TABLE = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
ALBUMIN, PROTEIN, SCORE, BENEFIT = TABLE[:, 0] / 10, TABLE[:, 1] / 10, 1 - TABLE[:, 2] / 10, TABLE[:, 3]


def test_the_published_example_of_delong() -> None:
    """As SAS/STAT's manual has it: areas, standard errors and contrasts with the K-G score."""
    found = delong(BENEFIT, SCORE, ALBUMIN, PROTEIN)
    assert found.aucs == pytest.approx([0.7258, 0.7366, 0.6478], abs=5e-5)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([0.1028, 0.0927, 0.1000], abs=5e-5)
    contrast = np.array([[-1, 1, 0], [-1, 0, 1]])
    differences = contrast @ found.aucs
    spread = contrast @ found.covariance @ contrast.T
    assert differences @ np.linalg.solve(spread, differences) == pytest.approx(2.5340, abs=5e-4)


def test_the_paired_test_of_the_published_example() -> None:
    found = auc_difference(BENEFIT, ALBUMIN, SCORE)
    assert found.value == pytest.approx(0.0108, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((-0.1761, 0.1976), abs=2e-4)
    assert found.p_value == pytest.approx(0.9102, abs=5e-4)


def slow_delong(y: Any, score: Any) -> float:
    """The variance by definition: every bad against every good."""
    bads, goods = score[y == 1], score[y == 0]
    wins = np.array([[(b > g) + 0.5 * (b == g) for g in goods] for b in bads])
    of_bads, of_goods = wins.mean(axis=1), wins.mean(axis=0)
    return float(np.var(of_bads, ddof=1) / len(bads) + np.var(of_goods, ddof=1) / len(goods))


@pytest.mark.parametrize(("seed", "steps"), list(product(range(4), (5, 1000))))
def test_midranks_give_the_variance_of_the_definition_with_ties_too(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.random(120) < 0.3
    score = np.round(np.clip(0.3 * y + rng.random(120) * 0.7, 0, 1) * steps) / steps
    found = delong(y, score)
    assert found.aucs[0] == pytest.approx(roc_auc_score(y, score))
    assert found.covariance[0, 0] == pytest.approx(slow_delong(y, score), rel=1e-9)


def draws(rng: np.random.Generator, rows: int, apart: float) -> tuple[Any, Any, Any]:
    """Labels, a joint score and a weaker one that goes with it; the joint one's AUC is known."""
    y = (rng.random(rows) < 0.1).astype(int)
    y[:2] = 0, 1
    joint = rng.normal(size=rows) + apart * y
    return y, ndtr(joint), ndtr(joint + rng.normal(size=rows))


@pytest.mark.parametrize("apart", [0.5, 1.5, 2.5])
def test_intervals_hold_the_true_auc_as_often_as_they_say(apart: float) -> None:
    rng = np.random.default_rng(7)
    true = float(ndtr(apart / 2**0.5))
    found = [auc_estimate(*draws(rng, 800, apart)[:2]) for _ in range(1000)]
    held = np.mean([one.low <= true <= one.high for one in found])
    assert 0.92 < held < 0.975


def test_the_paired_test_keeps_its_level_and_beats_unpaired_intervals() -> None:
    """Two scores with the same true AUC, correlated: a gain is claimed in one of twenty."""
    rng = np.random.default_rng(8)
    claims, widths = [], []
    for _ in range(1000):
        y, joint, _ = draws(rng, 400, 1.0)
        both = [ndtr(2 * np.sqrt(2) * (joint - 0.5) + rng.normal(size=400) * 0.5) for _ in range(2)]
        paired = auc_difference(y, *both)
        claims.append(paired.p_value < 0.05)
        widths.append(
            (paired.high - paired.low)
            / np.hypot(*(2 * Z * delong(y, s).covariance[0, 0] ** 0.5 for s in both))
        )
    assert 0.03 < np.mean(claims) < 0.07
    assert np.mean(widths) < 0.6


def test_hanley_and_mcneil_on_their_own_example() -> None:
    """Hanley, McNeil (1982): AUC 0.893, 51 abnormal and 58 normal images, standard error 0.0325."""
    assert hanley_mcneil(0.893, 51, 58) ** 0.5 == pytest.approx(0.0325, abs=5e-5)


def test_an_auc_without_scores_has_an_interval_near_delongs() -> None:
    y, joint, alone = draws(np.random.default_rng(3), 4000, 1.2)
    exact = auc_estimate(y, joint)
    rough = auc_estimate_of_counts(exact.value, int(y.sum()), int((1 - y).sum()))
    assert (rough.low, rough.high) == pytest.approx((exact.low, exact.high), abs=0.01)
    assert rough.method == "hanley_mcneil"
    paired, unpaired = auc_difference(y, joint, alone), auc_difference_of_counts(exact.value, y, alone)
    assert unpaired.value == pytest.approx(paired.value)
    assert unpaired.high - unpaired.low > paired.high - paired.low
    assert unpaired.method == "independent"


def test_perfect_and_constant_scores() -> None:
    y = np.array([0] * 40 + [1] * 10)
    perfect = auc_estimate(y, y * 0.5)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0.65 < perfect.low < 0.8  # of ten defaults none lay among the good: no more is known
    constant = auc_estimate(y, np.full(50, 0.2))
    assert (constant.low, constant.value, constant.high) == (0.5, 0.5, 0.5)
    same = auc_difference(y, y * 0.5, y * 0.5)
    assert (same.value, same.p_value) == (0.0, 1.0)
    one_event = auc_estimate(np.array([0] * 20 + [1]), np.linspace(0, 0.9, 21)[::-1])
    assert one_event.low <= one_event.value <= one_event.high


def test_a_gain_that_no_row_contradicts_is_not_certain() -> None:
    """Every default above, or every one below: DeLong's variance is 0, and few rows prove little."""
    y = np.array([0] * 40 + [1] * 12)
    perfect, reverse = y * 0.5, (1 - y) * 0.5
    few, many = auc_difference(y[-15:], perfect[-15:], reverse[-15:]), auc_difference(y, perfect, reverse)
    assert (many.value, many.high) == (1.0, 1.0)
    assert 0 < many.p_value < 1e-4 and many.low < 0.8
    assert few.low < many.low  # three good rows


@pytest.mark.parametrize("defaults", [1, 2])
def test_one_or_two_defaults_prove_no_gain(defaults: int) -> None:
    """Two scores without worth: a gain is claimed in at most one of ten, not in most."""
    rng = np.random.default_rng(defaults)
    y = np.array([1] * defaults + [0] * 60)
    found = [auc_difference(y, rng.random(len(y)), rng.random(len(y))) for _ in range(300)]
    limit = {1: 0.10, 2: 0.45}[defaults]  # a variance from two rows is itself a guess; no report judges it
    assert np.mean([one.p_value < 0.05 for one in found]) < limit


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    y, joint, alone = draws(np.random.default_rng(4), 1_000_000, 1.0)
    assert auc_difference(y, joint, alone).p_value < 1e-6
