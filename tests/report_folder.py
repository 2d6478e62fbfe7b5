"""A model's folder as a job leaves it at the label holder, and what its report is drawn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.data.preparation import Preparation, PreparationSettings
from saferoom.models.alone import AloneFit
from saferoom.report.content import ReportData
from saferoom.scoring.points import PointScale, logit_from_pd
from saferoom.scoring.standard import standard_scheme
from saferoom.tasks.models.files import save_model
from saferoom.tasks.models.logistic import LogisticModel
from saferoom.tasks.results.evaluation import Evaluation
from saferoom.tasks.results.report import report_data

QUALITY: dict[str, Any] = {
    "dataset": "rows",
    "as_of": "2024-12-31",
    "ids": {"missing": 4, "invalid": 1, "conflicting": 0, "repeated": 3},
    "without_consent": 20,
    "rows": 1000,
    "aligned": 900,
    "gaps": {"age": 0.125, "use": 0.0},
    "dropped": {"same": "constant in the training rows", "copy": "it repeats column 'age'"},
    "columns_in_model": {"bank": 2, "tax": 5},
    "vif": {"age": 1.25},
    "vif_of_others": {"tax": [1.5, 2.5]},
}


def report_of(
    folder: Path, y: NDArray[Any], pd: NDArray[Any], alone: NDArray[Any], *, trained_on: int, **facts: Any
) -> ReportData:
    """Of a logistic model with these outcomes (n,) and probabilities (n,); the first rows were trained on."""
    scheme, is_train = standard_scheme(), np.arange(len(y)) < trained_on
    points = PointScale().points(logit_from_pd(pd))
    Evaluation(
        ids=np.array([b"x"] * len(y)),
        is_train=is_train,
        y=y.astype(np.int8),
        pd=pd,
        points=points,
        grades=scheme.assign(pd, points),
        scheme=scheme,
        alone=AloneFit(alone[is_train], alone[~is_train], np.zeros(0), 0.0),
        scale=PointScale(),
    ).save(folder)
    nothing = Preparation((), {}, PreparationSettings())
    save_model(folder, LogisticModel("j", "c", "bank", nothing, np.zeros(0), -2.0, PointScale()).to_plain())
    (folder / "quality.json").write_text(json.dumps(QUALITY), encoding="utf-8")
    return report_data(facts_of(**facts), folder)


def facts_of(**others: Any) -> dict[str, Any]:
    """What the daemon gathers."""
    parties = [
        {"name": "bank", "role": "label_holder", "columns": 4},
        {"name": "tax", "role": "feature_holder", "columns": 5},
    ]
    return {
        "job": "j",
        "party": "bank",
        "contract": {"id": "c", "title": "t", "default_definition": "90 days past due within a year"},
        "model_kind": "logistic",
        "parties": parties,
        "summary": {"phases": {"train": [0.0, 1.5]}, "sent_bytes": {"tax": 10}},
        "disclosures": [],
        "logs": [],
        **others,
    }


def drawn(rows: int, seed: int = 0, shift: float = -3.0) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Outcomes, joint and own probabilities (rows,), of a model that is right."""
    rng = np.random.default_rng(seed)
    own, others = rng.normal(size=(2, rows))
    pd = 1 / (1 + np.exp(-(shift + 0.8 * own + 1.2 * others)))
    return (rng.random(rows) < pd).astype(int), pd, 1 / (1 + np.exp(-(shift + 0.4 + 0.8 * own)))
