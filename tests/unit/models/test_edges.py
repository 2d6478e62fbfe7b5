"""Edges lie between their neighbours, however near or far those are."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.models.scorecard.edges import between


@pytest.mark.parametrize(
    ("low", "high", "edge"),
    [
        (1.0, 2.0, 1.5),
        (0.0, 5e-324, 0.0),
        (1e-323, 3e-323, 2e-323),
        (1.0, np.nextafter(1.0, 2), 1.0),
        (-1.7e308, 1.7e308, 0.0),
        (12_345.0, 98_765.0, 60_000.0),
        (1.0, np.inf, 1.0),
    ],
)
def test_an_edge_between_two_values(low: float, high: float, edge: float) -> None:
    found = between(np.array([low, high]), [low])
    assert found == pytest.approx([edge], abs=1e-323)
    assert low <= found[0] < high
