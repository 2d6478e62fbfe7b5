"""Bits that all parties share by `xor`: their product, whether any is set, and their disclosure.

    x ∧ y = (d ⊕ a) ∧ (e ⊕ b) = d∧e ⊕ d∧b ⊕ a∧e ⊕ a∧b        d = x ⊕ a,  e = y ⊕ b

a and b are masks; d and e are opened to all parties, and shares of a∧b are dealt. `xor` of shared bits is
local, and so is a public bit: the first party alone turns its share over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from saferoom.arrays import Bits
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.sharing.values import BitShare, MaskedBits


@dataclass(frozen=True, slots=True)
class SharedBitProduct(Correlation):
    """a ∧ b, bit by bit: uint8, packed, shared by xor.

    Masks: a and b, packed, shared by xor. A party gives its shares of both.
    """

    packed: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.packed

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    def value(self, first: Bits, second: Bits) -> Bits:
        return first & second


def share_both(s: Session, randomness: Randomness, label: str, x: Bits, y: Bits) -> Bits:
    """This party's share of x ∧ y, bit by bit.

    Shapes:   x, y (…) uint8, packed -> (…) uint8.
    Rounds:   1.  Sends: two bytes for each of x to each other party.
    Reveals:  x and y xor masks, to all parties; uniform, because masks are used once.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   Goldreich, Micali, Wigderson 1987, with triples of Beaver 1991.
    Raises:   MaskReuseError, ShapeError, PeerError, PeerTimeout, StepMismatchError.
    """
    if x.dtype != np.uint8 or y.dtype != np.uint8 or x.shape != y.shape:
        raise ShapeError("both factors are packed bits of one shape", party=s.me, step=s.step(label))
    with s.scope(label):
        a = randomness.mask("first", x.shape, np.uint8)
        b = randomness.mask("second", x.shape, np.uint8)
        product: Bits = randomness.take("product", SharedBitProduct(x.shape), a, b)
        d, e = s.open("open", MaskedBits(np.stack([x ^ a, y ^ b])))
    share: Bits = product ^ (d & b) ^ (a & e)
    return np.bitwise_xor(share, d & e) if s.is_first else share


def deal_both(dealer: Dealer, s: Session, label: str, packed: tuple[int, ...]) -> None:
    """Dealer's side of `share_both`.

    Shapes:   packed: that of x, in bytes.
    Rounds:   0.  Sends: a byte for each of x, to one party.
    Reveals:  nothing.
    Assumes:  as `share_both`.
    Source:   as `share_both`.
    Raises:   MaskReuseError, PeerError.
    """
    with s.scope(label):
        masks = dealer.mask("first", packed, np.uint8), dealer.mask("second", packed, np.uint8)
        dealer.deal("product", SharedBitProduct(packed), *masks)


def share_any(s: Session, randomness: Randomness, label: str, bits: Bits) -> Bits:
    """This party's share of one bit: whether any of the shared bits is set. It stands in the last place.

    Shapes:   bits (n,) uint8, packed; n >= 1 -> (1,) uint8, of which the other places are zero.
    Rounds:   ⌈log2 n⌉ + 3.
    Sends:    about two bytes for each of n to each other party.
    Reveals:  as `share_both`.
    Assumes:  as `share_both`.
    Source:   x ∨ y = x ⊕ y ⊕ x∧y, by halves.
    Raises:   as `share_both`.
    """
    if bits.dtype != np.uint8 or bits.ndim != 1 or not len(bits):
        raise ShapeError("any of no bits, or of a table, is not defined", party=s.me, step=s.step(label))
    left = bits
    for step, half in enumerate(_halves(len(bits))):
        first, second = left[:half], _filled(left[half:], half)
        left = first ^ second ^ share_both(s, randomness, f"{label}/any={step}", first, second)
    for width in (4, 2, 1):
        first, second = np.right_shift(left, np.uint8(width)), left & np.uint8((1 << width) - 1)
        left = first ^ second ^ share_both(s, randomness, f"{label}/width={width}", first, second)
    return left


def deal_any(dealer: Dealer, s: Session, label: str, size_bytes: int) -> None:
    """Dealer's side of `share_any`.

    Shapes:   size_bytes: n.
    Rounds:   0.  Sends: about n bytes, in ⌈log2 n⌉ + 3 messages.
    Reveals:  nothing.
    Assumes:  as `share_both`.
    Source:   as `share_any`.
    Raises:   MaskReuseError, PeerError.
    """
    for step, half in enumerate(_halves(size_bytes)):
        deal_both(dealer, s, f"{label}/any={step}", (half,))
    for width in (4, 2, 1):
        deal_both(dealer, s, f"{label}/width={width}", (1,))


def reveal_bits(
    s: Session, label: str, to: str, bits: Bits, *, kind: str, shape: tuple[int, ...] | None = None
) -> Bits | None:
    """The shared bits, learnt by `to` alone (None elsewhere): the disclosure `kind`, declared as of `shape`.

    Shapes:   bits (…) uint8, packed -> (…) uint8.
    Rounds:   1 message delay; before it `Session.confirm`, if anything is due.
    Sends:    a byte for each of bits, from each other party to `to`.
    Reveals:  to `to`, `kind`: the bits.
    Assumes:  semi-honest.
    Source:   shares by xor.
    Raises:   RefusedError, PeerError, PeerTimeout, StepMismatchError.
    """
    return s.reveal(label, to, BitShare(bits), kind=kind, shape=shape)


def open_bit(s: Session, label: str, bit: Bits, *, kind: str) -> bool:
    """One shared bit, learnt by every party: the disclosure `kind` to each of them.

    Shapes:   bit (1,) uint8, the bit in its last place, as `share_any` gives it; other places are not sent.
    Rounds:   1; before it `Session.confirm`, if anything is due.  Sends: 1 byte to each other party.
    Reveals:  to every party, `kind`: the bit.
    Assumes:  semi-honest.
    Source:   shares by xor.
    Raises:   RefusedError, ShapeError, PeerError, PeerTimeout, StepMismatchError.
    """
    if bit.shape != (1,) or bit.dtype != np.uint8:
        raise ShapeError("one bit stands in one byte", party=s.me, step=s.step(label))
    return bool(s.reveal_to_all(label, BitShare(bit & np.uint8(1)), kind=kind)[0] & 1)


def _halves(size: int) -> list[int]:
    """How many bytes are left after each step of folding."""
    halves = []
    while size > 1:
        size = (size + 1) // 2
        halves.append(size)
    return halves


def _filled(bits: Bits, size: int) -> Bits:
    """With zeros behind: shares of zeros."""
    return np.concatenate([bits, np.zeros(size - len(bits), dtype=np.uint8)])
