"""What the label holder keeps of a training job whose scores nobody learns.

metrics.json   joint: AUC (computed on shares), Gini, and the KS of the grades; alone: as everywhere;
               `uncertainty` and `grading`: as far as counts by grade and the AUC tell
scores.csv     id, split, y, grade
grades.json    the grade scheme with its cuts
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from saferoom.arrays import I64, Mask
from saferoom.data.csv_file import write_columns
from saferoom.errors import ConfigError
from saferoom.files.private import write_output
from saferoom.models.alone import AloneFit
from saferoom.models.metrics import metrics_summary
from saferoom.models.uncertainty.estimate import LEVEL
from saferoom.models.uncertainty.summary import uncertainty_of_grades
from saferoom.scoring.points import PointScale
from saferoom.tasks.results.evaluation import judged_grades, save_alone
from saferoom.tasks.results.score_files import METRICS, SCORES, save_scheme
from saferoom.tasks.steps.grades import Graded
from saferoom.tasks.steps.training_rows import TrainingRows


def save_graded(folder: Path, rows: TrainingRows, graded: Graded, alone: AloneFit, scale: PointScale) -> None:
    """At the label holder: metrics, grades and their scheme. `alone`: the yardstick."""
    y, scheme, grades = rows.table.label, rows.scheme, graded.grades
    if y is None or scheme is None or grades is None:
        raise ConfigError(
            "the label holder's data set has no label column", remedy="register it with `label:`"
        )
    parts = (
        ("train", rows.is_train, graded.train_auc, alone.train_pd),
        ("test", ~rows.is_train, graded.test_auc, alone.test_pd),
    )
    metrics: dict[str, Any] = {
        name: _joint(y[part], grades[part], len(scheme.names), auc) for name, part, auc, _ in parts
    }
    metrics["alone"] = {
        name: None if auc is None else metrics_summary(y[part], pd) for name, part, auc, pd in parts
    }
    metrics["uncertainty"] = {"level": LEVEL} | {
        name: None if auc is None else uncertainty_of_grades(y[part], grades[part], auc, pd)
        for name, part, auc, pd in parts
    }
    rows_of, shown = ("train", rows.is_train) if metrics["test"] is None else ("test", ~rows.is_train)
    metrics["grading"] = judged_grades(scheme, grades[shown], y[shown], None, (rows_of, scale))
    write_output(folder / METRICS, json.dumps(metrics, indent=1))
    save_scheme(folder, scheme)
    columns = {
        "id": rows.table.ids,
        "split": np.where(rows.is_train, "train", "test"),
        "y": y,
        "grade": np.array(scheme.names)[grades],
    }
    write_columns(folder / SCORES, columns)
    save_alone(folder, rows.table.ids, rows.is_train, alone)


def _joint(y: Any, grades: I64, count: int, auc: float | None) -> dict[str, float] | None:
    if auc is None:
        return None
    return {"auc": auc, "grade_ks": _ks(y == 1, grades, count), "gini": 2 * auc - 1}


def _ks(events: Mask, grades: I64, count: int) -> float:
    """The largest distance between the classes' cumulative shares, at the cuts between grades."""
    classes = [np.bincount(grades[part], minlength=count).cumsum() / part.sum() for part in (events, ~events)]
    return float(np.abs(classes[0] - classes[1]).max())
