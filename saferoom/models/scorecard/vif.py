"""Variance inflation factors of columns that several parties hold, without showing a column: assisted mode.

    R  = ZᵀZ, Z standardised and divided by √rows      on shares: the correlations of all parties' columns
    V  = (R + ridge·I)⁻¹                               on shares; its diagonal are the factors
    the position of the largest above the bound        revealed to the label holder, who tells it to all
    all leave that column out of R, and continue from V, until no factor is above the bound
    diagonal of the last V                             revealed to the label holder: the factors that are left

Factors of a column before and after another is left out give their partial correlation: so nobody learns
factors but the last, and of comparisons nothing but which column is left out. A factor of 10 says that nine
tenths of a column's variance are explained by the other columns. The label holder knows columns of others by
their position alone. The rows are the first in the common order, which
follows pseudonyms under a key of this job: a random sample. Source: Belsley, Kuh, Welsch 1980, chapter 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, Words
from saferoom.channel.session import Session
from saferoom.errors import PeerError
from saferoom.models.logistic.input import agree_sizes
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.inverse import Inversion, deal_inverse, open_inverse
from saferoom.protocols.joint_columns import ColumnLayout, JointForm
from saferoom.protocols.largest import deal_largest, share_largest
from saferoom.protocols.private_matrix import deal_columns, mask_columns
from saferoom.protocols.products import deal_factor, open_factor
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.shared_bits import reveal_bits
from saferoom.protocols.truncation import deal_truncation, open_truncated
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import decode, encode, without_low_bits
from saferoom.sharing.values import Share

Columns: TypeAlias = NDArray[np.intp]

MOST_ROWS = 20_000
RIDGE = 0.001
"""Factors come out below 1 / RIDGE: a column repeated by another party has one of about 500."""

_COLUMN_BITS, _MATRIX_BITS, _RESULT_BITS = 24, 16, 12
_RELEASED_BITS = 6
_NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Inflation:
    """Which of the own columns stay (c,); at the label holder the factors of each party's columns that do."""

    stays: NDArray[np.bool_]
    factors: Mapping[str, list[float]] = field(default_factory=dict)


def leave_out_collinear(session: Session, columns: F64, *, label_holder: str, most: float) -> Inflation:
    """Which of the own columns stay once no factor of the remaining ones is above `most`.

    columns: (n, c) of the training rows, the same n at all parties, none constant. The last column of a
    feature holder always stays. The helper calls `deal_leave_out_collinear`.
    Discloses "widths" to all, "left_out" to the label holder and by it to the others, "vif" to the label
    holder. Raises PeerError for a peer that does not follow.
    """
    with session.scope("vif"):
        _declare_widths(session)
        sample = columns[:MOST_ROWS]
        _, layout = agree_sizes(session, sample.shape, "")
        randomness = receive_seed(session)
        gram = _correlations(session, randomness, layout, sample)
        left = np.arange(layout.columns)
        while True:
            with session.scope(f"round={layout.columns - len(left)}"):
                part = Share(gram.value[np.ix_(left, left)], gram.frac_bits)
                factors = _share_factors(session, randomness, part)
                drop = _leave_out(session, randomness, factors, (layout, left), label_holder, most)
                if drop == _NONE:
                    shown = session.reveal("factors", label_holder, _coarse(factors), kind="vif")
                    break
            left = left[left != drop]
    stays = np.isin(np.arange(layout.columns), left)
    return Inflation(stays[layout.span(session.me)], _by_party(layout, left, shown))


def _by_party(layout: ColumnLayout, left: Columns, shown: Words | None) -> dict[str, list[float]]:
    if shown is None:
        return {}
    factors = decode(shown, _RESULT_BITS)
    return {
        party: [float(f) for place, f in zip(left.tolist(), factors, strict=True) if place in its]
        for party in layout.widths
        for its in [_range(layout, party)]
    }


def deal_leave_out_collinear(session: Session, label_holder: str) -> None:
    """The helper's side: it learns sizes, and how many columns are left out."""
    with session.scope("vif"):
        rows, layout = agree_sizes(session, None, "")
        dealer = deal_seeds(session)
        columns = deal_columns(dealer, session, "columns", JointForm(layout, rows, _COLUMN_BITS))
        deal_weighted_gram(dealer, session, "correlations", columns, 64)
        shape = (layout.columns, layout.columns)
        deal_truncation(dealer, session, "scale", shape, 2 * _COLUMN_BITS - _MATRIX_BITS)
        left = np.arange(layout.columns)
        while True:
            with session.scope(f"round={layout.columns - len(left)}"):
                matrix = deal_factor(dealer, session, "matrix", (len(left), len(left)))
                deal_inverse(dealer, session, "inverse", matrix, _MATRIX_BITS, _inversion(len(left)))
                may_go = _may_go(layout, left, label_holder)
                if len(may_go):
                    deal_largest(dealer, session, "largest", len(may_go))
                drop = _hear_left_out(session, label_holder, left)
            if drop == _NONE:
                break
            left = left[left != drop]


def _declare_widths(session: Session) -> None:
    for node in session.others:
        session.declare("sizes", node, (1,), kind="widths")


def _correlations(session: Session, randomness: Randomness, layout: ColumnLayout, sample: F64) -> Share:
    """Shares of R + ridge·I, (d, d)."""
    z = sample - sample.mean(axis=0)
    z /= np.maximum(np.sqrt((z**2).sum(axis=0)), 1e-300)
    form = JointForm(layout, len(sample), _COLUMN_BITS)
    columns = mask_columns(session, randomness, "columns", form, lambda chunk: encode(z[chunk], _COLUMN_BITS))
    ones = np.full(len(sample), session.is_first, dtype=np.uint64)
    gram = open_weighted_gram(session, randomness, "correlations", columns, Share(ones, 0), 64)
    scaled = open_truncated(session, randomness, "scale", gram, gram.frac_bits - _MATRIX_BITS)
    ridge = encode(RIDGE * np.eye(layout.columns) * session.is_first, _MATRIX_BITS)
    return Share(scaled.value + ridge, _MATRIX_BITS)


def _share_factors(session: Session, randomness: Randomness, gram: Share) -> Share:
    matrix = open_factor(session, randomness, "matrix", gram)
    inverse = open_inverse(session, randomness, "inverse", matrix, _inversion(gram.shape[0]))
    return Share(np.diagonal(inverse.value).copy(), _RESULT_BITS)


def _coarse(factors: Share) -> Share:
    words = without_low_bits(factors.value, _RESULT_BITS - _RELEASED_BITS)
    return Share(words, factors.frac_bits)


def _bound(size: int) -> float:
    """No eigenvalue of a correlation matrix is above its size."""
    return size + 1.0


def _inversion(size: int) -> Inversion:
    return Inversion(_bound(size), RIDGE / _bound(size), _RESULT_BITS)


def _leave_out(
    session: Session,
    randomness: Randomness,
    factors: Share,
    remaining: tuple[ColumnLayout, Columns],
    label_holder: str,
    most: float,
) -> int:
    """Which of the remaining columns is to be left out: the label holder learns it, and tells it to all."""
    layout, left = remaining
    may_go = _may_go(layout, left, label_holder)
    if not len(may_go):
        return _tell(session, label_holder, left, _NONE)
    floor = round(most * 2**_RESULT_BITS)
    bits = share_largest(session, randomness, "largest", factors[may_go], floor)
    shown = reveal_bits(session, "largest told", label_holder, bits, kind="left_out")
    if shown is None:
        return _tell(session, label_holder, left, _NONE)
    found = np.flatnonzero(np.unpackbits(shown, count=len(may_go)))
    return _tell(session, label_holder, left, int(left[may_go[found[0]]]) if len(found) else _NONE)


def _may_go(layout: ColumnLayout, left: Columns, label_holder: str) -> Columns:
    """Places in `left` of columns that may be left out: not the last of a feature holder."""
    owners = np.array(
        [next(p for p in layout.widths if column in _range(layout, p)) for column in left.tolist()]
    )
    counts = {party: int((owners == party).sum()) for party in layout.widths}
    return np.flatnonzero([owner == label_holder or counts[owner] > 1 for owner in owners.tolist()])


def _range(layout: ColumnLayout, party: str) -> range:
    span = layout.span(party)
    return range(span.start, span.stop)


def _tell(session: Session, label_holder: str, left: Columns, worst: int) -> int:
    """The label holder tells everybody, the helper too, which column to leave out."""
    if session.me != label_holder:
        return _hear_left_out(session, label_holder, left)
    told = np.array([worst], dtype=np.int64)
    session.disclose_to_peers("left out", told, kind="left_out")
    for helper in session.helpers:
        session.disclose("left out", helper, told, kind="left_out")
    return worst


def _hear_left_out(session: Session, label_holder: str, left: Columns) -> int:
    drop = int(session.hear_one(label_holder, "left out", (1,), np.int64)[0])
    if drop != _NONE and drop not in left:
        raise PeerError("names no column", party=label_holder, step=session.step("left out"))
    return drop
