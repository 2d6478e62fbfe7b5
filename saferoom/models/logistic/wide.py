"""Joint logistic regression on many columns: one inverse, then accelerated passes with it.

Inverting a d × d Hessian on shares costs d³, so with hundreds of columns it is done once, for a matrix B that
is at least as large as every Hessian on the way: the logistic loss bends by at most ¼ a row.

    B = ZᵀZ·weight/m + penalty,   V ≈ B⁻¹
    a ← u + momentum·(u - u before),   u ← a - V·g(a)       momentum is public and grows from 0

Since V·H never exceeds one (1/0.85 where a subset lacks a direction), a pass cannot diverge, whatever the
weights. Directions that the penalty alone determines (columns repeated across parties) are in B as they are
in H, and converge like the others.

Source: Böhning and Lindsay 1988 (the bound); Nesterov 1983 (the momentum).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from saferoom.arrays import F64
from saferoom.models.logistic.checks import Checking, DealtChecking
from saferoom.models.logistic.passes import (
    INVERSE_BITS,
    SHORT_BITS,
    WEIGHT_BITS,
    DealerSide,
    MaskedRows,
    PartySide,
    Preconditioner,
    deal_gradient_pass,
    deal_inversion,
    gradient_pass,
    invert_curvature,
    step,
    unit_bits,
)
from saferoom.models.logistic.plan import MOMENTUM_BITS, Acceleration, Plan
from saferoom.models.logistic.whitening import MOST_CURVATURE
from saferoom.protocols.inverse import Inversion
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns
from saferoom.protocols.truncation import deal_truncation, open_truncated
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import encode
from saferoom.sharing.values import Share

Tick: TypeAlias = Callable[[], None]
Parts: TypeAlias = tuple[MaskedRows, MaskedRows]
"""The public subset, and all rows."""

_BOUND_WEIGHT_BITS = 8
_DROP = 8  # top bits left out of the products: 2**56 holds sums of 2**15 rows at 2·12 + 8 fractional bits
_AHEAD_DROP = WEIGHT_BITS + MOMENTUM_BITS - SHORT_BITS
_ROUNDING = 1.05


def fit_wide(
    checking: Checking, acceleration: Acceleration, rows: Parts, ridge: F64, u: Share, tick: Tick
) -> Share | None:
    """Weights (d,) from the start `u`, once a check has held; None if none did.

    `ridge`: own block of the penalty, plain. `tick()` is called after each pass.
    """
    side, (small, everything) = checking.side, rows
    with side.session.scope("bound"):
        v = _bound_preconditioner(side, small.columns, ridge, acceleration)
    reached = [u, u]
    for number, planned in enumerate(acceleration.passes):
        with side.session.scope(f"pass={number}"):
            ahead = _ahead(side, reached[-1], reached[-2], planned.momentum)
            reached.append(step(ahead, gradient_pass(side, everything, planned.series, v, ahead)))
        side.randomness.tell_pass()
        tick()
        if planned.window:
            with side.session.scope(f"check={number}"):
                if checking.holds(reached[-1] - reached[-1 - planned.window]):
                    return reached[-1]
    return None


def deal_fit_wide(checking: DealtChecking, acceleration: Acceleration, rows: Parts, tick: Tick) -> bool:
    """The dealer's side of `fit_wide`: whether a check held."""
    side, s, (small, everything) = checking.side, checking.side.session, rows
    with s.scope("bound"):
        v = _deal_bound_preconditioner(side, small.columns, acceleration)
    for number, planned in enumerate(acceleration.passes):
        checking.pace.wait()
        with s.scope(f"pass={number}"):
            deal_truncation(side.dealer, s, "ahead", (side.layout.columns,), _AHEAD_DROP)
            deal_gradient_pass(side, everything, planned.series, v, shorten=False)
        tick()
        if planned.window:
            with s.scope(f"check={number}"):
                checking.deal(lost=False)
            checking.pace.finish()
            with s.scope(f"check={number}"):
                if checking.held():
                    return True
    return False


def _ahead(side: PartySide, u: Share, before: Share, momentum: int) -> Share:
    """u + momentum/2**MOMENTUM_BITS·(u - before), at SHORT_BITS. One round."""
    words = (u.value << np.uint64(MOMENTUM_BITS)) + (u - before).value * np.uint64(momentum)
    lifted = Share(words, WEIGHT_BITS + MOMENTUM_BITS)
    return open_truncated(side.session, side.randomness, "ahead", lifted, _AHEAD_DROP)


def _bound_preconditioner(
    side: PartySide, columns: JointColumns, ridge: F64, acceleration: Acceleration
) -> Preconditioner:
    s = side.session
    weights = np.full(columns.rows, acceleration.weight if s.is_first else 0.0)
    shared = Share(encode(weights, _BOUND_WEIGHT_BITS), _BOUND_WEIGHT_BITS)
    gram = open_weighted_gram(s, side.randomness, "curvature", columns, shared, 64 - _DROP)
    wanted = _inversion(side.layout, side.plan, acceleration)
    return invert_curvature(side, gram, _DROP, ridge, columns.rows, wanted)


def _inversion(layout: ColumnLayout, plan: Plan, acceleration: Acceleration) -> Inversion:
    """No eigenvalue of B is larger than k blocks, each the identity but for a subset's deviation."""
    blocks = sum(width > 0 for width in layout.widths.values())
    block = 1.0 if plan.subset_rows == plan.rows else MOST_CURVATURE
    scale = plan.subset_rows / 2 ** unit_bits(plan.subset_rows)
    bound = float(_ROUNDING * block * blocks * 4 * acceleration.weight * scale)
    return Inversion(bound, acceleration.least / bound, INVERSE_BITS)


def _deal_bound_preconditioner(
    side: DealerSide, columns: JointColumns, acceleration: Acceleration
) -> Preconditioner:
    deal_weighted_gram(side.dealer, side.session, "curvature", columns, 64 - _DROP)
    total_bits = 2 * columns.frac_bits + _BOUND_WEIGHT_BITS + _DROP
    wanted = _inversion(side.layout, side.plan, acceleration)
    return deal_inversion(side, total_bits, columns.rows, wanted)
