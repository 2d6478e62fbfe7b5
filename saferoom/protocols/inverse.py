"""Inverse of a shared positive definite matrix by scaled Newton-Schulz steps, X <- μX(2I - μHX).

Starting at X = I/bound, the eigenvalues of HX lie in (0, 1]. A step maps e to μe(2 - μe). With μ = 2/(1 +
low) for eigenvalues known to lie in [low, 1], the interval becomes [1 - ((1-low)/(1+low))², 1]: small
eigenvalues grow fourfold a step instead of twofold. Eigenvalues below `low` also stay in (0, 1]: they are
inverted in part, which makes a preconditioner cautious, never unstable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import U64
from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.products import Factor, deal_factor, deal_multiply, multiply, open_factor
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.truncation import deal_truncation, open_truncated
from saferoom.ring.fixed import encode
from saferoom.sharing.values import Share

_FACTOR_BITS = 2
_GUESS_BITS = 12  # of X between steps: X is large where H is small, so it needs fewer of them than H


@dataclass(frozen=True, slots=True)
class Inversion:
    """Public: the largest eigenvalue there can be, the least one as a share of it, and the result's scale."""

    bound: float
    low: float
    result_bits: int

    def steps(self) -> list[tuple[float, int]]:
        """The factor of each step, and the scale of what comes of it."""
        factors = step_factors(self.low)
        return list(zip(factors, [_GUESS_BITS] * (len(factors) - 1) + [self.result_bits], strict=True))


def step_factors(low: float) -> tuple[float, ...]:
    """The public μ of each step for eigenvalues in [low, 1], 0 < low < 1, until they reach [0.98, 1];
    quarters."""
    factors = []
    while low < 0.98:
        exact = 2.0 / (1.0 + low)
        factor = np.floor(exact * 2**_FACTOR_BITS) / 2**_FACTOR_BITS
        factors.append(float(factor))
        low = min(factor * low * (2 - factor * low), factor * (2 - factor))
    return tuple(factors)


def open_inverse(
    session: Session, randomness: Randomness, label: str, matrix: Factor, inversion: Inversion
) -> Share:
    """Approximate inverse.

    Shapes:   matrix (d, d) at scale f, eigenvalues in (0, bound] -> (d, d) at scale result_bits.
    Rounds:   3·len(inversion.steps()).  Sends: 8·d² bytes to each other party and round.
    Reveals:  masked matrices to all parties; uniform.
    Assumes:  semi-honest; entries of the inverse below 2**(34 - f).
    Source:   Higham, Functions of Matrices, §7.3 and 8.3 (scaled Newton iteration).
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    identity = np.eye(len(matrix.opened))
    scaled_bits = _GUESS_BITS + _FACTOR_BITS
    inverse = _public(session, identity / inversion.bound, _GUESS_BITS)
    twice = _public(session, 2 * identity, matrix.frac_bits + scaled_bits)
    with session.scope(label):
        for number, (factor, out_bits) in enumerate(inversion.steps()):
            with session.scope(f"step={number}"):
                scaled = Share(inverse.value * np.uint64(factor * 2**_FACTOR_BITS), scaled_bits)
                guess = open_factor(session, randomness, "guess", scaled)
                rest = twice - multiply(session, randomness, "product", matrix, guess)
                closer = open_factor(session, randomness, "rest", rest)
                better = multiply(session, randomness, "better", guess, closer)
                inverse = open_truncated(session, randomness, "truncate", better, better.frac_bits - out_bits)
    return inverse


def _public(session: Session, values: NDArray[np.float64], frac_bits: int) -> Share:
    words = encode(values, frac_bits)
    return Share(words if session.is_first else np.zeros_like(words), frac_bits)


def deal_inverse(
    dealer: Dealer, session: Session, label: str, matrix: U64, frac_bits: int, inversion: Inversion
) -> None:
    """Dealer's side of `open_inverse`.

    Shapes:   the matrix's mask, (d, d), and its scale.
    Rounds:   0.  Sends: 32·d² bytes a step, to parties by turns.
    Reveals:  nothing.
    Assumes:  as `open_inverse`.
    Source:   as `open_inverse`.
    Raises:   MaskReuseError, PeerError.
    """
    shape = matrix.shape
    with session.scope(label):
        for number, (_, out_bits) in enumerate(inversion.steps()):
            with session.scope(f"step={number}"):
                guess = deal_factor(dealer, session, "guess", shape)
                deal_multiply(dealer, session, "product", matrix, guess)
                closer = deal_factor(dealer, session, "rest", shape)
                deal_multiply(dealer, session, "better", guess, closer)
                better_bits = frac_bits + 2 * (_GUESS_BITS + _FACTOR_BITS)
                deal_truncation(dealer, session, "truncate", shape, better_bits - out_bits)
