"""When boosting stops, and how many trees are kept."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from saferoom.models.boosting.early import EarlyStop
from saferoom.models.boosting.settings import BoostingSettings

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
