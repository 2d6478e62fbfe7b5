"""What all agree on before a joint logistic regression: sane input, sizes, a public seed."""

from __future__ import annotations

import secrets

import numpy as np

from saferoom.arrays import F64
from saferoom.channel.session import Session
from saferoom.errors import PeerError, ShapeError, UsageError, VerificationError
from saferoom.protocols.joint_columns import ColumnLayout
from saferoom.ring.prg import SEED_BYTES
from saferoom.sharing.values import Public


def check_input(session: Session, features: F64, labels: F64 | None, label_holder: str) -> None:
    """Raises UsageError, ShapeError or VerificationError for input that this party must not bring."""
    step = session.step("input")
    if label_holder not in session.parties:
        raise UsageError("the label holder is not one of the parties", step=step)
    if features.ndim != 2 or features.dtype != np.float64:
        raise ShapeError("features must be a matrix of float64", step=step)
    if (labels is not None) != (session.me == label_holder):
        raise UsageError("the label holder, and nobody else, brings labels", step=step)
    if labels is None:
        if features.shape[1] == 0:
            raise UsageError("a feature holder brings at least one column", step=step)
        return
    if labels.shape != features.shape[:1]:
        raise ShapeError(
            f"{features.shape[0]} rows of features, but labels of shape {labels.shape}", step=step
        )
    if not np.isin(labels, (0.0, 1.0)).all():
        raise VerificationError("a label is neither 0 nor 1", step=step, remedy="recode the label column")
    if not 0 < labels.sum() < len(labels):
        raise VerificationError(
            "all training labels are of one class", step=step, remedy="choose rows that hold both"
        )


def agree_sizes(session: Session, own: tuple[int, ...] | None, label_holder: str) -> tuple[int, ColumnLayout]:
    """Tell rows and columns to everybody, and hear theirs. The label holder's constant column is counted."""
    shapes = {}
    if own is not None:
        rows, columns = own
        size = np.array([rows, columns + (session.me == label_holder)], dtype=np.int64)
        shapes[session.me] = size
        session.broadcast("sizes", Public(size))
        for helper in session.helpers:
            session.send(helper, "sizes", Public(size))
    for party in session.parties:
        if party != session.me:
            shapes[party] = session.hear_one(party, "sizes", (2,), np.int64)
    first = shapes[session.parties[0]]
    for party, size in shapes.items():
        if size[0] != first[0] or size.min() < 0 or size[0] > 1 << 40:
            raise PeerError(
                f"{session.parties[0]} and {party} do not bring the same number of rows",
                party=party,
                step=session.step("sizes"),
                remedy="align the data sets again",
            )
    return int(first[0]), ColumnLayout({party: int(shapes[party][1]) for party in session.parties})


def agree_seed(session: Session) -> bytes:
    """A public seed for the random subset, drawn by the first party."""
    if not session.is_first:
        return bytes(session.hear_one(session.parties[0], "row seed", (SEED_BYTES,), np.uint8))
    seed = secrets.token_bytes(SEED_BYTES)
    session.broadcast("row seed", Public(np.frombuffer(seed, dtype=np.uint8)))
    return seed
