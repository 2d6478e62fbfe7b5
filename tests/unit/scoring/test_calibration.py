"""Grade schemes cut to target default rates: rates are kept, ties are not parted, faults are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.errors import ConfigError, VerificationError
from saferoom.scoring.calibration import calibrate, check_grading, usual_targets
from saferoom.scoring.standard import standard_scheme
from tests.property import examples

Array = np.ndarray[Any, Any]
TARGETS = (0.02, 0.06, 0.15)


def scored(rows: int = 6000, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    pd = np.round(1 / (1 + np.exp(2.6 - 1.3 * rng.normal(size=rows))), 4)
    return pd, (rng.random(rows) < pd).astype(int)


@examples(30)
@given(seed=st.integers(0, 1000), minimum=st.integers(1, 300))
def test_each_grade_keeps_its_target_and_its_minimum(seed: int, minimum: int) -> None:
    pd, y = scored(seed=seed)
    try:
        found = calibrate(standard_scheme(), pd, y, TARGETS, minimum_rows=minimum)
    except VerificationError:
        return
    rates = [row.default_rate for row in found.table]
    assert all(rate is not None and rate <= t for rate, t in zip(rates, TARGETS, strict=False))
    assert rates == sorted(rates, key=lambda rate: rate or 0)
    assert min(row.rows for row in found.table) >= minimum
    assert sum(row.rows for row in found.table) == len(pd)


def test_rows_of_equal_probability_are_not_parted() -> None:
    pd, y = scored()
    found = calibrate(standard_scheme(), pd, y, TARGETS, minimum_rows=50)
    grades = found.scheme.assign(pd)
    assert all(len(set(grades[pd == value].tolist())) == 1 for value in np.unique(pd)[::37])
    assert found.scheme.names == standard_scheme().names
    assert found.scheme.by == "pd"


@pytest.mark.parametrize("targets", [(0.02, 0.06), (0.06, 0.02, 0.15), (0.0, 0.1, 0.2), (0.1, 0.1, 0.2)])
def test_targets_that_do_not_fit_are_refused(targets: tuple[float, ...]) -> None:
    pd, y = scored()
    with pytest.raises(ConfigError, match="target"):
        calibrate(standard_scheme(), pd, y, targets, minimum_rows=50)


@pytest.mark.parametrize(
    ("targets", "minimum", "match"),
    [
        ((0.0001, 0.06, 0.15), 500, "no rows fit grade A"),
        ((0.02, 0.06, 0.95), 50, "all remaining rows fit grade C"),
        ((0.02, 0.06, 0.15), 5900, "no rows fit grade A"),
    ],
)
def test_a_grade_that_cannot_be_filled_is_named(targets: tuple[float, ...], minimum: int, match: str) -> None:
    pd, y = scored()
    with pytest.raises(VerificationError, match=match):
        calibrate(standard_scheme(), pd, y, targets, minimum_rows=minimum)


def test_a_check_finds_reversed_and_small_grades() -> None:
    scheme = standard_scheme()
    pd = np.repeat([0.01, 0.05, 0.15, 0.6], [100, 100, 100, 5])
    y = np.zeros(305)
    y[:30] = 1
    check = check_grading(scheme, pd, np.zeros(305), y, minimum_rows=50)
    assert not check.ok
    assert next((one.better, one.worse) for one in check.reversals) == ("A", "B")
    assert check.too_small == ("D",)
    assert check_grading(scheme, pd[:300], np.zeros(300), None, minimum_rows=0).ok


def test_usual_targets_are_what_the_rows_can_be_calibrated_to() -> None:
    rng = np.random.default_rng(5)
    pd = np.clip(rng.beta(2, 5, 4000), 0.01, 0.99)
    y = (rng.random(4000) < pd).astype(int)
    targets = usual_targets(pd, y, 4)
    assert len(targets) == 3
    found = calibrate(standard_scheme(), pd, y, targets, minimum_rows=50)
    assert all(row.default_rate <= target for row, target in zip(found.table, targets, strict=False))
    assert usual_targets(pd, 1 - y, 4) == ()  # rates that do not rise
    assert usual_targets(pd[:3], y[:3], 4) == ()
