"""Joint scores, as shares: what training, evaluation and the intercept are made of."""

from __future__ import annotations

import numpy as np

from saferoom.models.logistic.passes import WEIGHT_BITS, DealerSide, PartySide
from saferoom.protocols.joint_columns import JointColumns
from saferoom.protocols.private_matrix import deal_forward, deal_to_owners, forward, open_to_owners
from saferoom.sharing.values import Share

SCORE_BITS = 55
"""Of joint scores: modulo 2**64 they hold ±256."""


def share_scores(side: PartySide, name: str, columns: JointColumns, u: Share) -> Share:
    """Z·u, (n,) uint64 at SCORE_BITS: shares that add up to nothing but that, modulo 2**64. One round."""
    s = side.session
    with s.scope(name):
        opened = open_to_owners(s, side.randomness, "weights", side.layout, u)
        z = forward(s, side.randomness, "scores", columns, opened, _drop(columns))
    # Products are right modulo less than 2**64. The bits above hold the features times the number of times
    # that the weights' shares wrapped: a second score that nobody may learn. They are shifted out.
    return Share(z.value.astype(np.uint64) << np.uint64(SCORE_BITS - z.frac_bits), SCORE_BITS)


def deal_scores_of(side: DealerSide, name: str, columns: JointColumns) -> None:
    """Dealer's side of `share_scores`."""
    with side.session.scope(name):
        masks = deal_to_owners(side.dealer, side.session, "weights", side.layout)
        deal_forward(side.dealer, side.session, "scores", columns, masks, _drop(columns))


def _drop(columns: JointColumns) -> int:
    """Bits of the weights left out, such that scores come out whole."""
    return WEIGHT_BITS - (15 if columns.dtype == np.uint32 else 20)
