"""Activity over time, for the chart: how many entries of each outcome in each slice of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from saferoom.arrays import Mask
from saferoom.audit.entries.vocabulary import OUTCOMES
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns

SLICES = 120
_SECOND = 1000
_STEPS = tuple(
    _SECOND * step
    for step in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800)
)


def timeline(evidence: Evidence, columns: Columns, rows: Mask) -> dict[str, Any]:
    """`time` (slices,) in seconds since 1970, `step_s`, and a count (slices,) for each outcome."""
    rows = rows & (columns.time >= 0)
    times = columns.time[rows]
    if not len(times):
        return {"step_s": 0, "time": [], **{name: [] for name in OUTCOMES}}
    low, high = int(times.min()), int(times.max())
    step = next((one for one in _STEPS if (high - low) // one < SLICES), _STEPS[-1])
    step = max(step, -(-(high - low + 1) // SLICES) if (high - low) // step >= SLICES else step)
    first = low // step
    count = high // step - first + 1
    outcomes = columns.facets["outcome"][rows]
    places = times // step - first
    series: dict[str, Any] = {
        name: np.bincount(
            places[outcomes == evidence.index.names["outcome"].find(name)], minlength=count
        ).tolist()
        for name in OUTCOMES
    }
    return {"step_s": step / _SECOND, "time": [(first + n) * step / _SECOND for n in range(count)], **series}
