"""Joint regression on hard data: at the optimum, or a refusal in which nothing is released."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import ProtocolError
from saferoom.models.logistic import plan as logistic_plan
from saferoom.models.logistic.train import LogisticSettings
from tests.hard_data import WITHIN, Hard, grid, nearly_repeated, nearly_separable, optimum
from tests.logistic_room import Joint, play_logistic, synthetic


def off(joint: Joint, blocks, labels, l2=1.0):
    found = np.append(joint.coefficients, joint.intercept)
    return np.abs(found - optimum(blocks, labels, l2)).max()


def checks(joint: Joint) -> int:
    return len({d.step for d in joint.played.disclosures if (d.kind, d.to) == ("converged", "p0")})


@pytest.mark.parametrize("noise", [0.9, 0.6])
def test_separated_and_nearly_repeated_columns(noise):
    """Log-odds from -30 to 15, and two parties' columns with a correlation of 0.98."""
    blocks, labels = nearly_repeated(noise)
    joint = play_logistic(blocks, labels)
    assert off(joint, blocks, labels) < WITHIN
    assert checks(joint) > 3


@pytest.mark.parametrize("scale", [20.0, 1000.0])
def test_nearly_and_fully_separable(scale):
    """Scores up to 60 lie beyond the first range that is tried."""
    blocks, labels = nearly_separable(scale=scale)
    joint = play_logistic(blocks, labels)
    assert off(joint, blocks, labels) < WITHIN


@pytest.mark.parametrize(
    "case",
    [
        Hard(300, 3, 8.0, 0.98, 0.01),
        Hard(2_000, 5, 4.0, 1.0, 0.003),
        Hard(15_000, 2, 1.0, 0.9, 0.001),
        Hard(15_000, 2, 1.0, 1.0),
        Hard(15_000, 2, 4.0, 0.98, 0.001),
    ],
    ids=str,
)
def test_some_of_the_grid(case):
    blocks, labels = case.blocks()
    assert off(play_logistic(blocks, labels), blocks, labels) < WITHIN


def test_words_of_32_bits_give_way_to_longer_ones(monkeypatch):
    monkeypatch.setattr(logistic_plan, "LARGE_CELLS", 0)
    blocks, labels = Hard(51_000, 2, 4.0, 0.98, 0.001).blocks()
    joint = play_logistic(blocks, labels)
    assert off(joint, blocks, labels) < WITHIN
    assert any("stage=1" in d.step for d in joint.played.disclosures)


def test_ordinary_data_need_one_check():
    for rows in (600, 15_000):
        blocks, labels = synthetic(rows, [3, 4])
        assert checks(play_logistic(blocks, labels)) == 1


def test_a_column_of_two_parties_and_no_penalty_is_refused():
    """Neither owner can tell how much of the coefficient is its own; before, they got -110 and +111."""
    blocks, labels = synthetic(1_500, [3, 3])
    blocks[1] = np.hstack([blocks[1], blocks[0][:, :1]])
    revealed: list[str] = []

    def meddle(session):
        def reveal(*args, kind, **more):
            revealed.append(kind)
            raise AssertionError

        session.reveal = reveal

    with pytest.raises(ProtocolError, match="columns of different parties repeat each other") as error:
        play_logistic(blocks, labels, settings=LogisticSettings(l2=0.0), meddle=meddle)
    assert "another party holds too" in str(error.value)
    assert revealed == []


@pytest.mark.parametrize("repeat", ["a sum", "a whole group", "a constant"])
def test_own_columns_that_repeat_each_other_get_the_smallest_coefficients(repeat):
    blocks, labels = synthetic(2_000, [3, 3], seed=1)
    more = {
        "a sum": blocks[0][:, :1] + blocks[0][:, 1:2],
        "a whole group": np.eye(3)[np.arange(2_000) % 3],
        "a constant": np.full((2_000, 1), 3.0),
    }
    blocks[0] = np.hstack([blocks[0], more[repeat]])
    joint = play_logistic(blocks, labels, settings=LogisticSettings(l2=0.0))
    centred = np.hstack(blocks) - np.hstack(blocks).mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    basis = axes[sizes > 1e-8 * sizes[0]].T
    smallest = basis @ optimum([np.hstack(blocks) @ basis], labels, l2=0.0)[:-1]
    assert joint.coefficients == pytest.approx(smallest, abs=WITHIN)


@pytest.mark.slow
@pytest.mark.parametrize("case", grid((300, 5_000, 20_000))[::5], ids=str)
def test_the_grid(case):
    """Every fifth case; `scripts/convergence.py` goes through all, and through more rows."""
    blocks, labels = case.blocks()
    assert off(play_logistic(blocks, labels), blocks, labels) < WITHIN
