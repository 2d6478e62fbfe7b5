"""Cuts in whole units give the grades that the scheme itself gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.errors import ConfigError, UsageError
from saferoom.scoring.grade_cuts import (
    MOST_CREDIT,
    credit_of_logits,
    logit_grid,
    logit_thresholds,
    point_grid,
    point_thresholds,
)
from saferoom.scoring.grades import GradeScheme, scheme_from_dict
from saferoom.scoring.points import PointScale, logit_from_pd, pd_from_logit

SCALES = [PointScale(), PointScale(500.0, 15.5, 20.0), PointScale(0.0, 1.0, 300.0)]


def scheme(by: str, *cuts: float) -> GradeScheme:
    key = "up_to" if by == "pd" else "from"
    grades: list[dict[str, Any]] = [{"name": f"g{place}"} for place in range(len(cuts) + 1)]
    for grade, cut in zip(grades, cuts, strict=False):
        grade[key] = cut
    return scheme_from_dict({"scheme": "trial", "by": by, "grades": grades})


def places(credit: Any, thresholds: list[int]) -> Any:
    return (credit[:, None] < np.array(thresholds)[None, :]).sum(axis=1)


@pytest.mark.parametrize("scale", SCALES)
def test_whole_points_are_graded_alike(scale: PointScale) -> None:
    points = np.arange(-2_000, 2_000)
    pd = pd_from_logit(scale.logit(points))
    for one in (
        scheme("pd", 0.03, 0.08, 0.2),
        scheme("points", 620, 600.5, 599.5),
        scheme("pd", float(pd[2_010]), float(pd[1_990])),
    ):
        assert np.array_equal(places(points, point_thresholds(one, scale)), one.assign(pd, points))


@pytest.mark.parametrize("scale", SCALES)
def test_log_odds_are_graded_alike_but_next_to_a_cut(scale: PointScale) -> None:
    logits = np.random.default_rng(1).normal(-2, 3, 200_000)
    for one in (scheme("pd", 0.001, 0.08, 0.97), scheme("points", *scale.points([-5.0, 0.0, 2.0]).tolist())):
        found = places(credit_of_logits(logits), logit_thresholds(one, scale))
        other = found != one.assign(pd_from_logit(logits), scale.points(logits))
        assert other.mean() < 0.001
        shifted = one.assign(pd_from_logit(logits + 2.0**-18), scale.points(logits + 2.0**-18))
        back = one.assign(pd_from_logit(logits - 2.0**-18), scale.points(logits - 2.0**-18))
        assert ((found == shifted) | (found == back))[other].all()


def test_a_score_on_a_cut_has_the_better_grade() -> None:
    one = scheme("pd", 0.5)
    assert logit_thresholds(one, PointScale()) == [0]
    assert places(credit_of_logits(np.array([0.0, 2.0**-18])), [0]).tolist() == [0, 1]


@pytest.mark.parametrize("pd", np.linspace(0.001, 0.9, 40).tolist())
def test_a_score_on_any_cut_has_the_better_grade(pd: float) -> None:
    """Most cuts are no whole units of log-odds."""
    on_it = np.array([float(logit_from_pd(pd))])
    assert places(credit_of_logits(on_it), logit_thresholds(scheme("pd", pd), PointScale())) == [0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300, 1100.0, -1100.0])
def test_a_part_that_is_no_number_or_too_large_is_refused(wrong: float) -> None:
    with pytest.raises(UsageError, match="missing, or beyond ±1023 log-odds"):
        credit_of_logits(np.array([0.5, wrong]))


def test_cuts_beyond_all_scores_stay_within_what_is_compared() -> None:
    far = scheme("points", 1e9, -1e9)
    assert logit_thresholds(far, PointScale()) == [MOST_CREDIT, -MOST_CREDIT]
    assert point_thresholds(far, PointScale()) == [MOST_CREDIT, -MOST_CREDIT]


def test_target_shares_are_refused_with_a_remedy() -> None:
    shares = scheme_from_dict(
        {"scheme": "s", "by": "shares", "grades": [{"name": "A", "share": 0.5}, {"name": "B", "share": 0.5}]}
    )
    with pytest.raises(ConfigError) as raised:
        logit_thresholds(shares, PointScale())
    assert "by pd or by points" in raised.value.remedy


def test_grids_rise_and_fit() -> None:
    for grid in (logit_grid(), *(point_grid(scale) for scale in SCALES)):
        assert np.all(np.diff(grid) > 0)
        assert max(map(abs, grid)) < MOST_CREDIT
