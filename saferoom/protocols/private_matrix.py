"""Matrices that each party holds in the clear, multiplied by vectors that all parties hold shared.

Party i holds X_i. Once a job it sends D_i = X_i - A_i to the others, where A_i comes from its seed: the
dealer knows A_i, the others do not. For a shared u with dealt mask b = Σ_p b^p, party i learns
e_i = u_i - b_i (uniform), and

    X_i·u_i  =  X_i·(e_i + b_i^i)  at i   +   Σ_{p≠i} D_i·b_i^p  at p   +   A_i·(b_i - b_i^i)  dealt.

Every party so multiplies one matrix a block, and X never moves again. Reusing A with a fresh b is safe;
reusing b is not, and raises. Words are uint64, or uint32 where the result is wanted mod 2**32 only (half
the traffic).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer, Deals
from saferoom.ring.fixed import shifted_down
from saferoom.ring.matrix import block_sums, column_sums, matvec
from saferoom.sharing.values import Masked, MaskedShare, Share, Words

CHUNK_ROWS = 1 << 16
_PIECE = 1 << 13  # rows encoded at a time, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Layout:
    """Public: which columns of the joint matrix belong to which party."""

    widths: dict[str, int]

    @property
    def columns(self) -> int:
        return sum(self.widths.values())

    def span(self, party: str) -> slice:
        start = 0
        for name, width in self.widths.items():
            if name == party:
                return slice(start, start + width)
            start += width
        raise KeyError(party)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JointColumns:
    """One party's view of a row-aligned joint matrix: its own block in the clear, the others' blocks masked.

    `blocks[p]` is (rows, widths[p]); `frac_bits` the scale of X. At the dealer the blocks are the masks A.
    """

    layout: Layout
    rows: int
    blocks: dict[str, Words]
    frac_bits: int

    @property
    def dtype(self) -> Any:
        return next(iter(self.blocks.values())).dtype

    def head(self, rows: int) -> JointColumns:
        """The first `rows` rows, without copying."""
        return JointColumns(
            self.layout, rows, {p: block[:rows] for p, block in self.blocks.items()}, self.frac_bits
        )


def row_chunks(rows: int) -> Iterator[slice]:
    """Slices of at most CHUNK_ROWS rows that cover `rows`."""
    for start in range(0, rows, CHUNK_ROWS):
        yield slice(start, min(start + CHUNK_ROWS, rows))


def mask_columns(
    session: Session,
    deals: Deals,
    label: str,
    layout: Layout,
    rows: int,
    own: Callable[[slice], NDArray[Any]],
    *,
    frac_bits: int,
    dtype: DTypeLike = np.uint64,
) -> JointColumns:
    """Send D = X - A to the others and take theirs. `own` gives X's words for a slice of rows.

    Shapes:   own(slice) (rows of the slice, own width) words at scale frac_bits -> JointColumns.
    Rounds:   1.  Sends: rows·own width words to each other party, in messages of CHUNK_ROWS rows.
    Reveals:  X - A to all parties; uniform, because A is used for this matrix alone.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   design 2, "Private matrix".
    Raises:   MaskReuseError, ShapeError, PeerTimeout, StepMismatchError.
    """
    me, widths = session.me, layout.widths
    blocks: dict[str, Words] = {p: np.empty((rows, widths[p]), dtype=dtype) for p in layout.widths}
    with session.scope(label):
        for number, chunk in enumerate(row_chunks(rows)):
            words = blocks[me][chunk]
            for start in range(0, len(words), _PIECE):
                stop = min(start + _PIECE, len(words))
                words[start:stop] = own(slice(chunk.start + start, chunk.start + stop))
            if widths[me]:
                masked = deals.mask(f"mask/{number}", words.shape, dtype)
                np.subtract(words, masked, out=masked)
                session.broadcast(f"columns/{number}", Masked(masked, frac_bits))
        for number, chunk in enumerate(row_chunks(rows)):
            for peer in session.peers:
                if widths[peer]:
                    shape = (chunk.stop - chunk.start, widths[peer])
                    blocks[peer][chunk] = session.receive_one(peer, f"columns/{number}", shape, dtype)
    return JointColumns(layout, rows, blocks, frac_bits)


def deal_columns(
    dealer: Dealer,
    session: Session,
    label: str,
    layout: Layout,
    rows: int,
    *,
    frac_bits: int,
    dtype: DTypeLike,
) -> JointColumns:
    """Dealer's side of `mask_columns`: expand all parties' masks A.

    Shapes:   -> JointColumns holding A in place of X and D.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `mask_columns`.
    Source:   design 2.
    Raises:   MaskReuseError.
    """
    blocks: dict[str, Words] = {p: np.empty((rows, w), dtype=dtype) for p, w in layout.widths.items()}
    with session.scope(label):
        for number, chunk in enumerate(row_chunks(rows)):
            for party, width in layout.widths.items():
                if width:
                    shape = (chunk.stop - chunk.start, width)
                    blocks[party][chunk] = dealer.mask_of(party, f"mask/{number}", shape, dtype)
    return JointColumns(layout, rows, blocks, frac_bits)


def open_to_owners(session: Session, deals: Deals, label: str, layout: Layout, u: Share) -> Words:
    """Each party learns its own block of u under a fresh mask; gives the vector that products need.

    Shapes:   u (d,) uint64 -> (d,) own share of the mask, with the opened e added in the own block: a
              share of u.
    Rounds:   1.  Sends: 8·width bytes to each other party, of that party's block.
    Reveals:  u_i - b_i to party i; uniform, because b is used once.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    with session.scope(label):
        factors = deals.mask("vector", u.shape)
        masked = u.value - factors
        for peer in session.peers:
            if layout.widths[peer]:
                session.send(peer, "vector", MaskedShare(masked[layout.span(peer)], u.frac_bits))
        own = layout.span(session.me)
        if layout.widths[session.me]:
            factors[own] += masked[own]
            for peer in session.peers:
                factors[own] += session.receive_one(peer, "vector", factors[own].shape)
    return factors


def forward(
    session: Session,
    deals: Deals,
    label: str,
    columns: JointColumns,
    factors: Words,
    frac_bits: int,
    drop: int,
) -> Share:
    """Σ_i X_i·u_i from the factors that `open_to_owners` gave, of which the low `drop` bits are left out.

    Shapes:   columns (n, d), factors (d,) at scale f -> Share (n,) in the columns' words at scale
              f - drop + columns.frac_bits, right mod 2**(64 - drop), or mod 2**32 for uint32.
    Rounds:   0 (waits for the dealer, if it is this party's turn).  Sends: nothing.
    Reveals:  nothing.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    words = shifted_down(factors, drop, columns.dtype)
    with session.scope(label):
        out = deals.share("product", (columns.rows,), columns.dtype).copy()
        for party, block in columns.blocks.items():
            out += matvec(block, words[columns.layout.span(party)])
    return Share(out, frac_bits - drop + columns.frac_bits)


def deal_vector(dealer: Dealer, session: Session, label: str, layout: Layout) -> list[Words]:
    """Dealer's side of `open_to_owners`: all parties' masks.

    Shapes:   -> k times (d,) uint64.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `open_to_owners`.
    Source:   the module's text.
    Raises:   MaskReuseError.
    """
    with session.scope(label):
        return dealer.masks("vector", (layout.columns,))


def without_owners(layout: Layout, masks: list[Words], drop: int = 0) -> Words:
    """(d,) uint64: for each block the sum of all masks but its owner's, each without its low `drop` bits."""
    short = [shifted_down(mask, drop, np.uint64) for mask in masks]
    total = np.asarray(np.sum(short, axis=0, dtype=np.uint64))
    for party, mask in zip(layout.widths, short, strict=True):
        total[layout.span(party)] -= mask[layout.span(party)]
    return total


def deal_forward(
    dealer: Dealer, session: Session, label: str, columns: JointColumns, masks: list[Words], drop: int
) -> None:
    """Dealer's side of `forward`.

    Shapes:   columns (n, d) holding A; masks of `deal_vector`.
    Rounds:   0.  Sends: n words to one party.
    Reveals:  nothing.
    Assumes:  as `forward`.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerError.
    """
    words = without_owners(columns.layout, masks, drop).astype(columns.dtype)
    value = np.zeros(columns.rows, dtype=columns.dtype)
    for party, block in columns.blocks.items():
        value += matvec(block, words[columns.layout.span(party)])
    with session.scope(label):
        dealer.share("product", value)


def backward(
    session: Session, deals: Deals, label: str, columns: JointColumns, v: Share, block_rows: int | None = None
) -> Share:
    """X_iᵀ·v for every block i, one after the other.

    Shapes:   columns (n, d), v (n,) in the columns' words -> (d,), or (n / block_rows, d) sums over
              blocks of rows.
    Rounds:   1.  Sends: n words to each other party.
    Reveals:  v - b to all parties; uniform, because b is used once.
    Assumes:  semi-honest.
    Source:   the module's text, with rows and columns exchanged.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    with session.scope(label):
        mask = deals.mask("rows", v.shape, v.value.dtype)
        own = session.open("rows", MaskedShare(v.value - mask, v.frac_bits)) + mask
        parts = [
            _weighted(block, own if party == session.me else mask, block_rows)
            for party, block in columns.blocks.items()
        ]
        out = np.concatenate(parts, axis=-1)
        out += deals.share("product", out.shape, out.dtype)
    return Share(out, v.frac_bits + columns.frac_bits)


def deal_backward(
    dealer: Dealer, session: Session, label: str, columns: JointColumns, block_rows: int | None = None
) -> None:
    """Dealer's side of `backward`.

    Shapes:   columns (n, d) holding A.
    Rounds:   0.  Sends: d words, or d for each block of rows, to one party.
    Reveals:  nothing.
    Assumes:  as `backward`.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        masks = dict(zip(dealer.parties, dealer.masks("rows", (columns.rows,), columns.dtype), strict=True))
        total = np.sum(list(masks.values()), axis=0, dtype=columns.dtype)
        parts = [
            _weighted(block, total - masks[party], block_rows) for party, block in columns.blocks.items()
        ]
        dealer.share("product", np.concatenate(parts, axis=-1))


def _weighted(block: Words, vector: Words, block_rows: int | None) -> Words:
    if block_rows is None:
        return column_sums(block, vector)
    return block_sums(block, vector, block_rows)
