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

from saferoom.arrays import Words
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
from saferoom.protocols.products import (
    deal_factor,
    deal_multiply,
    deal_multiply_each,
    multiply,
    multiply_each,
    open_factor,
)
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.sigmoid import SineSeries, as_turns, deal_sigmoid, open_sigmoid
from saferoom.protocols.squares import Squares, apply_squares, deal_apply_squares
from saferoom.protocols.truncation import deal_truncation, deal_widened_sum, open_truncated, open_widened_sum
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import encode, shifted_down
from saferoom.sharing.values import Share

# Fractional bits. WEIGHT_BITS <= 64 - feature bits - period bits, or Z·u would not be right mod the
# sigmoid's period.
CURVATURE_BITS = 20
INVERSE_BITS = 10
GRADIENT_BITS = 26
RATIO_BITS = 4
WEIGHT_BITS = INVERSE_BITS + GRADIENT_BITS + RATIO_BITS
PENALTY_BITS = 26  # many: columns repeated across parties are told apart by the penalty alone
SHORT_BITS = 32  # of weights in products
LIFTED_BITS = SHORT_BITS + PENALTY_BITS  # of mean gradients before truncation: they must stay below 2**4
ROW_WEIGHT_BITS = 11
GRAM_BITS = 57  # three limbs: sums of 24,000 rows at twice the features' scale and that of row weights
RESIDUAL_BITS = 15  # of residuals in 32-bit words


def unit_bits(rows: int) -> int:
    """Sums over `rows` rows are kept in units of 2**unit_bits(rows)."""
    return math.ceil(math.log2(rows)) if rows > 1 else 0


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


NONE_LOST = Share(np.zeros(1, dtype=np.uint64), INVERSE_BITS + CURVATURE_BITS)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Preconditioner:
    """V, opened under a mask (at the dealer: the mask), in units of the rows it was made from.

    lost: shares of how many directions of H it leaves out, d - tr(H·V); not at the dealer.
    """

    factor: Any
    rows: int
    lost: Share = NONE_LOST


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sigmoids:
    """What a pass has at weights u: σ(z) - 1/2 of all rows, its slope where it was wanted, and P·u."""

    half: Share
    slope: Share | None
    penalty: Share


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Move:
    """V·g, (d,), in units of `ratio`: V is in those of the rows that it was made from, g in those of all."""

    value: Share
    ratio: float

    def times(self, stride: float) -> Share:
        """At WEIGHT_BITS; the factor is public, and rounded to sixteenths. Local."""
        words = self.value.value * np.uint64(round(2**RATIO_BITS * self.ratio * stride))
        return Share(words, self.value.frac_bits + RATIO_BITS)


def scores(side: PartySide, rows: MaskedRows, u: Share) -> tuple[Share, Share]:
    """Z·u for all rows, and the penalty's gradient P·u, of weights at SHORT_BITS. One round."""
    s, randomness = side.session, side.randomness
    opened = open_to_owners(s, randomness, "weights", side.layout, u)
    z = forward(s, randomness, "scores", rows.columns, opened, u.frac_bits - rows.scales.weight_bits)
    return z, apply_squares(s, randomness, "penalty", rows.penalty, opened)


def deal_scores(side: DealerSide, rows: MaskedRows) -> None:
    s, dealer = side.session, side.dealer
    masks = deal_to_owners(dealer, s, "weights", side.layout)
    deal_forward(dealer, s, "scores", rows.columns, masks, SHORT_BITS - rows.scales.weight_bits)
    deal_apply_squares(dealer, s, "penalty", rows.penalty, masks)


def gradient(side: PartySide, rows: MaskedRows, found: Sigmoids) -> Share:
    """From σ(z) - 1/2 and P·u to the gradient of this row set in its units, at GRADIENT_BITS.

    Two rounds (narrow: three).
    """
    s, randomness, columns = side.session, side.randomness, rows.columns
    residual, half = found.half, found.half
    if rows.labels is not None:
        residual = half - Share(encode(rows.labels, half.frac_bits, half.value.dtype), half.frac_bits)
    if columns.dtype == np.uint32:
        residual = _narrowed(side, residual)
        sums = backward(s, randomness, "gradient", columns, residual, BLOCK_ROWS)
        total = open_widened_sum(s, randomness, "widen", sums)
    else:
        total = backward(s, randomness, "gradient", columns, residual)
    lift = LIFTED_BITS - total.frac_bits - unit_bits(columns.rows)
    lifted = Share(total.value << np.uint64(lift), LIFTED_BITS) + found.penalty
    return open_truncated(s, randomness, "mean", lifted, LIFTED_BITS - GRADIENT_BITS)


def _narrowed(side: PartySide, residual: Share) -> Share:
    """In words of 32 bits. Values of 64 are right modulo more than these hold: no carry is lost."""
    spare = residual.frac_bits - RESIDUAL_BITS
    if residual.value.dtype == np.uint32:
        return residual
    return Share(shifted_down(_balanced(side, residual.value, spare), spare, np.uint32), RESIDUAL_BITS)


def _balanced(side: PartySide, words: Words, drop: int) -> Words:
    """Before low bits are dropped, which takes half a unit off each party's share on average."""
    if not side.session.is_first:
        return words
    return np.asarray(words + np.asarray(len(side.session.parties) << (drop - 1), dtype=words.dtype))


def deal_gradient(side: DealerSide, rows: MaskedRows) -> None:
    s, dealer, d, columns = side.session, side.dealer, side.layout.columns, rows.columns
    if columns.dtype == np.uint32:
        deal_backward(dealer, s, "gradient", columns, BLOCK_ROWS)
        deal_widened_sum(dealer, s, "widen", (-(-columns.rows // BLOCK_ROWS), d))
    else:
        deal_backward(dealer, s, "gradient", columns)
    deal_truncation(dealer, s, "mean", (d,), LIFTED_BITS - GRADIENT_BITS)


def move(side: PartySide, v: Preconditioner, rows: int, g: Share) -> Move:
    """V·g of a gradient over so many rows. One round."""
    s, randomness = side.session, side.randomness
    factor = open_factor(s, randomness, "step", g[:, None])
    moved = multiply(s, randomness, "move", v.factor, factor)
    ratio = (v.rows / 2 ** unit_bits(v.rows)) / (rows / 2 ** unit_bits(rows))
    return Move(moved[:, 0], ratio)


def deal_move(side: DealerSide, v: Preconditioner) -> None:
    s, dealer = side.session, side.dealer
    factor = deal_factor(dealer, s, "step", (side.layout.columns, 1))
    deal_multiply(dealer, s, "move", v.factor, factor)


def step(u: Share, moved: Move, stride: float = 1.0) -> Share:
    """u - stride·V·g at WEIGHT_BITS; the stride is public. Local."""
    start = Share(u.value << np.uint64(WEIGHT_BITS - u.frac_bits), WEIGHT_BITS)
    return start - moved.times(stride)


def sigmoids(
    side: PartySide, rows: MaskedRows, series: SineSeries, u: Share, *, slope: bool = False
) -> Sigmoids:
    """Two rounds; one more if the weights are to be shortened first."""
    if u.frac_bits > SHORT_BITS:
        u = open_truncated(side.session, side.randomness, "short", u, u.frac_bits - SHORT_BITS)
    z, penalty = scores(side, rows, u)
    turns = as_turns(z, series.period_bits)
    half, steep = open_sigmoid(side.session, side.randomness, "sigmoid", turns, series, slope=slope)
    return Sigmoids(half, steep, penalty)


def deal_sigmoids(side: DealerSide, rows: MaskedRows, series: SineSeries, *, shorten: bool = True) -> None:
    if shorten:
        deal_truncation(side.dealer, side.session, "short", (side.layout.columns,), WEIGHT_BITS - SHORT_BITS)
    deal_scores(side, rows)
    deal_sigmoid(side.dealer, side.session, "sigmoid", rows.columns.rows, series)


def precondition(
    side: PartySide, columns: JointColumns, found: Sigmoids, ridge: NDArray[np.float64], planned: NewtonStep
) -> Preconditioner:
    """V at the weights of `found`, from the first rows.

    `ridge`: own block to be added to the mean curvature, plain: the penalty and what the rows lack.
    """
    if found.slope is None:
        raise RuntimeError
    s, randomness, rows = side.session, side.randomness, planned.rows
    slope = found.slope[:rows]
    damped = slope.value + encode(planned.damping, slope.frac_bits) if s.is_first else slope.value
    drop = slope.frac_bits - ROW_WEIGHT_BITS
    weights = open_truncated(s, randomness, "row weights", Share(damped, slope.frac_bits), drop)
    gram = open_weighted_gram(s, randomness, "curvature", columns.head(rows), weights, GRAM_BITS)
    return invert_curvature(side, gram, 64 - GRAM_BITS, ridge, rows, inversion(side.layout, planned))


def deal_precondition(
    side: DealerSide, columns: JointColumns, series: SineSeries, planned: NewtonStep
) -> Preconditioner:
    s, dealer, rows = side.session, side.dealer, columns.head(planned.rows)
    drop = series.slope_bits + series.dealt_bits - ROW_WEIGHT_BITS
    deal_truncation(dealer, s, "row weights", (planned.rows,), drop)
    deal_weighted_gram(dealer, s, "curvature", rows, GRAM_BITS)
    total_bits = 2 * columns.frac_bits + ROW_WEIGHT_BITS + 64 - GRAM_BITS
    return deal_inversion(side, total_bits, planned.rows, inversion(side.layout, planned))


def invert_curvature(
    side: PartySide, gram: Share, drop: int, ridge: NDArray[np.float64], rows: int, wanted: Inversion
) -> Preconditioner:
    """V from the weighted cross-products (d, d) of `rows` rows, right mod 2**(64 - drop).

    `ridge`: own block to be added to the mean curvature, plain. `wanted` is in units of 2**unit_bits(rows).
    """
    s, randomness = side.session, side.randomness
    total = Share(gram.value << np.uint64(drop), gram.frac_bits + drop)
    span = side.layout.span(s.me)
    total.value[span, span] += encode(ridge * rows, total.frac_bits)
    bits = total.frac_bits + unit_bits(rows) - CURVATURE_BITS
    mean = Share(open_truncated(s, randomness, "mean curvature", total, bits).value, CURVATURE_BITS)
    matrix = open_factor(s, randomness, "matrix", mean)
    inverse = open_inverse(s, randomness, "inverse", matrix, wanted)
    factor = open_factor(s, randomness, "inverse factor", inverse)
    both = multiply_each(s, randomness, "both", matrix, factor)  # as both are symmetric, their sum is a trace
    kept = np.negative(both.value.sum(dtype=np.uint64))
    if s.is_first:
        kept += np.uint64(len(mean.value) << both.frac_bits)
    return Preconditioner(factor, rows, Share(kept[None], both.frac_bits))


def deal_inversion(side: DealerSide, total_bits: int, rows: int, wanted: Inversion) -> Preconditioner:
    """Dealer's side of `invert_curvature`, where the cross-products have scale `total_bits`."""
    s, dealer, d = side.session, side.dealer, side.layout.columns
    deal_truncation(dealer, s, "mean curvature", (d, d), total_bits + unit_bits(rows) - CURVATURE_BITS)
    matrix = deal_factor(dealer, s, "matrix", (d, d))
    deal_inverse(dealer, s, "inverse", matrix, CURVATURE_BITS, wanted)
    factor = deal_factor(dealer, s, "inverse factor", (d, d))
    deal_multiply_each(dealer, s, "both", matrix, factor)
    return Preconditioner(factor, rows)


def inversion(layout: ColumnLayout, planned: NewtonStep) -> Inversion:
    """No eigenvalue of the mean curvature is larger than k blocks, each at most MOST_CURVATURE."""
    blocks = sum(width > 0 for width in layout.widths.values())
    scale = planned.rows / 2 ** unit_bits(planned.rows)
    bound = MOST_CURVATURE * blocks * (1 + 4 * planned.damping) * scale
    return Inversion(bound, planned.least / bound, INVERSE_BITS)


def curvature_pass(
    side: PartySide,
    rows: MaskedRows,
    series: SineSeries,
    ridge: NDArray[np.float64],
    planned: NewtonStep,
    u: Share,
) -> tuple[Preconditioner, Move]:
    """A new V at u from the first rows, and the move by it."""
    found = sigmoids(side, rows, series, u, slope=True)
    v = precondition(side, rows.columns, found, ridge, planned)
    return v, move(side, v, rows.columns.rows, gradient(side, rows, found))


def deal_curvature_pass(
    side: DealerSide, rows: MaskedRows, series: SineSeries, planned: NewtonStep
) -> Preconditioner:
    deal_sigmoids(side, rows, series)
    v = deal_precondition(side, rows.columns, series, planned)
    deal_gradient(side, rows)
    deal_move(side, v)
    return v


def renewal(
    side: PartySide,
    rows: MaskedRows,
    series: SineSeries,
    ridge: NDArray[np.float64],
    planned: NewtonStep,
    u: Share,
) -> Preconditioner:
    """A new V at u from the first rows, without a move."""
    found = sigmoids(side, rows, series, u, slope=True)
    return precondition(side, rows.columns, found, ridge, planned)


def deal_renewal(
    side: DealerSide, rows: MaskedRows, series: SineSeries, planned: NewtonStep
) -> Preconditioner:
    deal_sigmoids(side, rows, series)
    return deal_precondition(side, rows.columns, series, planned)


def gradient_pass(side: PartySide, rows: MaskedRows, series: SineSeries, v: Preconditioner, u: Share) -> Move:
    """The move by a V made before."""
    found = sigmoids(side, rows, series, u)
    return move(side, v, rows.columns.rows, gradient(side, rows, found))


def deal_gradient_pass(
    side: DealerSide, rows: MaskedRows, series: SineSeries, v: Preconditioner, *, shorten: bool = True
) -> None:
    deal_sigmoids(side, rows, series, shorten=shorten)
    deal_gradient(side, rows)
    deal_move(side, v)
