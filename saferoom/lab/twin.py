"""The plaintext twin of a lab run: the pooled model on the same rows and prepared columns.

Regressions by scikit-learn, trees by the plain twin. Only the lab can do this, because it can read every
party's file. No node can.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from saferoom.contracts.params import BoostingParams
from saferoom.errors import StorageError
from saferoom.lab.room import Room
from saferoom.lab.twin_rows import TwinRows
from saferoom.models.boosting.gradients import probabilities
from saferoom.models.boosting.plain import fit_boosting_plain
from saferoom.tasks.boosting import boosting_settings
from saferoom.tasks.models.boosting import BoostedModel
from saferoom.tasks.models.load import model_from_file
from saferoom.tasks.models.logistic import PartyModel

Floats = NDArray[np.float64]
TIGHT, MANY = 1e-8, 10_000


def fit_twin(room: Room, out: Path) -> dict[str, Any]:
    """The twin's metrics, `train` and `test`, and how far the joint model is from it.

    `max_coef_diff`: the largest difference of a coefficient, in standardised units. Of trees `trees`,
    `equal_trees` and `max_pd_diff` (scores.csv has six digits).
    """
    rows = TwinRows.read(out)
    return _boosted(room, out, rows) if room.task.kind == "boosting" else _regression(room, out, rows)


def _regression(room: Room, out: Path, rows: TwinRows) -> dict[str, Any]:
    blocks, coefficients, intercept = [], [], 0.0
    for party in room.parties:
        model = model_from_file(out / "model" / f"{party}.json")
        if not isinstance(model, PartyModel):
            raise StorageError("a model that is no regression", party=party)
        blocks.append(model.preparation.transform(rows.of_party(room, party, model.preparation.types)))
        coefficients.append(model.coefficients)
        intercept += model.intercept or 0.0
    pooled = np.hstack(blocks)
    l2 = float(room.task.params.get("l2", 1.0))
    penalty = 1 / l2 if l2 > 0 else np.inf
    fit = LogisticRegression(C=penalty, tol=TIGHT, max_iter=MANY)
    twin = fit.fit(pooled[rows.is_train], rows.y[rows.is_train])
    joint = np.append(np.concatenate(coefficients), intercept)
    plain = np.append(twin.coef_[0], twin.intercept_)
    measured = rows.measured(twin.predict_proba(pooled)[:, 1])
    return {**measured, "max_coef_diff": float(np.max(np.abs(joint - plain)))}


def _boosted(room: Room, out: Path, rows: TwinRows) -> dict[str, Any]:
    models = {party: model_from_file(out / "model" / f"{party}.json") for party in sorted(room.parties)}
    trees = {party: model for party, model in models.items() if isinstance(model, BoostedModel)}
    tables = {p: rows.of_party(room, p, model.preparation.types) for p, model in trees.items()}
    features = {p: trees[p].preparation.features(table.take(rows.is_train)) for p, table in tables.items()}
    weights = tables[room.label_holder].weight
    weights = None if weights is None else weights[rows.is_train]
    settings = boosting_settings(
        BoostingParams.model_validate(room.task.params), weighted=weights is not None
    )
    y = rows.y[rows.is_train].astype(np.float64)
    twin = fit_boosting_plain(features, y, room.label_holder, settings, weights)
    of_all = {p: trees[p].preparation.features(table) for p, table in tables.items()}
    pd = probabilities(twin.margins(of_all))
    joint = trees[room.label_holder].trees.trees
    equal = [
        dict(plain.weights) == dict(tree.weights)
        and {n: (p, trees[p].trees.trees[place].splits[n]) for n, p in tree.owners.items()} == plain.splits
        for place, (tree, plain) in enumerate(zip(joint, twin.trees, strict=False))
    ]
    return {
        **rows.measured(pd),
        "trees": len(twin.trees),
        "equal_trees": sum(equal),
        "max_pd_diff": float(np.max(np.abs(pd - rows.pd))),
    }
