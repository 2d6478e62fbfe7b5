"""Whether training scores lie where the sigmoid's series holds, found on shares: all learn one bit."""

from __future__ import annotations

import numpy as np

from saferoom.channel.session import Session
from saferoom.errors import UsageError
from saferoom.models.logistic.told_bits import hear_bit, tell_bit
from saferoom.protocols.bit_counts import count_bits, deal_count
from saferoom.protocols.comparison import deal_below, in_units, share_below
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Randomness
from saferoom.sharing.values import Share

MOST_BEYOND = 0.002  # share of training rows that may lie beyond the reach by more than the margin
MARGIN = 1.4
_FRAC_BITS = 21  # of numbers of 30 bits: a score up to ±128 is less than 256 from each edge
_MOST_ROWS = 1 << 22


def is_in_range(s: Session, randomness: Randomness, scores: Share, reach: float) -> bool:
    """Whether at most a share MOST_BEYOND of the scores lies beyond MARGIN times the reach.

    Shapes:   scores (n,), whole to ±256.
    Rounds:   at most 49.
    Sends:    about 8·n bytes to each other party.
    Reveals:  to every party and the helper, `range_check`: one bit.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   docs/protocols/comparison.md.
    Raises:   UsageError, MaskReuseError, PeerError, PeerTimeout, StepMismatchError.
    """
    rows = len(scores.value)
    if rows > _MOST_ROWS:
        raise UsageError(f"scores are checked on shares for at most {_MOST_ROWS} rows", step=s.step("range"))
    edge = round(MARGIN * reach * 2**_FRAC_BITS)
    with s.scope("range"):
        inside = share_below(s, randomness, "edges", in_units(scores, _FRAC_BITS), [-edge, edge + 1])
        counts = count_bits(s, randomness, "counts", inside).value
        beyond = counts[:1] - counts[1:]
        if s.is_first:
            beyond = beyond + np.uint32(rows)
        few = share_below(s, randomness, "few", Share(beyond, 0), [int(MOST_BEYOND * rows) + 1])
        return tell_bit(s, "range", few[0] >> np.uint8(7), kind="range_check")


def deal_is_in_range(dealer: Dealer, s: Session, rows: int) -> bool:
    """Dealer's side of `is_in_range`: it hears the bit.

    Shapes:   rows: n.
    Rounds:   0.  Sends: about 74·n bytes.
    Reveals:  nothing.
    Assumes:  as `is_in_range`.
    Source:   as `is_in_range`.
    Raises:   MaskReuseError, PeerError.
    """
    with s.scope("range"):
        deal_below(dealer, s, "edges", rows, 2)
        deal_count(dealer, s, "counts", 2, (rows + 7) // 8)
        deal_below(dealer, s, "few", 1, 1)
        return hear_bit(s, "range")
