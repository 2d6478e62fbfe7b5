"""Counts, default rates, reversals and migration, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from saferoom.errors import ShapeError
from saferoom.scoring.grade_table import grade_table, migration, reversals, too_small

NAMES = ("A", "B", "C", "D")


def test_counts_rates_and_empty_grades() -> None:
    table = grade_table(NAMES, [0, 0, 1, 3], [0.01, 0.03, 0.05, 0.5], [0, 1, 0, 1])
    assert [row.rows for row in table] == [2, 1, 0, 1]
    assert [row.events for row in table] == [1, 0, 0, 1]
    assert [row.default_rate for row in table] == [0.5, 0.0, None, 1.0]
    assert table[0].mean_pd == pytest.approx(0.02)
    assert table[2].mean_pd is None
    assert sum(row.share for row in table) == 1


def test_without_labels_there_are_counts_only() -> None:
    table = grade_table(NAMES, [0, 1], [0.1, 0.2])
    assert [row.events for row in table] == [None] * 4
    assert reversals(table) == ()


def test_a_reversal_is_named_with_its_p_value() -> None:
    grades = np.repeat([0, 1, 3], [100, 100, 100])
    y = np.concatenate(
        [np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [10, 90]), np.repeat([1, 0], [30, 70])]
    )
    (found,) = reversals(grade_table(NAMES, grades, np.zeros(300), y))
    z = 0.1 / np.sqrt(0.15 * 0.85 * 0.02)
    assert (found.better, found.worse) == ("A", "B")
    assert found.p_value == pytest.approx(norm.sf(z))


def test_rising_rates_have_no_reversal_also_across_an_empty_grade() -> None:
    table = grade_table(NAMES, [0, 0, 2, 2, 3], [0.1] * 5, [0, 0, 0, 1, 1])
    assert reversals(table) == ()
    assert too_small(table, 2) == ("B", "D")


def test_migration_counts_rows_from_and_columns_to() -> None:
    assert migration([0, 0, 1, 2], [0, 1, 1, 0], 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_shapes_and_places_are_checked() -> None:
    with pytest.raises(ShapeError, match="one length"):
        grade_table(NAMES, [0, 1], [0.1])
    with pytest.raises(ShapeError, match="outside"):
        grade_table(NAMES, [4], [0.1])
    with pytest.raises(ShapeError, match="places"):
        grade_table(NAMES, [0.5], [0.1])
    with pytest.raises(ShapeError, match="same enterprises"):
        migration([0, 1], [0], 2)
