"""Reasons against something, and the refusal that they become."""

from __future__ import annotations

from collections.abc import Iterable

from saferoom.errors import RefusedError


def refuse(reasons: Iterable[str], *, step: str = "contract", remedy: str = "") -> None:
    """Raise RefusedError with all the reasons, if there are any."""
    found = list(reasons)
    if found:
        raise RefusedError(
            "; ".join(found), step=step, remedy=remedy or "agree on a contract with other terms"
        )
