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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Words
from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.joint_columns import ColumnLayout, JointColumns, JointForm, row_chunks
from saferoom.protocols.randomness import Correlation, Randomness
from saferoom.ring.fixed import shifted_down
from saferoom.ring.matrix import block_sums, column_sums, matvec
from saferoom.sharing.values import Masked, MaskedShare, Share

_PIECE = 1 << 13  # rows encoded at a time, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class ForwardProduct(Correlation):
    """Σ_i A_i·(b_i - b_i^i), (n,): of each party's mask A_i and what the others hold of its block of b.

    Masks: the matrix A; b less every owner's share of its own block, (d,) in A's words.
    A party gives its view of the matrix (X_i at i, D_i = X_i - A_i elsewhere), and its share of b, whose own
    block does not count.
    """

    form: JointForm

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.form.rows,)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.form.dtype

    def value(self, columns: JointColumns, others: Words) -> Words:
        return _forward(columns, others)


@dataclass(frozen=True, slots=True)
class BackwardProduct(Correlation):
    """A_iᵀ·(b - b^i) for every i, one after the other: (d,), or (blocks of rows, d).

    Masks: the matrix A; b less each party's own share, (n,) by party.
    A party gives its view of the matrix, as in ForwardProduct, and its share of b, (n,).
    """

    form: JointForm
    block_rows: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        columns = (self.form.layout.columns,)
        return columns if self.block_rows is None else (-(-self.form.rows // self.block_rows), *columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.form.dtype

    def value(self, columns: JointColumns, others: Mapping[str, Words]) -> Words:
        return _backward(columns, others, self.block_rows)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpenedToOwners:
    """A shared vector (d,) of which every owner has seen its own block under a mask.

    words: the own share of the mask, with what was opened added in the own block. They add up to the vector.
    """

    words: Words
    frac_bits: int


def mask_columns(
    session: Session,
    randomness: Randomness,
    label: str,
    form: JointForm,
    own: Callable[[slice], NDArray[Any]],
) -> JointColumns:
    """Send D = X - A to the others and take theirs. `own` gives X's words for a slice of rows.

    Shapes:   own(slice) (rows of the slice, own width) words at the form's scale -> JointColumns.
    Rounds:   1.  Sends: rows·own width words to each other party, in messages of CHUNK_ROWS rows.
    Reveals:  X - A to all parties; uniform, because A is used for this matrix alone.
    Assumes:  semi-honest; the dealer colludes with no party.
    Source:   one mask of the data for all passes: Mohassel, Zhang 2017 (SecureML);
              docs/protocols/logistic.md.
    Raises:   MaskReuseError, ShapeError, PeerTimeout, StepMismatchError.
    """
    me, widths, dtype = session.me, form.layout.widths, form.dtype
    blocks: dict[str, Words] = {p: np.empty((form.rows, w), dtype=dtype) for p, w in widths.items()}
    with session.scope(label):
        for number, chunk in enumerate(row_chunks(form.rows)):
            words = blocks[me][chunk]
            for start in range(0, len(words), _PIECE):
                stop = min(start + _PIECE, len(words))
                words[start:stop] = own(slice(chunk.start + start, chunk.start + stop))
            if widths[me]:
                masked = randomness.mask(f"mask/{number}", words.shape, dtype)
                np.subtract(words, masked, out=masked)
                session.broadcast(f"columns/{number}", Masked(masked, form.frac_bits))
        for number, chunk in enumerate(row_chunks(form.rows)):
            for peer in session.peers:
                if widths[peer]:
                    shape = (chunk.stop - chunk.start, widths[peer])
                    blocks[peer][chunk] = session.hear_one(peer, f"columns/{number}", shape, dtype)
    return JointColumns(form, blocks)


def deal_columns(dealer: Dealer, session: Session, label: str, form: JointForm) -> JointColumns:
    """Dealer's side of `mask_columns`: expand all parties' masks A.

    Shapes:   -> JointColumns holding A in place of X and D.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `mask_columns`.
    Source:   as `mask_columns`.
    Raises:   MaskReuseError.
    """
    widths, dtype = form.layout.widths, form.dtype
    blocks: dict[str, Words] = {p: np.empty((form.rows, w), dtype=dtype) for p, w in widths.items()}
    with session.scope(label):
        for number, chunk in enumerate(row_chunks(form.rows)):
            for party, width in widths.items():
                if width:
                    shape = (chunk.stop - chunk.start, width)
                    blocks[party][chunk] = dealer.mask_of(party, f"mask/{number}", shape, dtype)
    return JointColumns(form, blocks)


def open_to_owners(
    session: Session, randomness: Randomness, label: str, layout: ColumnLayout, u: Share
) -> OpenedToOwners:
    """Each party learns its own block of u under a fresh mask: what products of private matrices take.

    Shapes:   u (d,) uint64 -> OpenedToOwners (d,) at the same scale.
    Rounds:   1.  Sends: 8·width bytes to each other party, of that party's block.
    Reveals:  u_i - b_i to party i; uniform, because b is used once.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    with session.scope(label):
        words = randomness.mask("vector", u.shape)
        masked = u.value - words
        for peer in session.peers:
            if layout.widths[peer]:
                session.send(peer, "vector", MaskedShare(masked[layout.span(peer)], u.frac_bits))
        own = layout.span(session.me)
        if layout.widths[session.me]:
            words[own] += masked[own]
            for peer in session.peers:
                words[own] += session.receive_one(peer, "vector", words[own].shape)
    return OpenedToOwners(words, u.frac_bits)


def deal_to_owners(dealer: Dealer, session: Session, label: str, layout: ColumnLayout) -> list[Words]:
    """Dealer's side of `open_to_owners`: all parties' masks.

    Shapes:   -> k times (d,) uint64.
    Rounds:   0.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `open_to_owners`.
    Source:   as `open_to_owners`.
    Raises:   MaskReuseError.
    """
    with session.scope(label):
        return dealer.masks("vector", (layout.columns,))


def without_owners(layout: ColumnLayout, masks: list[Words], drop: int = 0) -> Words:
    """(d,) uint64: for each block the sum of all masks but its owner's, each without its low `drop` bits."""
    short = [shifted_down(mask, drop, np.uint64) for mask in masks]
    total = np.asarray(np.sum(short, axis=0, dtype=np.uint64))
    for party, mask in zip(layout.widths, short, strict=True):
        total[layout.span(party)] -= mask[layout.span(party)]
    return total


def forward(
    session: Session, randomness: Randomness, label: str, columns: JointColumns, u: OpenedToOwners, drop: int
) -> Share:
    """Σ_i X_i·u_i, where the low `drop` bits of u are left out.

    Shapes:   columns (n, d), u (d,) at scale f -> Share (n,) in the columns' words at scale
              f - drop + columns.frac_bits, right mod 2**(64 - drop), or mod 2**32 for uint32.
    Rounds:   0 (waits for the provider, if it is this party's turn).  Sends: nothing.
    Reveals:  nothing.
    Assumes:  semi-honest.
    Source:   the module's text.
    Raises:   MaskReuseError, PeerTimeout, StepMismatchError.
    """
    words = shifted_down(u.words, drop, columns.dtype)
    with session.scope(label):
        out = randomness.take("product", ForwardProduct(columns.form), columns, words).copy()
        out += _forward(columns, words)
    return Share(out, u.frac_bits - drop + columns.frac_bits)


def deal_forward(
    dealer: Dealer, session: Session, label: str, columns: JointColumns, masks: list[Words], drop: int
) -> None:
    """Dealer's side of `forward`.

    Shapes:   columns (n, d) holding A; masks of `deal_to_owners`.
    Rounds:   0.  Sends: n words to one party.
    Reveals:  nothing.
    Assumes:  as `forward`.
    Source:   as `forward`.
    Raises:   MaskReuseError, PeerError.
    """
    others = without_owners(columns.layout, masks, drop).astype(columns.dtype)
    with session.scope(label):
        dealer.deal("product", ForwardProduct(columns.form), columns, others)


def backward(
    session: Session,
    randomness: Randomness,
    label: str,
    columns: JointColumns,
    v: Share,
    block_rows: int | None = None,
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
        mask = randomness.mask("rows", v.shape, v.value.dtype)
        own = session.open("rows", MaskedShare(v.value - mask, v.frac_bits)) + mask
        factors = {party: own if party == session.me else mask for party in columns.blocks}
        out = _backward(columns, factors, block_rows)
        out += randomness.take("product", BackwardProduct(columns.form, block_rows), columns, mask)
    return Share(out, v.frac_bits + columns.frac_bits)


def deal_backward(
    dealer: Dealer, session: Session, label: str, columns: JointColumns, block_rows: int | None = None
) -> None:
    """Dealer's side of `backward`.

    Shapes:   columns (n, d) holding A.
    Rounds:   0.  Sends: d words, or d for each block of rows, to one party.
    Reveals:  nothing.
    Assumes:  as `backward`.
    Source:   as `backward`.
    Raises:   MaskReuseError, PeerError.
    """
    with session.scope(label):
        others = dealer.masks_of_others("rows", (columns.rows,), columns.dtype)
        dealer.deal("product", BackwardProduct(columns.form, block_rows), columns, others)


def _forward(columns: JointColumns, vector: Words) -> Words:
    """Σ_i of each block times its part of the vector: (n,)."""
    total = np.zeros(columns.rows, dtype=columns.dtype)
    for party, block in columns.blocks.items():
        total += matvec(block, vector[columns.layout.span(party)])
    return total


def _backward(columns: JointColumns, vectors: Mapping[str, Words], block_rows: int | None) -> Words:
    """Each block's sums of rows, weighted by the vector (n,) for its owner: (d,), or (blocks of rows, d)."""
    parts = [
        column_sums(block, vectors[party])
        if block_rows is None
        else block_sums(block, vectors[party], block_rows)
        for party, block in columns.blocks.items()
    ]
    return np.concatenate(parts, axis=-1)
