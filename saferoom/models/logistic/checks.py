"""Whether a fit has converged, measured on shares: all learn one bit.

A step V·g moves no coefficient, in its owner's units, by more than MOST_MOVED; and V inverts all of the
Hessian but less than a quarter of a direction, so that the step says how far there is to go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from saferoom.arrays import Bits
from saferoom.models.logistic.passes import DealerSide, PartySide
from saferoom.models.logistic.told_bits import hear_bit, tell_bit
from saferoom.models.logistic.whitening import Whitening
from saferoom.protocols.comparison import deal_below, in_units, share_below
from saferoom.protocols.dealing import DealingPace
from saferoom.protocols.private_matrix import deal_to_owners, open_to_owners
from saferoom.protocols.shared_bits import deal_any, share_any
from saferoom.protocols.squares import Squares, apply_squares, deal_apply_squares, deal_squares, mask_squares
from saferoom.ring.fixed import encode
from saferoom.sharing.values import Share

MOST_MOVED = 0.001

_TURN_BITS = 12
_MOVED_BITS, _LOST_BITS = 22, 14  # of the 30 that are compared
_LIMIT = round(MOST_MOVED * 2**_MOVED_BITS)  # the same number is _LIMIT / 2**_LOST_BITS of a direction


def mask_turns(side: PartySide, white: Whitening) -> Squares:
    """Each party's T, with which a move of its weights becomes one of its coefficients. One round."""
    turn = np.zeros((white.width, white.width))
    columns = white.turn.shape[1]
    turn[:columns, :columns] = white.turn
    turn[columns:, columns:] = 2.0  # the constant column
    words = encode(turn, _TURN_BITS)
    return mask_squares(side.session, side.randomness, "turns", side.layout, words, _TURN_BITS)


def deal_turns(side: DealerSide) -> Squares:
    """Dealer's side of `mask_turns`."""
    return deal_squares(side.dealer, side.session, "turns", side.layout, _TURN_BITS)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checking:
    """Whether a fit has converged. `turns`: of `mask_turns`."""

    side: PartySide
    turns: Squares

    def holds(self, moved: Share, lost: Share | None = None) -> bool:
        """Whether a move (d,) is small enough. `lost`: of the V that it was made with, if that matters."""
        s, randomness = self.side.session, self.side.randomness
        opened = open_to_owners(s, randomness, "moved", self.side.layout, moved)
        inside = apply_squares(s, randomness, "coefficients", self.turns, opened)
        numbers = [in_units(inside, _MOVED_BITS).value]
        if lost is not None:
            numbers.append(in_units(lost, _LOST_BITS).value)
        outside = _share_outside(self.side, "limits", Share(np.concatenate(numbers), _MOVED_BITS), _LIMIT)
        beyond = share_any(s, randomness, "any", outside)
        return tell_bit(s, "converged", beyond ^ np.uint8(s.is_first), kind="converged")

    def is_whole(self, lost: Share) -> bool:
        """Whether V inverts all of the Hessian: if it does not, no number of passes will do."""
        numbers = in_units(lost, _LOST_BITS)
        below = share_below(self.side.session, self.side.randomness, "lost", numbers, [_LIMIT + 1])[0]
        return tell_bit(self.side.session, "whole", below >> np.uint8(7), kind="converged")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DealtChecking:
    """Dealer's side of `Checking`."""

    side: DealerSide
    turns: Squares
    pace: DealingPace

    def deal(self, *, lost: bool) -> None:
        s, dealer, count = self.side.session, self.side.dealer, self.side.layout.columns + lost
        masks = deal_to_owners(dealer, s, "moved", self.side.layout)
        deal_apply_squares(dealer, s, "coefficients", self.turns, masks)
        deal_below(dealer, s, "limits", count, 2)
        deal_any(dealer, s, "any", math.ceil(count / 8))

    def held(self) -> bool:
        """What the first party tells."""
        return hear_bit(self.side.session, "converged")

    def was_whole(self) -> bool:
        """Dealer's side of `is_whole`."""
        deal_below(self.side.dealer, self.side.session, "lost", 1, 1)
        return hear_bit(self.side.session, "whole")


def _share_outside(side: PartySide, label: str, numbers: Share, limit: int) -> Bits:
    """Shares of one bit a number: whether it lies beyond ±limit."""
    s, rows = side.session, numbers.shape[0]
    below, under = share_below(s, side.randomness, label, numbers, [-limit, limit + 1])
    outside: Bits = below ^ under
    if s.is_first:
        outside = outside ^ np.packbits(np.ones(rows, dtype=np.uint8))
    return outside
