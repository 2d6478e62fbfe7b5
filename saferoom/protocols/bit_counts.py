"""How many of shared bits are set, as numbers that the parties share by sums.

    fold    numbers of w bits, one a place: both halves of the places are added up, bit by bit
                sum = a ⊕ b ⊕ carry,   next carry = carry ⊕ (a ⊕ carry)∧(b ⊕ carry)
    lift    what is left: d = z ⊕ β is opened, of β additive shares are dealt:   z = d + β·(1 − 2d)

Every fold halves the places, so that few words have to be dealt.
"""

from __future__ import annotations

import numpy as np

from saferoom.arrays import Bits
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.leaf_sum import AdditiveBits
from saferoom.protocols.leaf_terms import unpacked_bits
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.shared_bits import deal_both, share_both
from saferoom.sharing.values import MaskedBits, Share

_FOLDS = 8
_FEW_BYTES = 16


def count_bits(s: Session, randomness: Randomness, label: str, bits: Bits) -> Share:
    """This party's share of how many bits are set in each row of bits.

    Shapes:   bits (k, b) uint8, packed -> Share (k,) uint32.
    Rounds:   1 + 1 + 2 + … + m, after m = 8 folds, or fewer that leave at least 16 bytes of b.
    Sends:    about 4·k·b bytes to each other party. (The dealer: 2·k·b, and 4 bytes for each bit left.)
    Reveals:  bits xor masks, to all parties; uniform, because masks are used once.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   the module's text; lifting: Demmler, Schneider, Zohner 2015 (ABY), §III.
    Raises:   MaskReuseError, ShapeError, PeerError, PeerTimeout, StepMismatchError.
    """
    if bits.ndim != 2 or bits.dtype != np.uint8:
        raise ShapeError("rows of packed bits are counted", party=s.me, step=s.step(label))
    places = bits[None]  # (w, k, b): bit w of the number at each place
    with s.scope(label):
        for number, width in enumerate(_widths(bits.shape[1])):
            with s.scope(f"fold={number}"):
                places = _added(s, randomness, places[:, :, :width], _filled(places[:, :, width:], width))
        return _lifted(s, randomness, np.ascontiguousarray(places))


def deal_count(dealer: Dealer, s: Session, label: str, rows: int, size_bytes: int) -> None:
    """Dealer's side of `count_bits`.

    Shapes:   rows: k; size_bytes: b.
    Rounds:   0.  Sends: about 2·k·b bytes, and 4 for each bit that is left.
    Reveals:  nothing.
    Assumes:  as `count_bits`.
    Source:   as `count_bits`.
    Raises:   MaskReuseError, PeerError.
    """
    widths = _widths(size_bytes)
    with s.scope(label):
        for number, width in enumerate(widths):
            with s.scope(f"fold={number}"):
                for place in range(number + 1):
                    deal_both(dealer, s, f"bit={place}", (rows, width))
        left = len(widths) + 1, rows, (widths or [size_bytes])[-1]
        mask = dealer.mask("hidden", left, np.uint8)
        dealer.deal("bits", AdditiveBits(left[0] * rows, 8 * left[2]), mask)


def _added(s: Session, randomness: Randomness, first: Bits, second: Bits) -> Bits:
    """The sums of two numbers at each place: (w, k, b) and (w, k, b) -> (w + 1, k, b)."""
    carry, sums = np.zeros_like(first[0]), []
    for place, (a, b) in enumerate(zip(first, second, strict=True)):
        sums.append(a ^ b ^ carry)
        carry = carry ^ share_both(s, randomness, f"bit={place}", a ^ carry, b ^ carry)
    return np.stack([*sums, carry])


def _lifted(s: Session, randomness: Randomness, places: Bits) -> Share:
    """The sum over all places of the numbers: (w, k, b) -> Share (k,)."""
    width, rows, size = places.shape
    mask = randomness.mask("hidden", places.shape, np.uint8)
    words = randomness.take("bits", AdditiveBits(width * rows, 8 * size), mask)
    opened = unpacked_bits(s.open("open", MaskedBits(places ^ mask)), width * rows, 8 * size)
    share = np.where(opened == 1, np.negative(words), words)
    if s.is_first:
        share += opened
    counts = share.sum(axis=1, dtype=np.uint32).reshape(width, rows)
    weights = np.uint32(1) << np.arange(width, dtype=np.uint32)
    return Share((counts * weights[:, None]).sum(axis=0, dtype=np.uint32), 0)


def _widths(size: int) -> list[int]:
    """How many bytes each fold leaves."""
    widths: list[int] = []
    while len(widths) < _FOLDS and size > _FEW_BYTES:
        size = (size + 1) // 2
        widths.append(size)
    return widths


def _filled(places: Bits, width: int) -> Bits:
    """With zeros behind: shares of zeros."""
    return np.pad(places, ((0, 0), (0, 0), (0, width - places.shape[2])))
