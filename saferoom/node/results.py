"""What a training job leaves at a party: its own part of the model; at the label holder the evaluation too."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.data.loading import write_private
from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.models.alone import fit_alone
from saferoom.models.logistic import LocalModel
from saferoom.models.metrics import metrics_summary
from saferoom.node.job_context import JobContext
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import PointScale

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelHolderResult:
    """What the label holder has after evaluation: rows in the common order, prepared columns, joint scores."""

    table: PartyTable
    is_train: NDArray[np.bool_]
    train_x: Floats
    test_x: Floats
    train_logits: Floats
    test_logits: Floats
    l2: float


def write_model(context: JobContext, preparation: Preparation, model: LocalModel) -> None:
    """`model.json`: this party's coefficients, and how its columns are prepared."""
    content: dict[str, Any] = {
        "version": 1,
        "kind": context.contract.task.kind,
        "job": context.spec.job_id,
        "contract": context.contract.id,
        "party": context.me,
        "label_holder": context.contract.label_holder,
        "columns": list(preparation.column_names),
        "coefficients": [float(value) for value in model.coefficients],
        "preparation": preparation.to_dict(),
    }
    if model.intercept is not None:
        content["intercept"] = model.intercept
    write_private(context.folder / "model.json", json.dumps(content, ensure_ascii=False, indent=1))


def probability(logits: Floats) -> Floats:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-logits))


def write_evaluation(
    context: JobContext, preparation: Preparation, model: LocalModel, result: LabelHolderResult
) -> None:
    """`metrics.json`, `scores.csv` and `grades.json` at the label holder."""
    label = result.table.label
    if label is None:
        return
    train_y, test_y = label[result.is_train], label[~result.is_train]
    alone = fit_alone(result.train_x, train_y.astype(np.float64), result.test_x, l2=result.l2)
    metrics = {
        "train": metrics_summary(train_y, probability(result.train_logits)),
        "test": _summary(test_y, probability(result.test_logits)),
        "alone": {"train": metrics_summary(train_y, alone.train_pd), "test": _summary(test_y, alone.test_pd)},
    }
    write_private(context.folder / "metrics.json", json.dumps(metrics, indent=1))
    write_scores(context, result)


def _summary(y: NDArray[np.int8], pd: Floats) -> dict[str, float] | None:
    """None where the held-out rows hold one class only: nothing can be said then."""
    if not len(y) or y.min() == y.max():
        return None
    return metrics_summary(y, pd)
