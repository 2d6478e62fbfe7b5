"""How a fit that fails its checks ends, at every party and the helper; nothing is released."""

from __future__ import annotations

from saferoom.errors import ProtocolError


def out_of_range(step: str) -> ProtocolError:
    """Its scores are too large."""
    return ProtocolError(
        "too many training scores lie outside the range in which the sigmoid is exact; nothing is released",
        step=step,
        remedy="winsorise the features, raise l2, or set a larger logit_range, or none",
    )


def not_converged(step: str) -> ProtocolError:
    """It still moves after as many checks as the plan allows."""
    return ProtocolError(
        "the coefficients have not converged after as many checks as there may be; nothing is released",
        step=step,
        remedy="winsorise the features, raise l2, or leave logit_range out",
    )


def undetermined(step: str) -> ProtocolError:
    """Its Hessian cannot be inverted: some direction of the coefficients is determined by next to nothing."""
    return ProtocolError(
        "the data do not determine all coefficients: columns of different parties repeat each other, or the "
        "classes are fully separated; nothing is released",
        step=step,
        remedy="leave out a column that another party holds too, or raise l2",
    )
