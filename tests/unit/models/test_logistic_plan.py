"""The public plan: strides, what many columns change, and that few columns are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.models.logistic.passes import LIFTED_BITS, RESIDUAL_BITS
from saferoom.models.logistic.plan import (
    MANY_COLUMNS,
    MOMENTUM_BITS,
    LogisticSettings,
    make_plan,
)

SIZES = [
    (50, 200),
    (3_000, 600),
    (10_001, 161),
    (20_000, 600),
    (100_000, 600),
    (5_000, 1_500),
    (10**6, 4_000),
]


@pytest.mark.parametrize("rows", [50, 5_000, 20_000, 60_000])
def test_few_columns_take_newton_steps(rows):
    plan = make_plan(rows, MANY_COLUMNS, LogisticSettings())
    assert all(stage.newton and stage.checked for stage in plan.stages)
    assert not plan.wide
    assert plan.parted == bool(plan.stages[0].full)


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_many_columns_take_one_inverse(rows, columns):
    plan = make_plan(rows, columns, LogisticSettings())
    assert plan == make_plan(rows, columns, LogisticSettings())
    assert not any(stage.newton or stage.full or stage.checked for stage in plan.stages)
    assert all(stage.acceleration.weight >= 0.25 for stage in plan.stages)
    assert plan.samples == ([plan.subset_rows] if plan.parted else [])
    checks = [number for number, one in enumerate(plan.stages[0].acceleration.passes, 1) if one.window]
    assert plan.passes == checks[0]
    assert plan.stages[0].checks == len(checks) == 5


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("reach", [None, 8, 16, 32])
def test_sums_of_gradients_have_room(rows, columns, reach):
    """Fractional bits of the summed gradient in its units; LIFTED_BITS before it is rounded."""
    plan = make_plan(rows, columns, LogisticSettings(logit_range=reach))
    bits = plan.scales.feature_bits + (rows - 1).bit_length()
    for stage in plan.stages:
        for planned in stage.acceleration.passes:
            narrowed = plan.scales.word_bits < planned.series.word_bits
            assert bits + (RESIDUAL_BITS if narrowed else planned.series.frac_bits) <= LIFTED_BITS


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_momentum_grows_and_stays_below_one(rows, columns):
    momenta = [p.momentum for p in make_plan(rows, columns, LogisticSettings()).stages[0].acceleration.passes]
    assert momenta[0] == 0
    assert momenta == sorted(momenta)
    assert momenta[-1] < 2**MOMENTUM_BITS


@pytest.mark.parametrize(("rows", "columns", "most"), [(20_000, 20, 0.003), (100_000, 61, 0.003)])
def test_strides_contract_every_direction(rows, columns, most):
    """An error along an eigenvalue e of V·H shrinks by 1 - stride·e in a pass; V comes from a subset."""
    ordinary = make_plan(rows, columns, LogisticSettings()).stages[0]
    strides = [planned.stride for planned in (*ordinary.full, ordinary.checked[0])]
    left = np.abs(np.cumprod([1 - stride * np.linspace(0.5, 1.4, 200) for stride in strides], axis=0))
    assert left[-1].max() < most
    assert left.max() < 1
    assert strides[0] == min(strides)
    assert strides[-1] < 1
