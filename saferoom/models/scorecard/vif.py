"""Variance inflation factors of columns that several parties hold, without showing a column: assisted mode.

    R  = ZᵀZ, Z standardised and divided by √rows      on shares: the correlations of all parties' columns
    V  = (R + ridge·I)⁻¹                               on shares
    diagonal of V                                      revealed to the label holder: the factors
    the label holder names a column, or none           all leave it out of R, and continue from V

A factor of 10 says that nine tenths of a column's variance are explained by the other columns. The label
holder knows columns of others by their position alone. The rows are the first in the common order, which
follows pseudonyms under a key of this job: a random sample. Source: Belsley, Kuh, Welsch 1980, chapter 3.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.channel.session import Session
from saferoom.errors import PeerError
from saferoom.models.logistic.input import agree_sizes
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.inverse import Inversion, deal_inverse, open_inverse
from saferoom.protocols.joint_columns import ColumnLayout, JointForm
from saferoom.protocols.private_matrix import deal_columns, mask_columns
from saferoom.protocols.randomness import Randomness
from saferoom.protocols.truncation import deal_truncation, open_truncated
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import decode, encode
from saferoom.sharing.values import Share

Columns: TypeAlias = NDArray[np.intp]

MOST_ROWS = 20_000
RIDGE = 0.001
"""Factors come out below 1 / RIDGE: a column repeated by another party has one of about 500."""

_COLUMN_BITS, _MATRIX_BITS, _RESULT_BITS = 24, 16, 10
_NONE = -1


def leave_out_collinear(
    session: Session, columns: F64, *, label_holder: str, most: float
) -> NDArray[np.bool_]:
    """Which of the own columns stay once no factor of the remaining ones is above `most`.

    columns: (n, c) of the training rows, the same n at all parties, none constant -> (c,). The last column
    of a feature holder always stays. The helper calls `deal_leave_out_collinear`.
    Discloses "widths" to all, "vif" to the label holder, "left_out" to the others.
    Raises PeerError for a peer that does not follow.
    """
    with session.scope("vif"):
        _declare_widths(session)
        sample = columns[:MOST_ROWS]
        _, layout = agree_sizes(session, sample.shape, "")
        randomness = receive_seed(session)
        gram = _correlations(session, randomness, layout, sample)
        left = np.arange(layout.columns)
        for number in range(layout.columns):
            with session.scope(f"round={number}"):
                part = Share(gram.value[np.ix_(left, left)], gram.frac_bits)
                factors = _reveal_factors(session, randomness, part, label_holder)
                worst = None if factors is None else _worst(factors, left, layout, label_holder, most)
                drop = _tell(session, label_holder, worst, left)
            if drop == _NONE:
                break
            left = left[left != drop]
    own = layout.span(session.me)
    return np.isin(np.arange(own.start, own.stop), left)


def deal_leave_out_collinear(session: Session, label_holder: str) -> None:
    """The helper's side: it learns sizes, and how many columns are left out."""
    with session.scope("vif"):
        rows, layout = agree_sizes(session, None, "")
        dealer = deal_seeds(session)
        columns = deal_columns(dealer, session, "columns", JointForm(layout, rows, _COLUMN_BITS))
        deal_weighted_gram(dealer, session, "correlations", columns, 64)
        shape = (layout.columns, layout.columns)
        deal_truncation(dealer, session, "scale", shape, 2 * _COLUMN_BITS - _MATRIX_BITS)
        for number in range(layout.columns):
            with session.scope(f"round={number}"):
                size = layout.columns - number
                deal_inverse(dealer, session, "inverse", size, _MATRIX_BITS, _inversion(size))
                drop = int(session.receive_one(label_holder, "left out", (1,), np.int64)[0])
            if drop == _NONE:
                break


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


def _reveal_factors(session: Session, randomness: Randomness, gram: Share, label_holder: str) -> F64 | None:
    inverse = open_inverse(session, randomness, "inverse", gram, _inversion(len(gram.value)))
    diagonal = Share(np.diagonal(inverse.value).copy(), _RESULT_BITS)
    shown = session.reveal("factors", label_holder, diagonal, kind="vif")
    return None if shown is None else decode(shown, _RESULT_BITS)


def _bound(size: int) -> float:
    """No eigenvalue of a correlation matrix is above its size."""
    return size + 1.0


def _inversion(size: int) -> Inversion:
    return Inversion(_bound(size), RIDGE / _bound(size), _RESULT_BITS)


def _worst(factors: F64, left: Columns, layout: ColumnLayout, label_holder: str, most: float) -> int:
    """The column, of those `left`, with the largest factor above `most`; _NONE if there is none."""
    for place in np.argsort(-factors).tolist():
        if factors[place] <= most:
            break
        column = int(left[place])
        owner = next(party for party in layout.widths if column in _range(layout, party))
        if owner == label_holder or sum(one in _range(layout, owner) for one in left.tolist()) > 1:
            return column
    return _NONE


def _range(layout: ColumnLayout, party: str) -> range:
    span = layout.span(party)
    return range(span.start, span.stop)


def _tell(session: Session, label_holder: str, worst: int | None, left: Columns) -> int:
    """The label holder tells everybody, the helper too, which column to leave out."""
    if worst is not None:
        for node in session.others:
            session.disclose("left out", node, np.array([worst], dtype=np.int64), kind="left_out")
        return worst
    drop = int(session.receive_one(label_holder, "left out", (1,), np.int64)[0])
    if drop != _NONE and drop not in left:
        raise PeerError("names no column", party=label_holder, step=session.step("left out"))
    return drop
