"""How much a rounded release shows of a part: known cases, exact by hand, and parts that repeat or do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.models.shown import MOST_ROWS, Shown, shown_by_grades, shown_by_part, shown_by_rows
from tests.property import examples

STEP = 2.0**-6


def yes_no(columns: int, rows: int = 20_000) -> np.ndarray:
    return (np.random.default_rng(0).random((rows, columns)) < 0.5).astype(np.float64)


def test_a_single_yes_no_column_is_one_bit_and_all_of_it_shows() -> None:
    part = np.tile([0.0, 0.5], 1000)
    found = shown_by_part(part, STEP)
    assert (found.rows, found.values) == (2000, 2)
    assert (found.holds, found.shows, found.share) == (1.0, pytest.approx(1.0), pytest.approx(1.0))
    assert found.tells_columns


def test_four_yes_no_columns_show_nearly_all_of_their_four_bits() -> None:
    found = shown_by_part(yes_no(4) @ np.array([0.31, 0.57, 0.83, 1.13]), STEP)
    assert found.values == 16
    assert found.holds == pytest.approx(4, abs=0.01)
    assert found.shows > 3.8
    assert found.tells_columns


def test_a_coarse_step_hides_what_a_fine_one_shows() -> None:
    part = yes_no(8) @ np.random.default_rng(1).uniform(0.1, 1, 8)
    shows = [shown_by_part(part, step).shows for step in (2.0**-32, STEP, 0.25, 1.0)]
    assert shows == sorted(shows, reverse=True)
    assert shows[0] == pytest.approx(8, abs=0.05)
    assert shows[-1] < 2
    assert not shown_by_part(part, 0.25).tells_columns


def test_a_value_halfway_between_two_steps_of_itself_shows_nothing() -> None:
    assert shown_by_part(np.full(100, STEP / 2), STEP).shows == pytest.approx(0)
    between = shown_by_part(np.tile([0.0, STEP / 2], 100), STEP)
    # R is 0 for certain, or 0 and 1 by a coin: H(3/4, 1/4) − 1/2.
    assert between.shows == pytest.approx(0.8113 - 0.5, abs=1e-3)


def test_normal_parts_show_what_the_formula_says_and_tell_no_columns() -> None:
    """H of a normal of one log-odds in steps of 1/64 is log2(√(2πe)·64) = 8.05; some of that is dither."""
    found = shown_by_part(np.random.default_rng(0).normal(size=50_000), STEP)
    assert 7.2 < found.shows < 8.05
    assert found.values == 50_000 and not found.tells_columns


def test_rows_bound_a_part_whose_weights_are_not_known() -> None:
    few, many = yes_no(4), np.random.default_rng(0).normal(size=(20_000, 3))
    bound = shown_by_rows(few, STEP, 16)
    assert bound.values == 16 and bound.shows == bound.holds == pytest.approx(4, abs=0.01)
    assert bound.shows >= shown_by_part(few @ np.array([0.3, 0.5, 0.8, 1.1]), STEP).shows
    assert shown_by_rows(many, STEP, 16).shows == pytest.approx(np.log2(1 + 32 / STEP))
    assert shown_by_rows(np.zeros((50, 0)), STEP, 16).shows == 0


def test_of_many_rows_some_stand_for_all() -> None:
    part = np.repeat(np.arange(8.0), MOST_ROWS)
    found = shown_by_part(part, 1.0)
    assert found.rows <= MOST_ROWS
    assert found.shows == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_or_one_shows_nothing(rows: int) -> None:
    found = shown_by_part(np.full(rows, 1.5), 1.0)
    assert (found.shows, found.tells_columns) == (0.0, False)


def test_grades_show_no_more_than_their_number() -> None:
    part = Shown(1000, 500, holds=8.9, shows=7.0)
    assert shown_by_grades(part, 4) == Shown(1000, 500, holds=8.9, shows=2.0)
    assert shown_by_grades(Shown(1000, 2, holds=1.0, shows=1.0), 4).shows == 1.0


@examples(50)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=60), st.sampled_from([2.0**-10, STEP, 0.5]))
def test_never_more_than_the_part_holds_and_never_less_than_nothing(values: list[float], step: float) -> None:
    found = shown_by_part(np.array(values), step)
    assert 0 <= found.shows <= found.holds + 1e-6
    assert 0 <= found.share <= 1
