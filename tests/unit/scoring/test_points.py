"""Points against the textbook's example, and there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ConfigError
from saferoom.scoring.points import PointScale, logit_from_pd, pd_from_logit


def test_the_textbook_scale() -> None:
    """Siddiqi 2006, chapter 6: 600 at 30:1 and 20 to double give factor 28.8539 and offset 501.8622."""
    scale = PointScale(base_points=600, base_odds=30, pdo=20)
    assert scale.factor == pytest.approx(28.8539, abs=1e-4)
    assert scale.offset == pytest.approx(501.8622, abs=1e-4)


def test_base_odds_get_base_points_and_pdo_doubles_the_odds() -> None:
    scale = PointScale(base_points=600, base_odds=20, pdo=50)
    odds = np.array([20.0, 40.0, 10.0, 1.0])
    assert scale.points(-np.log(odds)).tolist() == [600, 650, 550, 384]


@given(st.floats(-30, 30))
def test_points_to_logit_and_back_within_half_a_point(logit: float) -> None:
    scale = PointScale()
    assert scale.logit(scale.points([logit]))[0] == pytest.approx(logit, abs=0.5001 / scale.factor)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_a_higher_default_risk_never_gets_more_points(one: float, two: float) -> None:
    low, high = PointScale().points([min(one, two), max(one, two)])
    assert low >= high


@given(st.floats(-20, 20))
def test_probability_and_logit_are_inverse(logit: float) -> None:
    assert logit_from_pd(pd_from_logit(logit)) == pytest.approx(logit, abs=1e-6)


def test_probability_at_the_ends_neither_overflows_nor_warns() -> None:
    with np.errstate(all="raise"):
        assert pd_from_logit([-1e4, 0.0, 1e4]).tolist() == [0.0, 0.5, 1.0]
    assert logit_from_pd([0.0, 1.0]).tolist() == [-np.inf, np.inf]


def test_settings() -> None:
    assert PointScale.from_dict({"pdo": 20}) == PointScale(pdo=20.0)
    assert PointScale.from_dict({}) == PointScale()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pdo": 0}, "above 0"),
        ({"base_odds": -1}, "above 0"),
        ({"base_points": float("nan")}, "finite"),
        ({"pdo": True}, "not a number"),
        ({"pdo": "20"}, "not a number"),
        ({"PDO": 20}, "unknown keys"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PointScale.from_dict(settings)
