"""Where to cut between two values: not at one of them, of which another writing may lie beyond the cut."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from saferoom.arrays import F64


def between(values: F64, edges: Iterable[float]) -> list[float]:
    """Edges that part the sorted `values` (n,) as `edges` do, each well between its two neighbours.

    The roundest number in the middle half of the gap. An edge that no value exceeds stays.
    """
    found = []
    for edge in edges:
        above = int(np.searchsorted(values, edge, side="right"))
        if 0 < above < len(values):
            found.append(_roundest(float(values[above - 1]), float(values[above])))
        else:
            found.append(float(edge))
    return found


def _roundest(low: float, high: float) -> float:
    """low <= it < high."""
    half = high / 2 - low / 2
    if not 0 < half < math.inf:
        return low
    edge = round(low + half, math.ceil(-math.log10(half)))
    return edge if low <= edge < high else low
