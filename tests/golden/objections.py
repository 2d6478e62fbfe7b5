"""What is said against something: the class and every word of the error that an attempt ends in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ACCEPTED = "(accepted)"


def said(attempt: Callable[[], object]) -> str:
    """`Class: text` of the error, as people read it; `ACCEPTED` if there is none."""
    try:
        attempt()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ACCEPTED


def all_said(attempts: Mapping[str, Callable[[], Any]]) -> dict[str, str]:
    return {name: said(attempt) for name, attempt in attempts.items()}
