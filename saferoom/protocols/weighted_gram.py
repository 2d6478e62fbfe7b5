"""XᵀWX of a joint matrix with shared row weights W: the Hessian of the logistic loss.

1  e = w - b is opened.  w∘X_j = X_j∘(e + b^j) at j  +  D_j∘b^p at p  +  A_j∘(b - b^j) dealt
2  T_j = w∘X_j, masked by B_j, is opened to those parties i <= j that need it
3  X_iᵀT_j = X_iᵀ(e_Tj + B_j^i) at i  +  D_iᵀB_j^p at p  +  A_iᵀ(B_j - B_j^i) dealt,  for i <= j;
   the rest by symmetry
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferoom.arrays import U64, Words
from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.joint_columns import JointColumns
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.ring.matrix import matmul
from saferoom.sharing.values import MaskedShare, Share


@dataclass(frozen=True, slots=True)
class ScaledBlock(Correlation):
    """A_j∘(b - b^j), (rows, width): each row of the owner's mask times what the others hold of its weight's.

    Masks: A_j (rows, width); b less the owner's share, (rows,).
    A party gives its view of the block (X_j at the owner j, X_j - A_j elsewhere), and its share of b.
    """

    owner: str
    rows: int
    width: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows, self.width

    def value(self, block: Words, others: Words) -> Words:
        return np.asarray(block * others[:, None])


@dataclass(frozen=True, slots=True)
class GramBlock(Correlation):
    """A_iᵀ·(B_j - B_j^i), (height, width), right in the low `bits`.

    Masks: A_i (m, height); B_j less the owner's share, (m, width).
    A party gives its view of the block (X_i at the owner i, X_i - A_i elsewhere), and its share of B_j.
    """

    owner: str
    height: int
    width: int
    bits: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.height, self.width

    def value(self, block: Words, others: Words) -> Words:
        return matmul(block.T, others, self.bits)


def open_weighted_gram(
    session: Session, randomness: Randomness, label: str, columns: JointColumns, weights: Share, bits: int
) -> Share:
    """XᵀWX, right in the low `bits` of every word.

    Shapes:   columns (m, d) uint64 at scale f, weights (m,) at scale g mod 2**bits -> (d, d) at scale
              2f + g mod 2**bits.
    Rounds:   2.  Sends: 8·m bytes to each other party, and 8·m·width of every block j to the parties i <= j.
    Reveals:  w - b to all parties, w∘X_j - B_j to the parties i <= j; uniform.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    me, parties = session.me, session.parties
    with session.scope(label):
        mask = randomness.mask("weights", weights.shape)
        own = session.open("weights", MaskedShare(weights.value - mask, weights.frac_bits)) + mask
        masks: dict[str, Words] = {}
        masked: dict[str, Words] = {}
        for index, party in enumerate(parties):
            block = columns.blocks[party]
            part = block * (own if party == me else mask)[:, None]
            part += randomness.take(f"scaled/{party}", ScaledBlock(party, *block.shape), block, mask)
            masks[party] = randomness.mask(f"columns/{party}", block.shape)
            part -= masks[party]
            rest = MaskedShare(part, columns.frac_bits + weights.frac_bits)
            session.broadcast(f"columns/{party}", rest, among=parties[: index + 1])
            masked[party] = part
        start = parties.index(me)
        readable = {party: masked[party] + masks[party] for party in parties[start:]}
        for index, party in enumerate(parties[start:], start):
            for peer in session.peers:
                shape, readers = readable[party].shape, parties[: index + 1]
                readable[party] += session.hear_one(peer, f"columns/{party}", shape, among=readers)
        out = np.zeros((columns.layout.columns, columns.layout.columns), dtype=np.uint64)
        for index, right in enumerate(parties):
            for left in parties[: index + 1]:
                factor = readable[right] if left == me else masks[right]
                block = columns.blocks[left]
                part = matmul(block.T, factor, bits)
                piece = GramBlock(left, block.shape[1], factor.shape[1], bits)
                part += randomness.take(f"gram/{left}/{right}", piece, block, masks[right])
                _place(out, columns, left, right, part)
    return Share(out, 2 * columns.frac_bits + weights.frac_bits)


def deal_weighted_gram(
    dealer: Dealer, session: Session, label: str, columns: JointColumns, bits: int
) -> None:
    """Dealer's side of `open_weighted_gram`; `columns` holds the masks A.

    Shapes:   columns (m, d).
    Rounds:   0.  Sends: 8·m·d and 8·d² bytes, to parties by turns.
    Reveals:  nothing.
    Assumes:  as `open_weighted_gram`.
    Source:   as `open_weighted_gram`.
    Raises:   MaskReuseError, PeerError.
    """
    parties = dealer.parties
    with session.scope(label):
        weights = dealer.masks_of_others("weights", (columns.rows,))
        masks: dict[str, dict[str, Words]] = {}
        for party in parties:
            block = columns.blocks[party]
            dealer.deal(f"scaled/{party}", ScaledBlock(party, *block.shape), block, weights[party])
            masks[party] = dealer.masks_of_others(f"columns/{party}", block.shape)
        for index, right in enumerate(parties):
            for left in parties[: index + 1]:
                block, others = columns.blocks[left], masks[right][left]
                piece = GramBlock(left, block.shape[1], others.shape[1], bits)
                dealer.deal(f"gram/{left}/{right}", piece, block, others)


def _place(out: U64, columns: JointColumns, left: str, right: str, part: Words) -> None:
    rows, cols = columns.layout.span(left), columns.layout.span(right)
    out[rows, cols] = part
    if left != right:
        out[cols, rows] = part.T
