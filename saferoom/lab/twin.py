"""The plaintext twin of a lab run: the pooled model on the same rows and prepared columns, by scikit-learn.

Only the lab can do this, because it can read every party's file. No node can.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from saferoom.data.dataset import describe
from saferoom.data.loading import load
from saferoom.lab.room import Room
from saferoom.models.metrics import metrics_summary
from saferoom.node.model_file import PartyModel

Floats = NDArray[np.float64]
TIGHT, MANY = 1e-8, 10_000


def fit_twin(room: Room, out: Path) -> dict[str, Any]:
    """`{train, test, max_coef_diff}`: the twin's metrics, and the largest difference of a coefficient.

    Coefficients are compared in standardised units. Reads `scores.csv` for the rows and their split.
    """
    with (out / "scores.csv").open(encoding="utf-8", newline="") as lines:
        scored = list(csv.DictReader(lines))
    ids = np.array([row["id"].encode() for row in scored])
    is_train = np.array([row["split"] == "train" for row in scored])
    y = np.array([int(row["y"]) for row in scored])
    blocks, coefficients, intercept = [], [], 0.0
    for party in room.parties:
        model = PartyModel.from_file(out / "model" / f"{party}.json")
        blocks.append(_prepared(room, party, model, ids))
        coefficients.append(model.coefficients)
        intercept += model.intercept or 0.0
    pooled = np.hstack(blocks)
    twin = _fit(pooled[is_train], y[is_train], float(room.task.params.get("l2", 1.0)))
    joint = np.append(np.concatenate(coefficients), intercept)
    plain = np.append(twin.coef_[0], twin.intercept_)
    pd = twin.predict_proba(pooled)[:, 1]
    return {
        "train": _summary(y[is_train], pd[is_train]),
        "test": _summary(y[~is_train], pd[~is_train]),
        "max_coef_diff": float(np.max(np.abs(joint - plain))),
    }


def _fit(x: Floats, y: NDArray[Any], l2: float) -> LogisticRegression:
    penalty = 1 / l2 if l2 > 0 else np.inf
    return LogisticRegression(C=penalty, tol=TIGHT, max_iter=MANY).fit(x, y)


def _prepared(room: Room, party: str, model: PartyModel, ids: NDArray[np.bytes_]) -> Floats:
    """The party's prepared columns for the rows of `ids`, in that order."""
    part = room.parties[party]
    content = {"name": "twin", **part.model_dump(exclude_none=True)}
    description = describe(content, room.folder, party=party)
    table = load(description, list(model.preparation.types), types=model.preparation.types)
    order = np.argsort(table.ids)
    places = order[np.searchsorted(table.ids, ids, sorter=order)]
    return model.preparation.transform(table.take(places))


def _summary(y: NDArray[Any], pd: Floats) -> dict[str, float] | None:
    """As at the label holder: None where the rows hold one class only."""
    return metrics_summary(y, pd) if len(set(y.tolist())) == 2 else None
