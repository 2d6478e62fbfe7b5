"""How far the binned features of a model have moved: a data set's rows of today in the bins of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from saferoom.data.catalogue import Registration
from saferoom.data.loading import load
from saferoom.data.woe import assign
from saferoom.models.stability import SHIFTED, STABLE, stability_of_counts
from saferoom.tasks.base import Model


def feature_stability(model: Model, registration: Registration) -> dict[str, Any]:
    """The stability index of each feature, most moved first.

    Raises UsageError if the model's features have no bins.
    """
    binned, types = model.binned(), model.preparation.types
    table = load(registration.description, list(types), types=types, version=registration.version)
    found = {}
    for name, (bins, then) in binned.items():
        now = np.bincount(assign(name, bins, table.column(name)), minlength=bins.size)
        found[name] = stability_of_counts(then, now)
    features = [
        {"feature": name, "stability_index": value, "verdict": _verdict(value)}
        for name, value in sorted(found.items(), key=lambda item: -item[1])
    ]
    return {"model": model.job, "dataset": registration.name, "rows": len(table), "features": features}


def _verdict(value: float) -> str:
    return "stable" if value < STABLE else "moved" if value <= SHIFTED else "shifted"
