"""The passes of joint logistic regression on shares, party side and dealer side next to each other.

    z = Σ Z_i·u_i  →  p = σ(z)  →  g = Σ Z_iᵀ(p - y) + penalty  →  u ← u - V·g,   V ≈ (ZᵀWZ + penalty)⁻¹
    on a public random subset

Sums are over rows, kept in units of 2**ceil(log2(rows)); V carries the inverse factor. Weights u stay shared
throughout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.channel.session import Session
from saferoom.models.logistic.plan import BLOCK_ROWS, NewtonStep, Plan, Scales
from saferoom.models.logistic.whitening import MOST_CURVATURE
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.inverse import Inversion, deal_inverse, open_inverse
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns
from saferoom.protocols.private_matrix import (
    backward,
    deal_backward,
    deal_forward,
    deal_to_owners,
    forward,
    open_to_owners,
)
from saferoom.protocols.products import deal_factor, deal_multiply, multiply, open_factor
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.sigmoid import SineSeries, as_turns, deal_sigmoid, open_sigmoid
from saferoom.protocols.squares import Squares, apply_squares, deal_apply_squares
from saferoom.protocols.truncation import deal_truncation, deal_widened_sum, open_truncated, open_widened_sum
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import encode, shifted_down
from saferoom.sharing.values import Share

# Fractional bits. WEIGHT_BITS <= 64 - feature bits - period bits, or Z·u would not be right mod the
# sigmoid's period.
CURVATURE_BITS = 16
FINE_CURVATURE_BITS = 17
INVERSE_BITS = 10
GRADIENT_BITS = 24
RATIO_BITS = 4
WEIGHT_BITS = INVERSE_BITS + GRADIENT_BITS + RATIO_BITS
PENALTY_BITS = 18
FINE_PENALTY_BITS = 26  # with many columns: those repeated across parties are told apart by the penalty alone
LIFTED_BITS = WEIGHT_BITS + PENALTY_BITS  # of mean gradients before truncation: they must stay below 2**6
ROW_WEIGHT_BITS = 14


def unit_bits(rows: int) -> int:
    """Sums over `rows` rows are kept in units of 2**unit_bits(rows)."""
    return math.ceil(math.log2(rows)) if rows > 1 else 0


def penalty_bits(plan: Plan) -> int:
    """Scale of the penalty matrices; together with that of the weights it is LIFTED_BITS."""
    return FINE_PENALTY_BITS if plan.acceleration else PENALTY_BITS


def curvature_bits(plan: Plan) -> int:
    """Scale of the matrix to be inverted: rounding errors of many columns add up."""
    return FINE_CURVATURE_BITS if plan.acceleration else CURVATURE_BITS


@dataclass(frozen=True, slots=True, eq=False)
class PartySide:
    """What a party's passes need: the conversation, the randomness, and what is public."""

    session: Session
    randomness: Randomness
    layout: ColumnLayout
    plan: Plan


@dataclass(frozen=True, slots=True, eq=False)
class DealerSide:
    """The same at the dealer."""

    session: Session
    dealer: Dealer
    layout: ColumnLayout
    plan: Plan


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaskedRows:
    """Rows under masks, with their scales, and the penalty's share in their gradient, in their units.

    labels: less one half, (n,) float64, at the label holder only. At the dealer the matrices are the masks.
    """

    columns: JointColumns
    scales: Scales
    penalty: Squares
    labels: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Preconditioner:
    """V, opened under a mask (at the dealer: the mask), in units of the rows it was made from."""

    factor: Any
    rows: int


def scores(side: PartySide, rows: MaskedRows, u: Share) -> tuple[Share, Share]:
    """Z·u for all rows, and the penalty's gradient P·u. One round."""
    s, randomness = side.session, side.randomness
    opened = open_to_owners(s, randomness, "weights", side.layout, u)
    z = forward(s, randomness, "scores", rows.columns, opened, u.frac_bits - rows.scales.weight_bits)
    return z, apply_squares(s, randomness, "penalty", rows.penalty, opened)


def deal_scores(side: DealerSide, rows: MaskedRows) -> None:
    s, dealer = side.session, side.dealer
    masks = deal_to_owners(dealer, s, "weights", side.layout)
    drop = LIFTED_BITS - rows.penalty.frac_bits - rows.scales.weight_bits
    deal_forward(dealer, s, "scores", rows.columns, masks, drop)
    deal_apply_squares(dealer, s, "penalty", rows.penalty, masks)


def gradient(side: PartySide, rows: MaskedRows, half: Share, penalty: Share) -> Share:
    """From σ(z) - 1/2 and P·u to the gradient of this row set in its units, at GRADIENT_BITS.

    Two rounds (narrow: three).
    """
    s, randomness, columns = side.session, side.randomness, rows.columns
    residual = half
    if rows.labels is not None:
        residual = half - Share(encode(rows.labels, half.frac_bits, columns.dtype), half.frac_bits)
    if columns.dtype == np.uint32:
        sums = backward(s, randomness, "gradient", columns, residual, BLOCK_ROWS)
        total = open_widened_sum(s, randomness, "widen", sums)
    else:
        total = backward(s, randomness, "gradient", columns, residual)
    lift = LIFTED_BITS - total.frac_bits - unit_bits(columns.rows)
    lifted = Share(total.value << np.uint64(lift), LIFTED_BITS) + penalty
    return open_truncated(s, randomness, "mean", lifted, LIFTED_BITS - GRADIENT_BITS)


def deal_gradient(side: DealerSide, rows: MaskedRows) -> None:
    s, dealer, d, columns = side.session, side.dealer, side.layout.columns, rows.columns
    if columns.dtype == np.uint32:
        deal_backward(dealer, s, "gradient", columns, BLOCK_ROWS)
        deal_widened_sum(dealer, s, "widen", (-(-columns.rows // BLOCK_ROWS), d))
    else:
        deal_backward(dealer, s, "gradient", columns)
    deal_truncation(dealer, s, "mean", (d,), LIFTED_BITS - GRADIENT_BITS)


def step(side: PartySide, v: Preconditioner, rows: int, g: Share, u: Share, stride: float = 1.0) -> Share:
    """u - stride·V·g at WEIGHT_BITS; the stride is public. One round."""
    s, randomness = side.session, side.randomness
    factor = open_factor(s, randomness, "step", g[:, None])
    move = multiply(s, randomness, "move", v.factor, factor)
    ratio = (v.rows / 2 ** unit_bits(v.rows)) / (rows / 2 ** unit_bits(rows))
    words = move.value[:, 0] * np.uint64(round(2**RATIO_BITS * ratio * stride))
    start = Share(u.value << np.uint64(WEIGHT_BITS - u.frac_bits), WEIGHT_BITS)
    return start - Share(words, move.frac_bits + RATIO_BITS)


def deal_step(side: DealerSide, v: Preconditioner) -> None:
    s, dealer = side.session, side.dealer
    factor = deal_factor(dealer, s, "step", (side.layout.columns, 1))
    deal_multiply(dealer, s, "move", v.factor, factor)


def curvature_pass(
    side: PartySide, rows: MaskedRows, ridge: NDArray[np.float64], plan_step: NewtonStep, u: Share
) -> tuple[Preconditioner, Share]:
    """A new V at u from the first rows, and the step that uses it.

    `ridge`: own block to be added to the mean curvature, plain: the penalty and what the rows lack.
    """
    s, randomness, plan = side.session, side.randomness, side.plan
    z, penalty = scores(side, rows, u)
    turns = as_turns(z, plan.subset_series.period_bits)
    half, slope = open_sigmoid(s, randomness, "sigmoid", turns, plan.subset_series, slope=True)
    if slope is None:
        raise RuntimeError
    v = _preconditioner(side, rows.columns.head(plan_step.rows), slope[: plan_step.rows], ridge, plan_step)
    return v, step(side, v, rows.columns.rows, gradient(side, rows, half, penalty), u)


def _preconditioner(
    side: PartySide, columns: JointColumns, slope: Share, ridge: NDArray[np.float64], plan_step: NewtonStep
) -> Preconditioner:
    s, randomness, rows = side.session, side.randomness, plan_step.rows
    drop = slope.frac_bits - ROW_WEIGHT_BITS
    damped = slope.value + encode(plan_step.damping, slope.frac_bits) if s.is_first else slope.value
    weights = Share(shifted_down(damped, drop, np.uint64), ROW_WEIGHT_BITS)
    gram = open_weighted_gram(s, randomness, "curvature", columns, weights, 64 - drop)
    return invert_curvature(side, gram, drop, ridge, rows, curvature_bound(side.layout, plan_step))


def invert_curvature(
    side: PartySide, gram: Share, drop: int, ridge: NDArray[np.float64], rows: int, bound: float
) -> Preconditioner:
    """V from the weighted cross-products (d, d) of `rows` rows, right mod 2**(64 - drop).

    `ridge`: own block to be added to the mean curvature, plain. `bound`: of the eigenvalues of the mean
    curvature in units of 2**unit_bits(rows).
    """
    s, randomness = side.session, side.randomness
    total = Share(gram.value << np.uint64(drop), gram.frac_bits + drop)
    span = side.layout.span(s.me)
    total.value[span, span] += encode(ridge * rows, total.frac_bits)
    scale = curvature_bits(side.plan)
    bits = total.frac_bits + unit_bits(rows) - scale
    matrix = Share(open_truncated(s, randomness, "mean curvature", total, bits).value, scale)
    inversion = Inversion(bound, side.plan.low, INVERSE_BITS)
    inverse = open_inverse(s, randomness, "inverse", matrix, inversion)
    return Preconditioner(open_factor(s, randomness, "inverse factor", inverse), rows)


def deal_inversion(side: DealerSide, total_bits: int, rows: int, bound: float) -> Preconditioner:
    """Dealer's side of `invert_curvature`, where the cross-products have scale `total_bits`."""
    s, dealer, d = side.session, side.dealer, side.layout.columns
    scale = curvature_bits(side.plan)
    deal_truncation(dealer, s, "mean curvature", (d, d), total_bits + unit_bits(rows) - scale)
    deal_inverse(dealer, s, "inverse", d, scale, Inversion(bound, side.plan.low, INVERSE_BITS))
    return Preconditioner(deal_factor(dealer, s, "inverse factor", (d, d)), rows)


def curvature_bound(layout: ColumnLayout, plan_step: NewtonStep) -> float:
    """No eigenvalue of the mean curvature is larger: k blocks, each at most MOST_CURVATURE."""
    blocks = sum(width > 0 for width in layout.widths.values())
    scale = plan_step.rows / 2 ** unit_bits(plan_step.rows)
    return float(MOST_CURVATURE * blocks * (1 + 4 * plan_step.damping) * scale)


def deal_curvature_pass(side: DealerSide, rows: MaskedRows, plan_step: NewtonStep) -> Preconditioner:
    s, dealer, plan = side.session, side.dealer, side.plan
    series, columns = plan.subset_series, rows.columns
    deal_scores(side, rows)
    deal_sigmoid(dealer, s, "sigmoid", columns.rows, series)
    slope_bits = series.slope_bits + series.dealt_bits
    drop = slope_bits - ROW_WEIGHT_BITS
    deal_weighted_gram(dealer, s, "curvature", columns.head(plan_step.rows), 64 - drop)
    total_bits = 2 * columns.frac_bits + slope_bits
    v = deal_inversion(side, total_bits, plan_step.rows, curvature_bound(side.layout, plan_step))
    deal_gradient(side, rows)
    deal_step(side, v)
    return v


def gradient_pass(
    side: PartySide, rows: MaskedRows, series: SineSeries, v: Preconditioner, u: Share, stride: float = 1.0
) -> Share:
    """One step with a V made before."""
    z, penalty = scores(side, rows, u)
    turns = as_turns(z, series.period_bits)
    half, _ = open_sigmoid(side.session, side.randomness, "sigmoid", turns, series)
    return step(side, v, rows.columns.rows, gradient(side, rows, half, penalty), u, stride)


def deal_gradient_pass(side: DealerSide, rows: MaskedRows, series: SineSeries, v: Preconditioner) -> None:
    deal_scores(side, rows)
    deal_sigmoid(side.dealer, side.session, "sigmoid", rows.columns.rows, series)
    deal_gradient(side, rows)
    deal_step(side, v)
