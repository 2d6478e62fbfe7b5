"""Change the scale or the modulus of shared numbers, exactly, for any number of parties.

    x = z + offset lies in [0, 2**(w-1))
    r is uniform, dealt together with its top bit;  c = x + r mod 2**w is opened
    x + r wrapped once  <=>  top bit of r is 1 and top bit of c is 0

so the wrap is a *linear* function of the dealt bit once c is public. Truncating shares locally instead
would lose that carry: wrong for more than two parties, and at random even for two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from saferoom.arrays import Words
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.sharing.values import MaskedShare, Share

_TOP64, _TOP32 = np.uint64(63), np.uint32(31)


@dataclass(frozen=True, slots=True)
class TruncationPair(Correlation):
    """r >> bits, and the top bit of r: (2, …) uint64.

    Mask: r (…) modulo 2**64. A party gives its share of it.
    """

    numbers: tuple[int, ...]
    bits: int

    @property
    def shape(self) -> tuple[int, ...]:
        return 2, *self.numbers

    def value(self, r: Words) -> Words:
        return np.stack([r >> np.uint64(self.bits), r >> _TOP64])


@dataclass(frozen=True, slots=True)
class TopBits(Correlation):
    """The top bits of r, as words modulo 2**32.

    Mask: r (…) modulo 2**32. A party gives its share of it.
    """

    numbers: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numbers

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint32)

    def value(self, r: Words) -> Words:
        return r >> _TOP32


@dataclass(frozen=True, slots=True)
class WideSum(Correlation):
    """Σ over the first axis of r, each word read as a number from 0 to 2**32 - 1, modulo 2**64.

    Mask: r (b, …) modulo 2**32. A party gives its share of it.
    """

    numbers: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numbers[1:]

    def value(self, r: Words) -> Words:
        return np.asarray(r.sum(axis=0, dtype=np.uint64))


def open_truncated(session: Session, randomness: Randomness, label: str, z: Share, bits: int) -> Share:
    """Divide a shared fixed-point array by 2**bits, rounding down (or one unit above that).

    Shapes:   z (…) uint64 at scale f -> (…) at scale f - bits; 1 <= bits <= 62.
    Rounds:   1.  Sends: 8 bytes an element to each other party.
    Reveals:  z + r to all parties; uniform, because r is used once.
    Assumes:  semi-honest; |z| < 2**62.
    Source:   Dalskov, Escudero, Keller 2020, §3; wrap bit as in the module's text.
    Raises:   MaskReuseError, ShapeError, PeerTimeout, StepMismatchError.
    """
    if not 1 <= bits <= 62 or z.value.dtype != np.uint64:
        raise ShapeError("a truncation needs uint64 shares and 1 to 62 bits", step=session.step(label))
    with session.scope(label):
        r = randomness.mask("mask", z.shape)
        dealt = randomness.take("pair", TruncationPair(z.shape, bits), r)
        masked = z.value + r
        if session.is_first:
            masked += np.uint64(1 << 62)
        c = session.open("open", MaskedShare(masked, z.frac_bits))
        keep = np.uint64(64 - bits)
        may_wrap = np.uint64(1) - (c >> _TOP64)
        out = ((may_wrap * dealt[1]) << keep) - dealt[0]
        if session.is_first:
            out += (c >> np.uint64(bits)) - np.uint64(1 << (62 - bits))
        return Share(out, z.frac_bits - bits)


def deal_truncation(dealer: Dealer, session: Session, label: str, shape: tuple[int, ...], bits: int) -> None:
    """Dealer's side of `open_truncated`.

    Shapes:   shape of z.
    Rounds:   0.  Sends: 16 bytes an element to one party.
    Reveals:  nothing.
    Assumes:  as `open_truncated`.
    Source:   as `open_truncated`.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        dealer.deal("pair", TruncationPair(shape, bits), dealer.mask("mask", shape))


def open_widened_sum(session: Session, randomness: Randomness, label: str, z: Share) -> Share:
    """Lift shares mod 2**32 to shares mod 2**64 and add them up over the first axis.

    Shapes:   z (b, d) uint32 at scale f -> (d,) uint64 at scale f.
    Rounds:   1.  Sends: 4·b·d bytes to each other party.
    Reveals:  z + r mod 2**32 to all parties; uniform, because r is used once.
    Assumes:  semi-honest; |z| < 2**30.
    Source:   the wrap bit of the module's text with w = 32.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    with session.scope(label):
        r = randomness.mask("mask", z.shape, np.uint32)
        top = randomness.take("top", TopBits(z.shape), r)
        out = np.negative(randomness.take("sum", WideSum(z.shape), r))
        masked = z.value + r
        if session.is_first:
            masked += np.uint32(1 << 30)
        c = session.open("open", MaskedShare(masked, z.frac_bits))
        may_wrap = np.uint32(1) - (c >> _TOP32)
        out += (may_wrap * top).sum(axis=0, dtype=np.uint32).astype(np.uint64) << np.uint64(32)
        if session.is_first:
            out += c.sum(axis=0, dtype=np.uint64) - np.uint64(z.shape[0] << 30)
        return Share(out, z.frac_bits)


def deal_widened_sum(dealer: Dealer, session: Session, label: str, shape: tuple[int, int]) -> None:
    """Dealer's side of `open_widened_sum`.

    Shapes:   shape (b, d) of z.
    Rounds:   0.  Sends: 4·b·d bytes to one party, 8·d to one.
    Reveals:  nothing.
    Assumes:  as `open_widened_sum`.
    Source:   as `open_widened_sum`.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        r = dealer.mask("mask", shape, np.uint32)
        dealer.deal("top", TopBits(shape), r)
        dealer.deal("sum", WideSum(shape), r)
