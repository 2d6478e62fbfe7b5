"""Population stability index of counts in bins: how far a distribution has moved.

    Σ (a − e) · ln(a / e)      e, a: expected and actual shares of the bins

Below 0.1 is commonly called stable, above 0.25 shifted. An empty bin counts as half a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.errors import UsageError

STABLE, SHIFTED = 0.1, 0.25


def stability_of_counts(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    """Of two samples' rows in the same bins: (b,) each. Raises UsageError if one is empty."""
    if not (expected.sum() and actual.sum()):
        raise UsageError("the stability index compares two samples that are not empty")
    e, a = _shares(expected), _shares(actual)
    return float(np.sum((a - e) * np.log(a / e)))


def _shares(counts: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.maximum(counts, 0.5) / counts.sum())
