"""Quarter against quarter: migration, alerts, and enterprises that stand in one list only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.errors import ConfigError, UsageError
from saferoom.scoring.monitoring import AlertRules, Quarter, compare_quarters


def quarter(rows: dict[str, tuple[int, int]]) -> Quarter:
    """id -> (points, grade)."""
    points, grades = zip(*rows.values(), strict=True)
    return Quarter(np.array([id_.encode() for id_ in rows]), np.array(points), np.array(grades))


BEFORE = {"a": (700, 0), "b": (650, 1), "c": (600, 2), "d": (690, 0), "gone": (500, 3)}
NOW = {"c": (640, 1), "a": (560, 2), "new": (610, 2), "b": (589, 1), "d": (690, 0)}


def test_movement_counts_whom_both_lists_hold() -> None:
    moved = compare_quarters(quarter(BEFORE), quarter(NOW), 4, AlertRules(2, 60))
    assert (moved.common, moved.left, moved.joined) == (4, 1, 1)
    assert (moved.better, moved.worse) == (1, 1)
    assert moved.migration.tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_alerts_name_who_fell_too_far_worst_first() -> None:
    alerts = compare_quarters(quarter(BEFORE), quarter(NOW), 4, AlertRules(2, 60)).alerts
    assert alerts.ids.tolist() == [b"a", b"b"]
    assert alerts.by_grade.tolist() == [True, False]
    assert alerts.by_points.tolist() == [True, True]
    assert (alerts.points_before - alerts.points_now).tolist() == [140, 61]
    none = compare_quarters(quarter(BEFORE), quarter(NOW), 4, AlertRules(3, 140)).alerts
    assert len(none.ids) == 0


@pytest.mark.parametrize("rules", [{"fall": 0}, {"points": 0}])
def test_rules_that_would_alert_on_nothing_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        AlertRules(**rules)


def test_lists_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(UsageError, match="no enterprise stands in both"):
        compare_quarters(quarter(BEFORE), quarter({"x": (1, 0)}), 4, AlertRules())
    with pytest.raises(UsageError, match="twice"):
        Quarter(np.array([b"a", b"a"]), np.array([1, 2]), np.array([0, 0]))
