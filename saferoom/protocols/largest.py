"""Which of some shared numbers is the largest, as shared bits; no number and no comparison is told.

    i is beaten   if a later number is larger, or an earlier one is not smaller, or it is not above the floor

Every number is compared with every other at once; of equal ones the first wins.
"""

from __future__ import annotations

import numpy as np

from saferoom.arrays import U64, Bits
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.comparison import deal_below, share_below
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.shared_bits import deal_both, share_both
from saferoom.sharing.values import Share


def share_largest(s: Session, randomness: Randomness, label: str, values: Share, floor: int) -> Bits:
    """This party's share, by xor, of bits of which one is set, the largest value's: if it is above the floor.

    Shapes:   values (n,) uint64 in units of the shares, less than 2**29 apart, as is the floor; n >= 1 ->
              (⌈n/8⌉,) uint8, packed.
    Rounds:   4 + ⌈log2 n⌉.  Sends: about 3·n² bytes to each other party. (The dealer: about 37·n².)
    Reveals:  as `share_below` and `share_both`.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   the module's text.
    Raises:   MaskReuseError, ShapeError, PeerError, PeerTimeout, StepMismatchError.
    """
    size = values.shape[0]
    if not size:
        raise ShapeError("none of no numbers is the largest", party=s.me, step=s.step(label))
    with s.scope(label):
        numbers = Share(_differences(values, floor, is_first=s.is_first), values.frac_bits)
        smaller = share_below(s, randomness, "pairs", numbers, [0])[0]
        left = _beaten(smaller, size, is_first=s.is_first)
        for number, half in enumerate(_halves(size)):
            first, second = left[:half], np.pad(left[half:], ((0, 2 * half - len(left)), (0, 0)))
            left = first ^ second ^ share_both(s, randomness, f"fold={number}", first, second)
    beaten: Bits = left[0]
    return np.bitwise_xor(beaten, _ones(size)) if s.is_first else beaten


def deal_largest(dealer: Dealer, s: Session, label: str, size: int) -> None:
    """Dealer's side of `share_largest`.

    Shapes:   size: n.
    Rounds:   0.  Sends: about 37·n² bytes.
    Reveals:  nothing.
    Assumes:  as `share_largest`.
    Source:   as `share_largest`.
    Raises:   MaskReuseError, PeerError.
    """
    with s.scope(label):
        deal_below(dealer, s, "pairs", size * (size + 1) // 2, 1)
        for number, half in enumerate(_halves(size)):
            deal_both(dealer, s, f"fold={number}", (half, (size + 7) // 8))


def _differences(values: Share, floor: int, *, is_first: bool) -> U64:
    """x_i - x_j for i < j, row by row; then x_i - floor - 1."""
    earlier, later = np.triu_indices(values.shape[0], 1)
    above = values.value - np.int64(floor + 1).astype(np.uint64) if is_first else values.value
    return np.concatenate([values.value[earlier] - values.value[later], above])


def _beaten(smaller: Bits, size: int, *, is_first: bool) -> Bits:
    """Bit i of row j says that j beats i, and bit i of row i that i is not above the floor: (n, ⌈n/8⌉)."""
    pairs = size * (size - 1) // 2
    bits = np.unpackbits(smaller, count=pairs + size)
    table = np.zeros((size, size), dtype=np.uint8)
    earlier, later = np.triu_indices(size, 1)
    table[later, earlier] = bits[:pairs]
    table[earlier, later] = bits[:pairs] ^ np.uint8(is_first)  # public ones are the first party's
    np.fill_diagonal(table, bits[pairs:])
    return np.packbits(table, axis=1)


def _ones(size: int) -> Bits:
    return np.packbits(np.ones(size, dtype=np.uint8))


def _halves(size: int) -> list[int]:
    halves = []
    while size > 1:
        size = (size + 1) // 2
        halves.append(size)
    return halves
