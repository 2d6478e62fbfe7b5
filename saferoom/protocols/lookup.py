"""A public table, looked up at a shared index: shares of the entry, for indices of a few bits.

    c = index + r mod 2**bits is opened;  r is uniform, dealt;  dealt besides: shares of the table turned by r
    turned[j] = table[j - r]   so   turned[c] = table[index]

Each party takes entry c of its share of the turned table. With a table of signs this is a comparison, with
unit vectors an equality test. What is dealt grows with 2**bits: for small numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Words
from saferoom.channel.session import Session
from saferoom.errors import ShapeError
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.sharing.values import WORD_TYPES, MaskedShare, Share

Table: TypeAlias = NDArray[Any]  # uint32 or uint64: the modulus of the shares that come out


@dataclass(frozen=True, slots=True, eq=False)
class TurnedTable(Correlation):
    """table[j - r] for every j, once for each r: (n, 2**bits, w) words of the table's type.

    Mask: r (n,) uint32, of which the low bits count. A party gives its share of it.
    """

    rows: int
    table: Table

    @property
    def shape(self) -> tuple[int, ...]:
        return self.rows, *self.table.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.table.dtype

    def value(self, r: Words) -> Words:
        size = len(self.table)
        places = (np.arange(size, dtype=np.uint32)[None, :] - r[:, None]) % np.uint32(size)
        return np.asarray(self.table[places])


def open_lookup(session: Session, randomness: Randomness, label: str, index: Share, table: Table) -> Share:
    """Entries of `table` at a shared index.

    Shapes:   index (n,) uint32, integers mod 2**bits; table (2**bits, w) words -> Share (n, w) of its type.
    Rounds:   1.  Sends: 4·n bytes to each other party.
    Reveals:  index + r mod 2**bits to all parties; uniform, because r is used once.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   Ishai et al. 2013, one-time truth tables.
    Raises:   MaskReuseError, ShapeError, PeerTimeout, StepMismatchError.
    """
    bits, rows = _bits(session, label, table), len(index.value)
    if index.value.dtype != np.uint32 or index.value.ndim != 1:
        raise ShapeError("a lookup takes a vector of uint32 shares", step=session.step(label))
    with session.scope(label):
        r = randomness.mask("turn", (rows,), np.uint32)
        turned: Table = randomness.take("table", TurnedTable(rows, table), r)
        # Only the low bits are opened: the others of a share say how often the shares wrapped.
        up = np.array(32 - bits, dtype=np.uint32)
        opened = session.open("turn", MaskedShare((index.value + r) << up, 0))
        entries = np.right_shift(opened, up)
    return Share(turned[np.arange(rows), entries], 0)


def deal_lookup(dealer: Dealer, session: Session, label: str, rows: int, table: Table) -> None:
    """Dealer's side of `open_lookup`.

    Shapes:   table (2**bits, w).
    Rounds:   0.  Sends: rows·2**bits·w words to one party.
    Reveals:  nothing.
    Assumes:  as `open_lookup`.
    Source:   as `open_lookup`.
    Raises:   MaskReuseError, PeerError.
    """
    _bits(session, label, table)
    with session.scope(label):
        r = dealer.mask("turn", (rows,), np.uint32)
        dealer.deal("table", TurnedTable(rows, table), r)


def _bits(session: Session, label: str, table: Table) -> int:
    bits = len(table).bit_length() - 1
    fits = table.ndim == 2 and table.dtype in WORD_TYPES and len(table) == 1 << bits
    if not fits or not 1 <= bits <= 12:
        raise ShapeError("a table has 2 to 4096 rows, a power of two, of words", step=session.step(label))
    return bits
