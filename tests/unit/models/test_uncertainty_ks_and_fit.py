"""KS intervals against resampling and by coverage; Hosmer–Lemeshow against its definition and its level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, ndtr
from scipy.stats import chi2, norm

from saferoom.models.metrics import ks
from saferoom.models.uncertainty.fit import hosmer_lemeshow
from saferoom.models.uncertainty.ks import ks_difference, ks_estimate, ks_estimate_of_counts


def draws(rng: np.random.Generator, rows: int) -> tuple[Any, Any, Any]:
    y = (rng.random(rows) < 0.15).astype(int)
    joint = rng.normal(size=rows) + 1.4 * y
    return y, ndtr(joint), ndtr(joint + rng.normal(size=rows))


def resampled(y: Any, *scores: Any) -> Any:
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, len(y), len(y)) for _ in range(300)]
    return [[ks(y[one], score[one]) for score in scores] for one in rows]


def test_an_interval_is_as_wide_as_resampling_makes_it() -> None:
    y, joint, alone = draws(np.random.default_rng(1), 3000)
    found, gained = ks_estimate(y, joint), ks_difference(y, joint, alone)
    assert found.value == pytest.approx(ks(y, joint))
    assert gained.value == pytest.approx(ks(y, joint) - ks(y, alone))
    again = np.array(resampled(y, joint, alone))
    assert (found.high - found.value) / 1.96 == pytest.approx(again[:, 0].std(), rel=0.2)
    assert (gained.high - gained.low) / 2 / 1.96 == pytest.approx((again[:, 0] - again[:, 1]).std(), rel=0.25)


def test_ks_intervals_hold_the_true_value_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    true = 2 * float(norm.cdf(0.7)) - 1
    found = [ks_estimate(*draws(rng, 2000)[:2]) for _ in range(500)]
    assert 0.89 < np.mean([one.low <= true <= one.high for one in found]) < 0.98


@pytest.mark.parametrize("defaults", [12, 40])
def test_ks_of_a_perfect_parting_has_room_below(defaults: int) -> None:
    y = np.repeat([0, 1], [40, defaults])
    found = ks_estimate(y, y * 0.5)
    assert (found.value, found.high) == (1.0, 1.0)
    # Newcombe (1998), method 10: both shares at their ends of Wilson's interval
    edges = [1.96**2 / (rows + 1.96**2) for rows in (defaults, 40)]
    assert found.low == pytest.approx(1 - np.hypot(*edges), abs=1e-3)
    of_grades = ks_estimate_of_counts([40, defaults], [0, defaults])
    assert of_grades.low == pytest.approx(found.low)


def test_ks_near_one_holds_the_true_value_with_few_defaults() -> None:
    """One in twenty defaults looks good, one in twenty good ones bad: the true KS is 0.9."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(300):
        y = np.repeat([0, 1], [300, 15])
        found.append(ks_estimate(y, np.where(rng.random(315) < 0.05, 1 - y, y) * 0.5 + 0.25))
    assert np.mean([one.low <= 0.9 <= one.high for one in found]) > 0.93


def test_ks_of_counts_is_that_of_the_grades() -> None:
    rows, events = np.array([400, 300, 200, 100]), np.array([8, 18, 30, 44])
    grades = np.repeat(np.arange(4), rows)
    y = np.concatenate([np.repeat([1, 0], [e, r - e]) for r, e in zip(rows, events, strict=True)])
    found, direct = ks_estimate_of_counts(rows, events), ks_estimate(y, grades / 4)
    assert (found.value, found.low, found.high) == pytest.approx(
        (direct.value, direct.low, direct.high), abs=0.003
    )


def test_the_same_rows_always_give_the_same_interval() -> None:
    y, joint, alone = draws(np.random.default_rng(4), 500)
    assert ks_estimate(y, joint) == ks_estimate(y, joint)
    assert ks_difference(y, joint, alone) == ks_difference(y, joint, alone)


def test_hosmer_and_lemeshow_by_hand() -> None:
    """Two groups of 100 at 10 % and 30 % with 15 and 28 defaults: (15−10)²/9 + (28−30)²/21."""
    y = np.concatenate([np.repeat([1, 0], [15, 85]), np.repeat([1, 0], [28, 72])])
    found = hosmer_lemeshow(y, np.repeat([0.1, 0.3], 100), fitted=False)
    assert found is not None
    assert found.statistic == pytest.approx(25 / 9 + 4 / 21)
    assert (found.groups, found.degrees) == (2, 2)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 2))


def test_right_probabilities_are_doubted_in_one_of_twenty_and_wrong_ones_always() -> None:
    rng = np.random.default_rng(3)
    doubted = []
    for _ in range(600):
        pd = expit(rng.normal(size=1000) - 2)
        found = hosmer_lemeshow(rng.random(1000) < pd, pd, fitted=False)
        assert found is not None
        doubted.append(found.p_value < 0.05)
    assert 0.025 < np.mean(doubted) < 0.08
    wrong = hosmer_lemeshow(rng.random(1000) < pd, expit(np.log(pd / (1 - pd)) + 0.6), fitted=False)
    assert wrong is not None
    assert wrong.p_value < 1e-4


@pytest.mark.parametrize("pd", [0.2, 0.0, 1.0])
def test_one_probability_for_all_has_no_test_on_training_rows(pd: float) -> None:
    y = np.repeat([1, 0], [20, 80])
    assert hosmer_lemeshow(y, np.full(100, pd), fitted=True) is None
