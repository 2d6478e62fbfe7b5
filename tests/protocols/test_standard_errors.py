"""Standard errors of the joint regression: those of the pooled columns, each at its owner alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Session
from saferoom.models.scorecard.standard_errors import deal_standard_errors, standard_errors
from tests.logistic_room import synthetic
from tests.numeric_room import Room

Array = np.ndarray[Any, Any]


def pooled_errors(columns: Array, p: Array) -> Array:
    design = np.hstack([columns, np.ones((len(columns), 1))])
    hessian = design.T @ (design * (p * (1 - p))[:, None])
    return np.sqrt(np.diag(np.linalg.inv(hessian)))[:-1]


@pytest.mark.parametrize("widths", [[3, 2], [0, 2, 3], [2, 1, 2, 1]])
def test_the_errors_are_those_of_the_pooled_columns(widths: list[int]) -> None:
    blocks, labels = synthetic(3000, widths, seed=3)
    blocks = [block * (1 + place) for place, block in enumerate(blocks)]
    columns = np.hstack(blocks)
    p = 1 / (1 + np.exp(1.8 - columns @ np.full(columns.shape[1], 0.2)))

    def party(session: Session, index: int) -> Array:
        known = p if index == 0 else None
        return standard_errors(session, blocks[index], known, float(labels.mean()), label_holder="p0")

    played = Room().run(len(widths), party, lambda s: deal_standard_errors(s, "p0"))
    assert [len(found) for found in played.results] == widths
    assert np.concatenate(played.results) == pytest.approx(pooled_errors(columns, p), rel=0.05)
    told = {(d.kind, d.to) for d in played.disclosures if d.kind == "standard_errors"}
    assert told == {("standard_errors", f"p{i}") for i, width in enumerate(widths) if width}
