"""The label holder's judgement of the training scores, told to all before anything is released.

It is the only one who sees scores and labels. Outside its range the sine series is wrong silently, and a
fixed number of passes may not suffice on pathological data: then the job must fail loudly, at every party.
"""

from __future__ import annotations

import numpy as np

from saferoom.arrays import F64
from saferoom.channel.session import Session
from saferoom.errors import ProtocolError

MOST_BEYOND = 0.002  # share of training rows that may lie beyond the reach by more than the margin
MARGIN = 1.4
_MOST_DRIFT = 0.05  # of mean probability and default rate, in units of the mean standard deviation of a label


def judge(scores: F64, labels: F64, reach: float) -> int:
    """0: all is well; 1: too many scores out of range; 2: the intercept's gradient is not near zero.

    scores, labels (n,); reach: where the sigmoid's series holds.
    """
    if float((np.abs(scores) > MARGIN * reach).mean()) > MOST_BEYOND:
        return 1
    fitted = 1.0 / (1.0 + np.exp(-np.clip(scores, -50, 50)))
    spread = float(np.sqrt((fitted * (1 - fitted)).mean())) + 1e-9
    return 2 if abs(float((fitted - labels).mean())) > _MOST_DRIFT * spread else 0


def exchange_verdict(session: Session, label_holder: str, own: int | None) -> ProtocolError | None:
    """The label holder discloses its verdict (`own`) to the others; gives the error it means, or None."""
    if own is None:
        verdict = int(session.receive_one(label_holder, "range", (1,), np.uint8)[0])
    else:
        verdict = own
        for peer in session.peers:
            session.disclose("range", peer, np.array([verdict], dtype=np.uint8), kind="range_check")
    if verdict == 0:
        return None
    make = _not_converged if verdict == 2 else _out_of_range
    return make(session.step("range"), label_holder)


def _out_of_range(step: str, party: str) -> ProtocolError:
    return ProtocolError(
        "too many training scores lie outside the range in which the sigmoid is exact; nothing is released",
        party=party,
        step=step,
        remedy="winsorise the features, raise l2, or set a larger logit_range",
    )


def _not_converged(step: str, party: str) -> ProtocolError:
    return ProtocolError(
        "predicted probabilities do not average to the default rate (no convergence); nothing is released",
        party=party,
        step=step,
        remedy="winsorise the features, drop repeated columns, or raise l2",
    )
