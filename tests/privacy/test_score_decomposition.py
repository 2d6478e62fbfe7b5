"""Exact scores give away the columns that they are made of; what is released does not, as far as it says.

The attacks are in `tests/score_attacks.py`. They also show what rounding does *not* do: an attacker that
knows the model's weights still learns a good deal. Each party counts that before it takes part.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Session
from saferoom.kinds.score_step import USUAL_STEP
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.scoring.points import logit_from_pd, pd_from_logit
from tests.score_attacks import by_rates, decompose, informed, recovered, whole_numbers
from tests.waiting import LIMIT_S

PARTIES = ("bank", "tax", "power")
ROWS = 20_000
EXACT = 2.0**-32
SIX_DIGITS = 3e-4
"""In log-odds: six digits of a PD above 0.2 % are as exact as that."""
NO_BETTER = 0.06
"""Any cut of a score is a little better than the rate, for the columns that weigh most."""


class Room:
    """Yes/no columns, four at the tax office and the others at the power company; the bank's own part.

    The bank knows how its own part was rounded: here it needs no rounding at all.
    """

    def __init__(self, columns: int = 8, seed: int = 5) -> None:
        rng = np.random.default_rng(seed)
        self.columns = rng.random((ROWS, columns)) < rng.uniform(0.25, 0.75, columns)
        self.weights = rng.uniform(0.15, 1.2, columns) * rng.choice([-1, 1], columns)
        self.own = np.rint(rng.normal(0, 1, ROWS) / USUAL_STEP) * USUAL_STEP

    @property
    def parts(self) -> dict[str, Any]:
        return {
            "bank": self.own,
            "tax": self.columns[:, :4] @ self.weights[:4],
            "power": self.columns[:, 4:] @ self.weights[4:],
        }

    def scores(self, step: float) -> Any:
        """What the bank is given, by the protocol, rounded to `step`."""
        return released(self.parts, step)

    def rest(self, step: float) -> Any:
        """What the bank has left when it takes its own part off."""
        return self.scores(step) - self.own


def released(parts: dict[str, Any], step: float) -> Any:
    network = MemoryNetwork()

    def role(name: str) -> Any:
        s = Session(network.endpoint(name), PARTIES, timeout_s=LIMIT_S)
        return masked_sum(s, parts[name], "bank", PairwisePads.agree(s), step=step)

    return run_together({name: partial(role, name) for name in PARTIES}, network)["bank"]


@pytest.fixture(scope="module")
def room() -> Room:
    return Room()


def test_exact_scores_give_away_every_column_of_every_enterprise(room: Room) -> None:
    guessed = decompose(room.rest(EXACT), 8)
    assert recovered(room.columns, guessed).tolist() == [1.0] * 8


def test_released_scores_do_not(room: Room) -> None:
    guessed = decompose(room.rest(USUAL_STEP), 8)
    assert (recovered(room.columns, guessed) - by_rates(room.columns)).mean() < NO_BETTER
    assert not (guessed[:, :, None] == room.columns[:, None, :]).all(axis=0).any()


def test_every_released_score_is_a_multiple_of_the_step_and_right_on_the_average(room: Room) -> None:
    scores, exact = room.scores(USUAL_STEP), sum(room.parts.values())
    assert np.array_equal(scores, np.rint(scores / USUAL_STEP) * USUAL_STEP)
    off = (scores - exact) / USUAL_STEP
    assert np.abs(off).max() < 3
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(ROWS)


def test_six_digits_of_pd_give_away_as_much_as_scores_where_these_are_exact() -> None:
    """The variant from `scores.csv`: the recipient turns written probabilities back into scores."""
    room = Room(columns=5)

    def found(step: float) -> Any:
        rest = logit_from_pd(np.round(pd_from_logit(room.scores(step)), 6)) - room.own
        return recovered(room.columns, decompose(rest, 5, same=SIX_DIGITS))

    assert (found(EXACT) > 0.999).all()
    assert (found(USUAL_STEP) - by_rates(room.columns)).mean() < 2 * NO_BETTER  # fewer, so each weighs more


def test_whole_number_columns_fall_to_a_lattice_search_only_where_scores_are_exact() -> None:
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 6, (40, 2))
    counts[0] = 0
    weights = np.array([0.1734, 0.4391])
    parts = {"bank": rng.normal(size=40), "tax": counts @ weights, "power": np.zeros(40)}

    def found(step: float) -> Any:
        return whole_numbers(released(parts, step) - parts["bank"], 5, exact=1e-7)

    assert sorted(found(EXACT)) == pytest.approx(sorted(weights), abs=1e-6)
    assert found(USUAL_STEP) is None


@pytest.mark.parametrize(
    ("step", "least", "most"), [(USUAL_STEP, 0.8, 0.95), (0.25, 0.65, 0.8), (1.0, 0.6, 0.75)]
)
def test_an_attacker_that_knows_the_weights_is_held_off_by_coarser_steps_alone(
    room: Room, step: float, least: float, most: float
) -> None:
    """Whoever signs should know: at the usual step most of eight strong columns can still be guessed."""
    rounded = {**room.parts, "bank": np.zeros(ROWS)}
    rest = released(rounded, step)
    parts = [(room.columns[:, :4], room.weights[:4]), (room.columns[:, 4:], room.weights[4:])]
    right = (informed(rest, parts, step) == room.columns).mean()
    assert least < right < most
    assert right > by_rates(room.columns).mean()
