"""Whether shared numbers lie below thresholds, as bits that the parties share by `xor`; no number is told.

    c = s + r mod 2**30 is opened;  r is uniform.   c' = c - T,  for each threshold T
    s < T   ⇔   the top bit of s - T = c' - r is set
            =   top(c') ⊕ top(r) ⊕ (the low bits of c' are below those of r)

c' is public, and r is cut into five digits of six bits. For each of them two words of 64 bits are dealt,
shared by xor: bit j says whether j is below the digit, and whether it is the digit; in the highest digit the
top bit goes with the first of them, and the lowest needs no second. Each party takes those bits of its shares
that the digits of c' name: b_0 … b_4 and q_1 … q_4.

    low     =   b_2 ⊕ q_2∧b_1 ⊕ (q_2∧q_1)∧b_0
    s < T   =   b_4 ⊕ q_4∧b_3 ⊕ (q_4∧q_3)∧low                      four products at once, then one, then one

Thresholds that all know share one c and one set of words. A party whose thresholds are its own takes them off
its own share: then each of them costs as much as the first. What to do with shared bits: `shared_bits`.
docs/protocols/comparison.md
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saferoom.arrays import U32, Bits, Words
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.protocols.shared_bits import deal_both, share_both
from saferoom.sharing.values import MaskedShare, Share

NUMBER_BITS = 30
DIGIT_BITS = 6
_DIGITS = NUMBER_BITS // DIGIT_BITS
_WORDS = 2 * _DIGITS - 1
_ROW_BYTES = 8 * _WORDS
_BLOCK_ROWS = 1 << 16  # a multiple of eight: 4.7 MB of words, which by turns go to one party after another
_UP = np.uint32(32 - NUMBER_BITS)
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class DigitTables(Correlation):
    """For each digit of r the words "below" and "equal": uint8, bytes of 64-bit words (9, rows, 8), by xor.

    Mask: r (rows,) uint32, of which the low 30 bits count. A party gives its share of it.
    """

    rows: int

    @property
    def shape(self) -> tuple[int, ...]:
        return _WORDS, self.rows, 8

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8)

    def value(self, r: Words) -> Bits:
        below, equal = _words_of_digits()
        words = np.empty((_WORDS, self.rows), dtype="<u8")
        for place in range(_DIGITS):
            digit = (r >> np.uint32(DIGIT_BITS * place)) & np.uint32(63)
            is_top = int(place == _DIGITS - 1)
            words[place] = below[is_top][digit]
            if place:
                words[_DIGITS - 1 + place] = equal[is_top][digit]
        return words.view(np.uint8).reshape(self.shape)


def in_units(share: Share, frac_bits: int) -> Share:
    """This party's share with so many fractional bits, less than a unit too small, to be compared.

    Shapes:   any, of uint32 or uint64, to uint64.
    Raises:   ShapeError if fewer than 30 bits would be left: comparisons would be wrong.
    """
    down, words = share.frac_bits - frac_bits, share.value.astype(np.uint64)
    if share.value.dtype.itemsize * 8 - down < NUMBER_BITS:
        raise ShapeError("the shares have too few bits to be compared", step="in units")
    return Share(words >> np.uint64(down) if down >= 0 else words << np.uint64(-down), frac_bits)


def share_below(
    s: Session, randomness: Randomness, label: str, values: Share, thresholds: Sequence[int]
) -> Bits:
    """This party's share, by xor, of "value - threshold is negative", read as a number of 30 bits with sign.

    That is value < threshold where they are less than 2**29 apart. All parties know the thresholds, which are
    in units of the shares.

    Shapes:   values (n,) uint32 or uint64, taken mod 2**30; k thresholds -> (k, ⌈n/8⌉) uint8, packed.
    Rounds:   4.
    Sends:    4·n + 1.5·k·n bytes to each other party. (The dealer: 72·n + 0.75·k·n, by turns.)
    Reveals:  value + r mod 2**30, and bits xor masks, to all parties; uniform, because masks are used once.
    Assumes:  semi-honest; the dealer colludes with no party. Any number of parties may collude.
    Source:   the module's text: comparison of an opened number with a mask (Damgård et al. 2006), by one-time
              truth tables (Ishai et al. 2013) of its digits.
    Raises:   MaskReuseError, ShapeError, PeerError, PeerTimeout, StepMismatchError.
    """
    _check(s, label, values, thresholds)
    rows = len(values.value)
    with s.scope(label):
        r = randomness.mask("mask", (rows,), np.uint32)
        # Only the low bits are opened: the others of a share say how often the shares wrapped.
        masked = (values.value.astype(np.uint32) + r) << _UP
        c = s.open("open", MaskedShare(masked, 0)) >> _UP
        bits = np.empty((_WORDS, len(thresholds), (rows + 7) // 8), dtype=np.uint8)
        for block in _blocks(rows):
            dealt = randomness.take(f"digits/row={block.start}", DigitTables(_count(block)), r[block])
            for number, threshold in enumerate(thresholds):
                picked = _pick(dealt, c[block] - np.uint32(threshold % 2**NUMBER_BITS))
                bits[:, number, block.start // 8 : (block.stop + 7) // 8] = picked
        return _put_digits_together(s, randomness, bits[:_DIGITS], bits[_DIGITS:])


def deal_below(dealer: Dealer, s: Session, label: str, rows: int, thresholds: int) -> None:
    """Dealer's side of `share_below`.

    Shapes:   rows: n; thresholds: k, how many.
    Rounds:   0.  Sends: 72·n + 0.75·k·n bytes, in messages of 65,536 rows to one party after another.
    Reveals:  nothing.
    Assumes:  as `share_below`.
    Source:   as `share_below`.
    Raises:   MaskReuseError, PeerError.
    """
    packed = thresholds, (rows + 7) // 8
    with s.scope(label):
        r = dealer.mask("mask", (rows,), np.uint32)
        for block in _blocks(rows):
            dealer.deal(f"digits/row={block.start}", DigitTables(_count(block)), r[block])
        deal_both(dealer, s, "neighbours", (4, *packed))
        deal_both(dealer, s, "lower digits", packed)
        deal_both(dealer, s, "higher digits", packed)


def share_below_own(
    s: Session, randomness: Randomness, label: str, values: Share, own: Sequence[int] | None, count: int
) -> Bits:
    """`share_below` with thresholds that one party alone knows: it gives them, all others None.

    The others learn how many there are. As much as `count` comparisons of n values with one threshold.

    Shapes:   values (n,), own (count,) -> (count, ⌈n/8⌉) uint8, packed.
    Rounds:   4.  Sends: 5.5·count·n bytes to each other party.
    Reveals:  as `share_below`.
    Assumes:  as `share_below`.
    Source:   as `share_below`; the party takes its thresholds off its own share.
    Raises:   as `share_below`.
    """
    _check(s, label, values, own or [0] * count)
    rows, words = len(values.value), values.value.astype(np.uint32)
    thresholds = np.array([threshold % 2**NUMBER_BITS for threshold in own or [0] * count], dtype=np.uint32)
    if len(thresholds) != count:
        raise ShapeError(f"{count} thresholds were agreed on", party=s.me, step=s.step(label))
    apart = (words[None, :] - thresholds[:, None]).ravel()
    bits = share_below(s, randomness, label, Share(apart, values.frac_bits), [0])
    return np.packbits(np.unpackbits(bits[0], count=count * rows).reshape(count, rows), axis=1)


def deal_below_own(dealer: Dealer, s: Session, label: str, rows: int, count: int) -> None:
    """Dealer's side of `share_below_own`.

    Shapes:   rows: n; count of thresholds.
    Rounds:   0.  Sends: 72.75·count·n bytes, as `deal_below`.
    Reveals:  nothing.
    Assumes:  as `share_below`.
    Source:   as `share_below_own`.
    Raises:   MaskReuseError, PeerError.
    """
    deal_below(dealer, s, label, rows * count, 1)


def _put_digits_together(s: Session, randomness: Randomness, below: Bits, equal: Bits) -> Bits:
    """The module's last equations. below (5, k, b); equal (4, k, b), without the lowest digit."""
    b0, b1, b2, b3, b4 = below
    q1, q2, q3, q4 = equal
    first, second = np.stack([q4, q2, q4, q2]), np.stack([b3, b1, q3, q1])
    upper, lower, both_upper, both_lower = share_both(s, randomness, "neighbours", first, second)
    low = b2 ^ lower ^ share_both(s, randomness, "lower digits", both_lower, b0)
    share: Bits = b4 ^ upper ^ share_both(s, randomness, "higher digits", both_upper, low)
    return share


def _pick(dealt: Bits, opened: U32) -> Bits:
    """Of each word the bit that the digit of `opened` names: (9, ⌈n/8⌉), packed."""
    words = dealt.view("<u8")[..., 0]
    places = [(opened >> np.uint32(DIGIT_BITS * place)) & np.uint32(63) for place in range(_DIGITS)]
    picked = [word >> place for word, place in zip(words, [*places, *places[1:]], strict=True)]
    return np.packbits(np.stack([(word & _ONE).astype(np.uint8) for word in picked]), axis=1)


def _words_of_digits() -> tuple[list[Words], list[Words]]:
    """For each value of a digit its words "below" and "equal": of a lower digit, and of the highest.

    Of the highest digit the top bit is taken for itself: its word "below" says whether the top bits differ,
    turned over where the five bits under it are below; its word "equal" looks at those five alone.
    """
    digit, place = np.arange(64)[:, None], np.arange(64)[None, :]
    top = (digit >> 5) ^ (place >> 5) ^ (place % 32 < digit % 32)
    below = [_as_words(place < digit), _as_words(top == 1)]
    return below, [_as_words(place == digit), _as_words(place % 32 == digit % 32)]


def _as_words(bits: Any) -> Words:
    return np.packbits(bits, axis=1, bitorder="little").view("<u8")[:, 0]


def _blocks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, rows))


def _count(block: slice) -> int:
    return int(block.stop - block.start)


def _check(s: Session, label: str, values: Share, thresholds: Sequence[int]) -> None:
    if values.value.ndim != 1 or not thresholds:
        raise ShapeError(
            "a vector of shares is compared with one threshold or more", party=s.me, step=s.step(label)
        )
    if not all(abs(threshold) < 2 ** (NUMBER_BITS - 1) for threshold in thresholds):
        raise ShapeError("a threshold does not fit in 30 bits", party=s.me, step=s.step(label))
