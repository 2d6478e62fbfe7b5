"""How far the features of a scorecard have moved.

A data set's rows of today in the bins of the training rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from saferoom.data.catalogue import Registration
from saferoom.data.loading import load
from saferoom.data.woe import WoePreparation
from saferoom.errors import UsageError
from saferoom.models.stability import SHIFTED, STABLE, stability_of_counts
from saferoom.node.any_model import AnyModel


def feature_stability(model: AnyModel, registration: Registration) -> dict[str, Any]:
    """The stability index of each feature, most moved first.

    Raises UsageError if the model is no scorecard.
    """
    preparation = model.preparation
    if not isinstance(preparation, WoePreparation):
        raise UsageError("features have bins in a scorecard only", remedy="name a scorecard model")
    types = preparation.types
    table = load(registration.description, list(types), types=types, version=registration.version)
    codes = preparation.codes(table)
    found = {}
    for place, column in enumerate(preparation.columns):
        now = np.bincount(codes[:, place], minlength=column.bins.size)
        found[column.name] = stability_of_counts(column.counts.rows, now)
    features = [
        {"feature": name, "stability_index": value, "verdict": _verdict(value)}
        for name, value in sorted(found.items(), key=lambda item: -item[1])
    ]
    return {"model": model.job, "dataset": registration.name, "rows": len(table), "features": features}


def _verdict(value: float) -> str:
    return "stable" if value < STABLE else "moved" if value <= SHIFTED else "shifted"
