"""Whether all of several parties' private bits are set, as bits that they share by `xor`.

    all of a group = all of its first half  ∧  all of its second half
    x ∧ y = (d ⊕ a) ∧ (e ⊕ b) = d∧e ⊕ d∧b ⊕ e∧a ⊕ a∧b        d = x ⊕ a,  e = y ⊕ b

x is shared by the first half and y by the second; a and b are masks of the same halves, d and e are opened
to the whole group, and of a∧b shares are dealt to it. A half never shows more than it shares: only its own
members together could tell x, and they know their bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from saferoom.arrays import Bits
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Correlation, Group, Randomness
from saferoom.sharing.values import MaskedBits


@dataclass(frozen=True, slots=True)
class BitProduct(Correlation):
    """a ∧ b, bit by bit: uint8, packed, shared by xor.

    Masks: a, of which the first half of a group has shares, and b, of which the second has.
    A party gives its share of its half's mask, and nothing for the other.
    """

    halves: tuple[Group, Group]
    size_bytes: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.size_bytes,)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    def value(self, first: Bits, second: Bits) -> Bits:
        return first & second


def share_all(s: Session, randomness: Randomness, label: str, bits: Bits, group: Group) -> Bits:
    """This party's share of "the bits of all in the group are set", bit by bit; only the group calls it.

    With a group of one it is that party's bits.

    Shapes:   bits (n,) uint8, packed -> (n,) uint8, to be xored over the group.
    Rounds:   ⌈log2 of the group's size⌉.
    Sends:    n bytes to each other of the group whom one halving after the other leaves on its side: in the
              last step all of them, in the one before those of its half, and so on.
    Reveals:  halves' bits xor masks, to the group; uniform, because masks are used once.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   Goldreich, Micali, Wigderson 1987, with triples of Beaver 1991.
    Raises:   MaskReuseError, ShapeError, PeerError, PeerTimeout, StepMismatchError.
    """
    if bits.dtype != np.uint8 or bits.ndim != 1 or s.me not in group:
        raise ShapeError("a group shares vectors of packed bits", party=s.me, step=s.step(label))
    if len(group) == 1:
        return bits
    halves = _halves(group)
    is_in_first = s.me in halves[0]
    mine, other = halves if is_in_first else halves[::-1]
    share = share_all(s, randomness, label, bits, mine)
    with s.scope(f"{label}/all={len(group)}"):
        mask = randomness.mask("mask", bits.shape, np.uint8)
        masks = (mask, None) if is_in_first else (None, mask)
        product: Bits = randomness.take("product", BitProduct(halves, len(bits)), *masks, among=group)
        opened = _open_halves(s, share ^ mask, group)
    product = product ^ (mask & opened[other])
    return product ^ (opened[mine] & opened[other]) if s.me == group[0] else product


def deal_all(dealer: Dealer, s: Session, label: str, size_bytes: int, group: Group) -> None:
    """Dealer's side of `share_all`.

    Shapes:   size_bytes: n.
    Rounds:   0.  Sends: n bytes for each of the group but one, each time to one party.
    Reveals:  nothing.
    Assumes:  as `share_all`.
    Source:   as `share_all`.
    Raises:   MaskReuseError, PeerError.
    """
    if len(group) == 1:
        return
    halves = _halves(group)
    for half in halves:
        deal_all(dealer, s, label, size_bytes, half)
    with s.scope(f"{label}/all={len(group)}"):
        masks = [dealer.mask("mask", (size_bytes,), np.uint8, among=half) for half in halves]
        dealer.deal("product", BitProduct(halves, size_bytes), *masks, among=group)


def _halves(group: Group) -> tuple[Group, Group]:
    middle = (len(group) + 1) // 2
    return group[:middle], group[middle:]


def _open_halves(s: Session, masked: Bits, group: Group) -> dict[Group, Bits]:
    """What each half's masked shares come to, learnt by all of the group."""
    peers = [party for party in group if party != s.me]
    s.broadcast("open", MaskedBits(masked), among=group)
    shown = {s.me: masked}
    shown |= {peer: s.hear_one(peer, "open", masked.shape, np.uint8, group) for peer in peers}
    return {half: reduce(np.bitwise_xor, [shown[party] for party in half]) for half in _halves(group)}
