"""Waiting for what a test brings about. How long it takes depends on the machine: limits are for failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_S = 120.0
"""Far more than anything takes on a machine that is busy with other work, and less than a test may take."""

Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str = "what the test waits for") -> Found:
    """What `condition` gives once it is true; fails after LIMIT_S and says what did not come."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {LIMIT_S:g} s: {what}"
        time.sleep(0.01)
    return found


def until_still(value: Callable[[], object], still_s: float = 0.3) -> None:
    """Until a value has stopped changing. On a busy machine that may only seem so: expect no more of it."""
    last, since = value(), time.monotonic()
    while time.monotonic() < since + still_s:
        time.sleep(0.01)
        if (now := value()) != last:
            last, since = now, time.monotonic()
