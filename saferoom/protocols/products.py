"""Products of shared matrices: open each factor once under a mask, then multiply as often as wanted.

    L·R = (E_L + A)(E_R + B) = E_L·E_R  +  E_L·B + A·E_R  +  A·B

E_L and E_R are opened, A and B are dealt masks, and of A·B shares are dealt.
"""

from __future__ import annotations

from dataclasses import dataclass

from saferoom.arrays import U64, Words
from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.ring.matrix import matmul
from saferoom.sharing.values import MaskedShare, Share


@dataclass(frozen=True, slots=True)
class MatrixProduct(Correlation):
    """A·B modulo 2**64, (rows, columns).

    Masks: A (rows, inner), B (inner, columns). A party gives its shares of both.
    """

    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows, self.columns

    def value(self, left: Words, right: Words) -> Words:
        return matmul(left, right)


@dataclass(frozen=True, slots=True)
class ElementProduct(Correlation):
    """a·b modulo 2**64, entry by entry.

    Masks: a and b, of one shape. A party gives its shares of both.
    """

    entries: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.entries

    def value(self, left: Words, right: Words) -> Words:
        return left * right


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Factor:
    """A shared matrix (a, b) ready to be multiplied: the opened E, and the own share of the mask."""

    opened: Words
    mask: Words
    frac_bits: int


def open_factor(session: Session, randomness: Randomness, label: str, share: Share) -> Factor:
    """Open a shared matrix under a fresh mask.

    Shapes:   (a, b) uint64 -> Factor.
    Rounds:   1.  Sends: 8·a·b bytes to each other party.
    Reveals:  share - mask to all parties; uniform.
    Assumes:  semi-honest.
    Source:   Beaver 1991, with matrices.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    with session.scope(label):
        mask = randomness.mask("factor", share.shape)
        opened = session.open("factor", MaskedShare(share.value - mask, share.frac_bits))
    return Factor(opened, mask, share.frac_bits)


def deal_factor(dealer: Dealer, session: Session, label: str, shape: tuple[int, ...]) -> U64:
    """Dealer's side of `open_factor`: the whole mask.

    Shapes:   -> `shape`.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `open_factor`.
    Source:   as `open_factor`.
    Raises:   MaskReuseError.
    """
    with session.scope(label):
        return dealer.mask("factor", shape)


def multiply(session: Session, randomness: Randomness, label: str, left: Factor, right: Factor) -> Share:
    """Product of two factors; scales add up.

    Shapes:   (a, b), (b, c) -> Share (a, c).
    Rounds:   0 (waits for the provider, if it is this party's turn).  Sends: nothing.
    Reveals:  nothing.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    rights = right.mask + right.opened if session.is_first else right.mask
    product = MatrixProduct(left.opened.shape[0], right.opened.shape[1])
    with session.scope(label):
        out = matmul(left.opened, rights) + matmul(left.mask, right.opened)
        out += randomness.take("product", product, left.mask, right.mask)
    return Share(out, left.frac_bits + right.frac_bits)


def deal_multiply(dealer: Dealer, session: Session, label: str, left: U64, right: U64) -> None:
    """Dealer's side of `multiply`.

    Shapes:   (a, b), (b, c).
    Rounds:   0.  Sends: 8·a·c bytes to one party.
    Reveals:  nothing.
    Assumes:  as `multiply`.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        dealer.deal("product", MatrixProduct(left.shape[0], right.shape[1]), left, right)


def multiply_each(session: Session, randomness: Randomness, label: str, left: Factor, right: Factor) -> Share:
    """Product entry by entry of two opened factors of one shape.

    Shapes:   (…), (…) uint64 -> Share (…) at the sum of the scales.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    rights = right.mask + right.opened if session.is_first else right.mask
    with session.scope(label):
        out = left.opened * rights + left.mask * right.opened
        product = ElementProduct(left.opened.shape)
        out += randomness.take("product", product, left.mask, right.mask)
    return Share(out, left.frac_bits + right.frac_bits)


def deal_multiply_each(dealer: Dealer, session: Session, label: str, left: U64, right: U64) -> None:
    """Dealer's side of `multiply_each`.

    Shapes:   (…), (…).
    Rounds:   0.  Sends: 8 bytes an entry to one party.
    Reveals:  nothing.
    Assumes:  as `multiply_each`.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        dealer.deal("product", ElementProduct(left.shape), left, right)
