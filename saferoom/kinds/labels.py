"""What a label is: a kind of task owns it, and jobs ask it.

Registration, which knows no contract yet, takes every label column as BINARY.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, slots=True)
class BinaryLabel:
    """An event that happened (1) or did not (0)."""

    expected: str = "0 or 1"
    remedy: str = (
        "write 1 for default and 0 for none, or name the value that means default, "
        "`label: {column: …, event: …}`; leave out rows whose outcome is unknown"
    )
    dtype: DTypeLike = np.int8

    def of_levels(self, levels: Sequence[str], event: str | None) -> NDArray[np.float64]:
        """What each level means, (levels,): 1, 0, or 2 for neither. Beside an `event` all others mean 0."""
        if event is not None:
            return np.array([float(level == event) for level in levels])
        return np.array([float(level) if level in ("0", "1") else 2.0 for level in levels])

    def wrong(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values (n,) are no label; a missing one is none."""
        return np.asarray((values != 0) & (values != 1))

    def too_few(self, labels: NDArray[Any], minimum: int) -> str:
        """Why nothing can be trained on these labels (n,); empty if it can."""
        events = int(labels.sum())
        if min(events, len(labels) - events) >= minimum:
            return ""
        return f"the training rows hold fewer than {minimum} rows of one class"


BINARY = BinaryLabel()
