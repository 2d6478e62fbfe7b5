"""Private square matrices, one a party, each acting on that party's own block of a shared vector.

Used for the ridge penalty in whitened coordinates, which depends on the party's own data. The arithmetic
is that of `private_matrix`; the results are put one after the other instead of added up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferoom.arrays import U64, Words
from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.joint_columns import ColumnLayout
from saferoom.protocols.private_matrix import OpenedToOwners, without_owners
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.ring.matrix import matvec
from saferoom.sharing.values import Masked, Share


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Squares:
    """blocks[p] (w, w) uint64: the own one in the clear, the others masked. At the dealer: the masks."""

    layout: ColumnLayout
    blocks: dict[str, Words]
    frac_bits: int


@dataclass(frozen=True, slots=True)
class SquareProducts(Correlation):
    """A_i·(b_i - b_i^i) for every i, one after the other: (d,).

    Masks: the matrices A_i; b less every owner's share of its own block, (d,).
    A party gives its view of the matrices (P_i at i, P_i - A_i elsewhere), and its share of b, whose own
    block does not count.
    """

    columns: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.columns,)

    def value(self, squares: Squares, others: Words) -> Words:
        return _blockwise(squares, others)


def mask_squares(
    session: Session, randomness: Randomness, label: str, layout: ColumnLayout, own: U64, frac_bits: int
) -> Squares:
    """Send the own matrix, masked, to the others and take theirs.

    Shapes:   own (w, w) -> Squares.
    Rounds:   1.  Sends: 8·w² bytes to each other party.
    Reveals:  P - A to all parties; uniform.
    Assumes:  semi-honest.
    Source:   `private_matrix`.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    blocks: dict[str, Words] = {session.me: own}
    with session.scope(label):
        masked = own - randomness.mask("mask", own.shape)
        session.broadcast("square", Masked(masked, frac_bits))
        for peer in session.peers:
            width = layout.widths[peer]
            blocks[peer] = session.hear_one(peer, "square", (width, width))
    return Squares(layout, blocks, frac_bits)


def deal_squares(
    dealer: Dealer, session: Session, label: str, layout: ColumnLayout, frac_bits: int
) -> Squares:
    """Dealer's side of `mask_squares`.

    Shapes:   -> Squares holding the masks.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `mask_squares`.
    Source:   `private_matrix`.
    Raises:   MaskReuseError.
    """
    with session.scope(label):
        blocks = {p: dealer.mask_of(p, "mask", (w, w)) for p, w in layout.widths.items()}
    return Squares(layout, blocks, frac_bits)


def apply_squares(
    session: Session, randomness: Randomness, label: str, squares: Squares, u: OpenedToOwners
) -> Share:
    """P_i·u_i for every i, one after the other.

    Shapes:   u (d,) at scale f -> Share (d,) at scale f + squares.frac_bits.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  semi-honest.
    Source:   `private_matrix`.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    with session.scope(label):
        out = _blockwise(squares, u.words)
        out += randomness.take("product", SquareProducts(len(out)), squares, u.words)
    return Share(out, u.frac_bits + squares.frac_bits)


def deal_apply_squares(
    dealer: Dealer, session: Session, label: str, squares: Squares, masks: list[Words]
) -> None:
    """Dealer's side of `apply_squares`; `masks` of `deal_to_owners`.

    Shapes:   masks (d,).
    Rounds:   0.  Sends: 8·d bytes to one party.
    Reveals:  nothing.
    Assumes:  as `apply_squares`.
    Source:   `private_matrix`.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        others = without_owners(squares.layout, masks)
        dealer.deal("product", SquareProducts(squares.layout.columns), squares, others)


def _blockwise(squares: Squares, vector: Words) -> Words:
    layout = squares.layout
    return np.concatenate([matvec(squares.blocks[p], vector[layout.span(p)]) for p in layout.widths])
