"""The step to which scores are rounded before anybody learns them: a public term of every contract."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, StrictFloat, StrictInt

USUAL_STEP = 2.0**-6
MAX_BITS_SHOWN = 13.0
"""Where a policy names no other: at the usual step no score comes near, and much finer ones go beyond."""
SCORE_FORMS = ("score", "points")
FINEST_STEP, COARSEST_STEP = 2.0**-10, 1.0


def _power_of_two(step: float) -> float:
    if not FINEST_STEP <= step <= COARSEST_STEP or math.frexp(step)[0] != 0.5:
        raise ValueError(
            "must be 1, 0.5, 0.25, … , each half of the one before, down to 0.0009765625 (log-odds)"
        )
    return step


ScoreStep = Annotated[StrictFloat | StrictInt, AfterValidator(_power_of_two)]
"""In log-odds: a power of two from 1/1024 to 1."""


def points_step(step: float, factor: float) -> float:
    """The step of points that stands for one of log-odds, on a scale of `factor` points a unit of log-odds.

    The power of two that is nearest; points are whole, so it is at least 1.
    """
    return max(1.0, 2.0 ** round(math.log2(step * factor)))
