"""What is known of a model's figures on one set of rows: the block `uncertainty` of metrics.json.

    {"rows", "events", "few", "auc": {"value", "low", "high", "method"}, "ks": {…}, "alone": {"auc", "ks"},
     "gain": {"auc": {"value", "low", "high", "p_value", "method"}, "ks": {…}}, "fit": {…} | null}

`few`: fewer than 10 rows in one of the classes: nothing should be concluded, and "gain" is {}. Where nobody
learnt a score, "ks" is "grade_ks", its gain is left out, and "fit" is null.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from saferoom.arrays import I64
from saferoom.models.uncertainty.auc import (
    auc_difference,
    auc_difference_of_counts,
    auc_estimate,
    auc_estimate_of_counts,
)
from saferoom.models.uncertainty.estimate import smaller_class
from saferoom.models.uncertainty.fit import hosmer_lemeshow
from saferoom.models.uncertainty.ks import ks_difference, ks_estimate, ks_estimate_of_counts

FEW = 10

Plain = dict[str, Any]


def uncertainty_of(y: NDArray[Any], pd: ArrayLike, alone_pd: ArrayLike, *, fitted: bool) -> Plain:
    """Of probabilities (n,), joint and alone. `fitted`: the models were trained on these rows."""
    fit, counts = hosmer_lemeshow(y, pd, fitted=fitted), _counts(y)
    gain = {"auc": auc_difference, "ks": ks_difference}
    return {
        **counts,
        "auc": auc_estimate(y, pd).to_plain(),
        "ks": ks_estimate(y, pd).to_plain(),
        "alone": _alone(y, alone_pd),
        "gain": {} if counts["few"] else {key: of(y, pd, alone_pd).to_plain() for key, of in gain.items()},
        "fit": None if fit is None else fit.to_plain(),
    }


def uncertainty_of_grades(y: NDArray[Any], grades: I64, auc: float, alone_pd: ArrayLike) -> Plain:
    """Of grades (n,), best first, and an AUC that was computed on shares."""
    counts = _counts(y)
    rows = np.bincount(grades)
    events = np.bincount(grades[y == 1], minlength=len(rows))
    return {
        **counts,
        "auc": auc_estimate_of_counts(auc, counts["events"], counts["rows"] - counts["events"]).to_plain(),
        "grade_ks": ks_estimate_of_counts(rows, events).to_plain(),
        "alone": _alone(y, alone_pd),
        "gain": {} if counts["few"] else {"auc": auc_difference_of_counts(auc, y, alone_pd).to_plain()},
        "fit": None,
    }


def _counts(y: NDArray[Any]) -> Plain:
    events = int(np.sum(y))
    return {"rows": len(y), "events": events, "few": smaller_class(y) < FEW}


def _alone(y: NDArray[Any], pd: ArrayLike) -> Plain:
    return {"auc": auc_estimate(y, pd).to_plain(), "ks": ks_estimate(y, pd).to_plain()}
