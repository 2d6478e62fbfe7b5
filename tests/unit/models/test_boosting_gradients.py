"""Gradients in fixed point, which rows count, and when to stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from saferoom.models.boosting.gradients import (
    EarlyStop,
    base_margin,
    is_as_agreed,
    probabilities,
    row_weights,
    sample,
    validation_rows,
)
from saferoom.models.boosting.nodes import layout_of
from saferoom.models.boosting.settings import FRAC_BITS, LARGEST_WEIGHT, WEIGHT_FRAC_BITS, BoostingSettings

UNIT = 1 << FRAC_BITS
ROWS = 1000


@pytest.fixture
def y() -> np.ndarray[Any, Any]:
    return (np.random.default_rng(1).random(ROWS) < 0.2).astype(np.float64)


@pytest.fixture
def margins() -> np.ndarray[Any, Any]:
    return (np.random.default_rng(2).normal(size=ROWS) * 2**WEIGHT_FRAC_BITS).astype(np.int64)


def drawn(tree: int, margins: Any, y: Any, usable: Any = None, **settings: Any) -> Any:
    chosen = BoostingSettings(**settings)
    everybody = np.ones(len(y), dtype=bool) if usable is None else usable
    return sample(tree, margins, y, row_weights(y, None, chosen), everybody, chosen)


def test_gradients_and_hessians_are_those_of_the_log_loss(y: Any, margins: Any) -> None:
    found = drawn(0, margins, y)
    chances = 1 / (1 + np.exp(-margins / 2**WEIGHT_FRAC_BITS))
    assert np.abs(found.sums[:, 0] / UNIT - (chances - y)).max() <= 0.5 / UNIT
    assert np.abs(found.sums[:, 1] / UNIT - chances * (1 - chances)).max() <= 1 / UNIT
    assert np.array_equal(found.sums[:, 2], y)
    assert found.summed.all()


def test_a_hessian_is_never_0() -> None:
    found = drawn(0, np.array([60 << WEIGHT_FRAC_BITS, -60 << WEIGHT_FRAC_BITS]), np.array([1.0, 0.0]))
    assert found.sums[:, 1].tolist() == [1, 1]


def test_the_base_margin_is_the_log_odds_of_all_rows(y: Any) -> None:
    base = base_margin(y, np.ones(ROWS))
    assert probabilities(np.array([base]))[0] == pytest.approx(y.mean(), abs=1e-6)
    weighted = base_margin(y, row_weights(y, None, BoostingSettings(scale_pos_weight=4.0)))
    assert weighted > base


def test_weights_multiply_gradients_and_hessians_alike(y: Any, margins: Any) -> None:
    settings = BoostingSettings(weighted=True, scale_pos_weight=2.0)
    weights = np.random.default_rng(3).uniform(0.5, LARGEST_WEIGHT, ROWS)
    counts = row_weights(y, weights, settings)
    assert np.array_equal(counts, weights * np.where(y == 1, 2.0, 1.0))
    everybody = np.ones(ROWS, dtype=bool)
    found = sample(0, margins, y, counts, everybody, settings).sums
    single = sample(0, margins, y, np.ones(ROWS), everybody, settings).sums
    assert np.abs(found[:, 0] - single[:, 0] * counts).max() <= counts.max()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scale_pos_weight": 9.0},
        {"weighted": True},
        {"top_rate": 0.1, "other_rate": 0.05},
        {"weighted": True, "scale_pos_weight": 3.0, "top_rate": 0.2, "other_rate": 0.1},
    ],
)
def test_a_slot_holds_the_sum_of_all_rows(settings: dict[str, Any], y: Any) -> None:
    """Also if every row has the largest gradient there is."""
    chosen = BoostingSettings(**settings)
    worst = np.full(ROWS, 60 << WEIGHT_FRAC_BITS)
    weights = row_weights(1 - y, np.full(ROWS, LARGEST_WEIGHT) if chosen.weighted else None, chosen)
    found = sample(0, worst, np.zeros(ROWS), weights, np.ones(ROWS, dtype=bool), chosen).sums
    layout = layout_of(ROWS, chosen)
    assert abs(int(found[:, 0].sum())) < 1 << (layout.gradient - 1)
    assert int(found[:, 1].sum()) < 1 << layout.hessian


def test_a_share_of_rows_is_drawn_anew_for_each_tree(y: Any, margins: Any) -> None:
    trees = [drawn(tree, margins, y, subsample=0.3).summed for tree in (0, 0, 1)]
    assert np.array_equal(trees[0], trees[1])
    assert not np.array_equal(trees[0], trees[2])
    assert abs(trees[0].mean() - 0.3) < 0.06
    left_out = drawn(0, margins, y, subsample=0.3).sums[~trees[0]]
    assert not left_out.any()


def test_the_draw_says_nothing_of_labels(y: Any, margins: Any) -> None:
    assert np.array_equal(
        drawn(3, margins, y, subsample=0.5).summed, drawn(3, -margins, 1 - y, subsample=0.5).summed
    )


def test_rows_by_gradient_are_the_largest_and_some_others_that_count_more(y: Any, margins: Any) -> None:
    usable = np.arange(ROWS) >= 100
    found = drawn(0, margins, y, usable, top_rate=0.2, other_rate=0.1)
    every = drawn(0, margins, y, usable)
    assert found.summed.sum() == 180 + 90
    assert not found.summed[~usable].any()
    large = np.argsort(-np.abs(every.sums[:, 0]), kind="stable")[:170]
    assert found.summed[large].all()
    factors = found.sums[found.summed, 0] / every.sums[found.summed, 0]
    assert np.isclose(factors, 1, rtol=1e-3).sum() == 180
    assert np.isclose(factors, 8, rtol=1e-3).sum() == 90


def test_validation_rows_are_the_share_that_was_asked_for() -> None:
    chosen = validation_rows(ROWS, BoostingSettings(validation_share=0.25, seed=7))
    assert chosen.sum() == 250
    assert np.array_equal(chosen, validation_rows(ROWS, BoostingSettings(validation_share=0.25, seed=7)))
    assert not np.array_equal(chosen, validation_rows(ROWS, BoostingSettings(validation_share=0.25, seed=8)))
    assert not validation_rows(ROWS, BoostingSettings()).any()


def test_a_few_rows_are_validation_rows_if_any_share_is_asked_for() -> None:
    assert validation_rows(30, BoostingSettings(validation_share=0.001)).sum() == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"subsample": 0.4},
        {"validation_share": 0.3},
        {"subsample": 0.4, "validation_share": 0.3},
        {"top_rate": 0.2, "other_rate": 0.1, "validation_share": 0.2},
        {"top_rate": 0.5, "other_rate": 0.5},
    ],
)
@pytest.mark.parametrize("tree", [0, 3])
def test_rows_that_are_drawn_are_those_that_all_agree_on(
    settings: dict[str, Any], tree: int, y: Any, margins: Any
) -> None:
    chosen = BoostingSettings(**settings)
    usable = ~validation_rows(ROWS, chosen)
    found = drawn(tree, margins, y, usable, **settings).summed
    assert is_as_agreed(tree, found, usable, chosen)
    one_less = found.copy()
    one_less[np.flatnonzero(found)[0]] = False
    assert not is_as_agreed(tree, one_less, usable, chosen)
    if settings.get("subsample", 1) < 1:
        assert not is_as_agreed(tree + 1, found, usable, chosen)


Y, ONES = np.array([0.0, 1.0]), np.ones(2)


def chances(loss: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Probabilities with this log loss."""
    right = np.exp(-loss)
    return np.array([1 - right, right])


def stopped_after(losses: list[float], rounds: int | None) -> tuple[int, int]:
    """How many trees were grown, and how many of them are kept."""
    stop = EarlyStop(BoostingSettings(early_stopping_rounds=rounds), Y, ONES)
    for grown, loss in enumerate(losses):
        if stop.now:
            return grown, stop.best(grown)
        stop.after(chances(loss))
    return len(losses), stop.best(len(losses))


@pytest.mark.parametrize(
    ("losses", "rounds", "expected"),
    [
        ([0.6, 0.5, 0.4, 0.3], 2, (4, 4)),
        ([0.6, 0.5, 0.55, 0.52, 0.1], 2, (4, 2)),
        ([0.6, 0.5, 0.55, 0.52, 0.1], 3, (5, 5)),
        ([0.6, 0.7, 0.8], 1, (2, 1)),
        ([0.6, 0.7, 0.8], None, (3, 3)),
        ([0.5, 0.5, 0.5], 1, (2, 1)),
    ],
)
def test_stops_when_rounds_brought_nothing(
    losses: list[float], rounds: int | None, expected: tuple[int, int]
) -> None:
    assert stopped_after(losses, rounds) == expected


def test_losses_are_weighted_log_losses() -> None:
    rng = np.random.default_rng(0)
    y, guessed, weights = (rng.random(50) < 0.4).astype(float), rng.uniform(0.01, 0.99, 50), rng.random(50)
    stop = EarlyStop(BoostingSettings(early_stopping_rounds=1), y, weights)
    stop.after(guessed)
    assert stop.losses == (pytest.approx(log_loss(y, guessed, sample_weight=weights)),)


def test_certainty_is_no_infinite_loss() -> None:
    stop = EarlyStop(BoostingSettings(early_stopping_rounds=1), Y, ONES)
    stop.after(np.array([1.0, 0.0]))
    assert np.isfinite(stop.losses).all()


def test_goes_on_from_losses_of_before() -> None:
    settings = BoostingSettings(early_stopping_rounds=2)
    stop = EarlyStop(settings, Y, ONES, losses=(0.3, 0.4, 0.5))
    assert stop.now
    assert stop.best(3) == 1
