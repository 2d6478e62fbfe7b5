"""Metrics against figures worked out by hand, and against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ShapeError, UsageError, VerificationError
from saferoom.models.metrics import (
    calibration_line,
    calibration_table,
    ks,
    ks_points,
    lift_table,
    metrics_summary,
    roc_points,
)
from tests.property import examples

Y = np.array([0, 0, 1, 0, 1, 1])
PD = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.9])


def sample(rows: int = 20_000, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    pd = 1 / (1 + np.exp(-rng.normal(-2, 1.2, rows)))
    return (rng.random(rows) < pd).astype(np.int64), pd


def test_summary_of_six_rows_worked_out_by_hand() -> None:
    summary = metrics_summary(Y, PD)
    # 8 of the 9 pairs of a bad and a good are in the right order
    assert summary["auc"] == pytest.approx(8 / 9)
    assert summary["gini"] == pytest.approx(7 / 9)
    # above 0.5: two of three bads, no good; at 0.3: all bads, one of three goods
    assert summary["ks"] == pytest.approx(2 / 3)
    likelihood = 0.9 * 0.8 * 0.3 * 0.6 * 0.6 * 0.9
    assert summary["log_loss"] == pytest.approx(-np.log(likelihood) / 6)
    assert summary["brier"] == pytest.approx((0.01 + 0.04 + 0.49 + 0.16 + 0.16 + 0.01) / 6)
    assert all(type(value) is float for value in summary.values())


@examples(50)
@given(st.integers(0, 2**32 - 1))
def test_auc_and_ks_equal_their_definitions_also_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.append(rng.integers(0, 2, 40), [0, 1])
    pd = rng.integers(0, 8, 42) / 8
    bads, goods = pd[y == 1], pd[y == 0]
    pairs = (bads[:, None] > goods).mean() + (bads[:, None] == goods).mean() / 2
    distances = [abs((bads >= cut).mean() - (goods >= cut).mean()) for cut in np.unique(pd)]
    assert metrics_summary(y, pd)["auc"] == pytest.approx(pairs)
    signed = [(bads >= cut).mean() - (goods >= cut).mean() for cut in np.unique(pd)]
    assert ks(y, pd) == pytest.approx(max(*signed, 0))
    assert ks(y, pd) <= max(distances) + 1e-12


def test_curves_are_thin_start_and_end_in_the_corners_and_keep_the_ks() -> None:
    y, pd = sample()
    roc = roc_points(y, pd, points=100)
    assert len(roc.x) <= 101
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert np.all(np.diff(roc.x) >= 0)
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(metrics_summary(y, pd)["auc"], abs=2e-3)
    bads, goods = ks_points(y, pd, points=50)
    assert np.max(bads.y - goods.y) == pytest.approx(ks(y, pd))
    assert np.array_equal(bads.x, goods.x)
    # at x, the share of rows is the mixture of both classes' shares
    assert np.allclose(y.mean() * bads.y + (1 - y.mean()) * goods.y, bads.x)


def test_true_probabilities_are_calibrated_and_halved_ones_are_not() -> None:
    y, pd = sample(100_000)
    table = calibration_table(y, pd)
    assert sum(one.rows for one in table) == 100_000
    assert all(abs(one.mean_pd - one.default_rate) < 0.015 for one in table)
    intercept, slope = calibration_line(y, pd) or (np.nan, np.nan)
    assert intercept == pytest.approx(0, abs=0.05)
    assert slope == pytest.approx(1, abs=0.03)
    odds = pd / (1 - pd) / 2
    shifted, slope = calibration_line(y, odds / (1 + odds)) or (np.nan, np.nan)
    assert shifted == pytest.approx(np.log(2), abs=0.05)
    assert slope == pytest.approx(1, abs=0.03)


def test_probabilities_of_exactly_zero_and_one_keep_a_finite_calibration_line() -> None:
    assert np.all(np.isfinite(calibration_line([0, 1, 0, 1], [0.0, 1.0, 1.0, 0.0]) or (np.nan, np.nan)))


def test_predictions_that_are_all_the_same_have_no_calibration_line() -> None:
    assert calibration_line([0, 1, 0, 1], [0.2] * 4) is None


def test_lift_table_riskiest_first() -> None:
    table = lift_table(Y, PD, bins=3)
    assert [one.events for one in table] == [2, 1, 0]
    assert [one.lift for one in table] == pytest.approx([2, 1, 0])
    assert [one.capture for one in table] == pytest.approx([2 / 3, 1, 1])
    assert len(lift_table(Y, PD, bins=100)) == 6


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1, 1]])
def test_one_class_is_a_clear_error(y: list[int]) -> None:
    for measure in (
        metrics_summary,
        ks,
        roc_points,
        ks_points,
        calibration_table,
        calibration_line,
        lift_table,
    ):
        with pytest.raises(VerificationError, match="one class"):
            measure(y, [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("y", "pd", "error"),
    [
        ([0, 1], [0.1], ShapeError),
        ([[0, 1]], [[0.1, 0.2]], ShapeError),
        ([0, 2], [0.1, 0.2], UsageError),
        ([0, np.nan], [0.1, 0.2], UsageError),
        ([0, 1], [0.1, np.nan], UsageError),
        ([0, 1], [0.1, 1.2], UsageError),
    ],
)
def test_labels_and_probabilities_are_checked(y: Any, pd: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        metrics_summary(y, pd)
