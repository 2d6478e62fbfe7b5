"""Points of bins: they add up to the model's log-odds within rounding."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.scoring.points import PointScale
from saferoom.scoring.scorecard import PointsTable, largest_rounding


def test_points_add_up_to_the_log_odds_within_rounding() -> None:
    rng = np.random.default_rng(0)
    woe = [rng.normal(size=bins) for bins in (3, 6, 2, 5)]
    coefficients, intercept, scale = rng.normal(-0.8, 0.3, 4), -2.1, PointScale()
    codes = np.column_stack([rng.integers(0, len(each), 500) for each in woe])
    logits = intercept + sum(
        c * each[codes[:, j]] for j, (each, c) in enumerate(zip(woe, coefficients, strict=True))
    )
    table = PointsTable.of(woe, coefficients, intercept, scale)
    exact = scale.offset - scale.factor * logits
    assert np.abs(table.part(codes) - exact).max() <= largest_rounding(4)


def test_parts_of_two_parties_are_the_whole() -> None:
    woe, coefficients, scale = (
        [np.array([0.5, -0.5]), np.array([1.0, -2.0])],
        np.array([-1.0, -0.4]),
        PointScale(),
    )
    codes = np.array([[0, 1], [1, 0]])
    whole = PointsTable.of(woe, coefficients, -1.0, scale)
    bank = PointsTable.of(woe[:1], coefficients[:1], -1.0, scale)
    tax = PointsTable.of(woe[1:], coefficients[1:], None, scale)
    assert tax.base == 0
    assert (bank.part(codes[:, :1]) + tax.part(codes[:, 1:])).tolist() == whole.part(codes).tolist()


def test_better_bins_give_more_points_and_nothing_is_lost_in_the_best() -> None:
    table = PointsTable.of([np.array([-1.0, 0.0, 1.5])], np.array([-1.0]), 0.0, PointScale(pdo=20))
    assert table.features[0].tolist() == sorted(table.features[0].tolist())
    assert table.lost(np.array([[0], [2]])).tolist() == [[int(np.ptp(table.features[0]))], [0]]


def test_a_party_without_features_gives_the_base_points() -> None:
    table = PointsTable.of([], np.zeros(0), np.log(1 / 20), PointScale())
    assert table.part(np.zeros((3, 0), dtype=np.int64)).tolist() == [600] * 3
    assert table.base == pytest.approx(600)
