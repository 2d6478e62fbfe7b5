"""Standard errors of a joint regression's coefficients, each revealed to its column's owner: assisted mode.

    H  = Zᵀ·diag(c·p(1 − p))·Z        on shares; p are the fitted probabilities, which the label holder has
    V  = (H + ridge·I)⁻¹              on shares
    own part of V's diagonal          revealed to each party: the errors' squares, in units of its own columns

Z are the centred columns, divided by their own spread and √rows, and a constant column at the label holder.
`c` is 1 / (rate·(1 − rate)) of the training rows' default rate, which every party that counted bins knows: it
keeps H near the correlation matrix. On the first 20,000 rows in the common order, which is random. Right
within some percent; columns that repeat each other have larger errors than shown.
Source: Hosmer, Lemeshow 2000, §2.4.
"""

from __future__ import annotations

import numpy as np

from saferoom.arrays import F64
from saferoom.channel.session import Session
from saferoom.models.logistic.input import agree_sizes
from saferoom.models.scorecard.vif import MOST_ROWS, RIDGE
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.inverse import Inversion, deal_inverse, open_inverse
from saferoom.protocols.joint_columns import JointForm
from saferoom.protocols.private_matrix import deal_columns, mask_columns
from saferoom.protocols.products import deal_factor, open_factor
from saferoom.protocols.truncation import deal_truncation, open_truncated
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import decode, encode, without_low_bits
from saferoom.sharing.values import Share

_COLUMN_BITS, _WEIGHT_BITS, _MATRIX_BITS, _RESULT_BITS = 20, 12, 16, 14
_RELEASED_BITS = 8  # of a variance, which in these units is about one or more
_MOST_WEIGHT = 8.0
"""Higher weights count as this, so that no eigenvalue exceeds it times the number of columns. Rows have such
weights only where defaults are rarer than 3 %."""


def standard_errors(
    session: Session, columns: F64, probabilities: F64 | None, rate: float, *, label_holder: str
) -> F64:
    """The errors (c,) of the own columns' coefficients; the helper calls `deal_standard_errors`.

    columns: (n, c) of the training rows, as they were trained on. probabilities: (n,) at the label holder,
    None elsewhere. rate: the default rate of the training rows, the same at all parties.
    Discloses "widths" to all, "standard_errors" to each party that has columns.
    Raises PeerError for a peer that does not follow.
    """
    scale = 1.0 / (rate * (1.0 - rate))
    with session.scope("errors"):
        for node in session.others:
            session.declare("sizes", node, (1,), kind="widths")
        sample = columns[:MOST_ROWS]
        rows, layout = agree_sizes(session, sample.shape, label_holder)
        randomness = receive_seed(session)
        z, spread = _standardised(sample, constant=session.me == label_holder)
        form = JointForm(layout, rows, _COLUMN_BITS)
        joint = mask_columns(
            session, randomness, "columns", form, lambda chunk: encode(z[chunk], _COLUMN_BITS)
        )
        weights = np.zeros(rows)
        if probabilities is not None:
            p = probabilities[:MOST_ROWS]
            weights = np.minimum(scale * p * (1.0 - p), _MOST_WEIGHT)
        shared = Share(encode(weights, _WEIGHT_BITS), _WEIGHT_BITS)
        gram = open_weighted_gram(session, randomness, "curvature", joint, shared, 64)
        scaled = open_truncated(session, randomness, "scale", gram, gram.frac_bits - _MATRIX_BITS)
        ridge = encode(RIDGE * np.eye(layout.columns) * session.is_first, _MATRIX_BITS)
        matrix = Share(scaled.value + ridge, _MATRIX_BITS)
        inverse = open_inverse(
            session,
            randomness,
            "inverse",
            open_factor(session, randomness, "matrix", matrix),
            _inversion(layout.columns),
        )
        own: F64 = np.zeros(0)
        diagonal = without_low_bits(np.diagonal(inverse.value), _RESULT_BITS - _RELEASED_BITS)
        for party in session.parties:
            width = layout.widths[party] - (party == label_holder)
            if width:
                start = layout.span(party).start
                part = Share(diagonal[start : start + width], _RESULT_BITS)
                shown = session.reveal(f"variances/{party}", party, part, kind="standard_errors")
                own = own if shown is None else decode(shown, _RESULT_BITS)
    return np.asarray(np.sqrt(np.maximum(own, 0.0) * scale / len(columns)) / spread)


def deal_standard_errors(session: Session, label_holder: str) -> None:
    """The helper's side: it learns sizes."""
    with session.scope("errors"):
        rows, layout = agree_sizes(session, None, label_holder)
        dealer = deal_seeds(session)
        columns = deal_columns(dealer, session, "columns", JointForm(layout, rows, _COLUMN_BITS))
        deal_weighted_gram(dealer, session, "curvature", columns, 64)
        shape = (layout.columns, layout.columns)
        deal_truncation(dealer, session, "scale", shape, 2 * _COLUMN_BITS + _WEIGHT_BITS - _MATRIX_BITS)
        deal_inverse(
            dealer,
            session,
            "inverse",
            deal_factor(dealer, session, "matrix", shape),
            _MATRIX_BITS,
            _inversion(layout.columns),
        )


def _standardised(sample: F64, *, constant: bool) -> tuple[F64, F64]:
    """Z (m, c or c + 1), and the own columns' spread (c,)."""
    rows = max(len(sample), 1)
    centred = sample - sample.mean(axis=0)
    spread = np.maximum(np.sqrt((centred**2).mean(axis=0)), 1e-300)
    parts = [centred / spread, *([np.ones((len(sample), 1))] if constant else [])]
    return np.hstack(parts) / np.sqrt(rows), spread


def _inversion(size: int) -> Inversion:
    bound = _MOST_WEIGHT * size + 1.0
    return Inversion(bound, RIDGE / bound, _RESULT_BITS)
