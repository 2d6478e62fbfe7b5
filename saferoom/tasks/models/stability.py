"""How far the features of a scorecard or of boosted trees have moved.

A data set's rows of today in the bins of the training rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from saferoom.data.catalogue import Registration
from saferoom.data.loading import load
from saferoom.data.tree_columns import TreeColumns
from saferoom.data.woe import WoePreparation, assign
from saferoom.errors import UsageError
from saferoom.models.stability import SHIFTED, STABLE, stability_of_counts
from saferoom.tasks.models.load import AnyModel


def feature_stability(model: AnyModel, registration: Registration) -> dict[str, Any]:
    """The stability index of each feature, most moved first.

    Raises UsageError if the model's features have no bins.
    """
    preparation = model.preparation
    if isinstance(preparation, WoePreparation):
        binned = {column.name: (column.bins, column.counts.rows) for column in preparation.columns}
    elif isinstance(preparation, TreeColumns):
        binned = {name: (bins, np.array(preparation.rows[name])) for name, bins in preparation.bins.items()}
    else:
        raise UsageError(
            "features have bins in a scorecard or boosted trees only", remedy="name a model of these kinds"
        )
    types = preparation.types
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
