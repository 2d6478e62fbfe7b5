"""What the label holder keeps of a job: metrics, scores, grades. Every party keeps its `model.json` besides.

metrics.json   joint and alone, train and test: AUC, KS, Gini, log loss, Brier; `uncertainty`: how far they
               may be off; `grading`: what the outcomes say about the grades
scores.csv     id, split, y, pd, points, grade
grades.json    the grade scheme with its cuts, as they were when the model was made
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64, Ids, Mask
from saferoom.data.csv_file import six_digits, write_columns
from saferoom.errors import ConfigError
from saferoom.files.private import write_output
from saferoom.models.alone import AloneFit
from saferoom.models.metrics import metrics_summary
from saferoom.models.uncertainty.estimate import LEVEL
from saferoom.models.uncertainty.summary import uncertainty_of
from saferoom.scoring.calibration import usual_targets
from saferoom.scoring.grade_table import grade_table
from saferoom.scoring.grade_tests import judge
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.points import PointScale
from saferoom.tasks.results.score_files import METRICS, SCORES, save_scheme
from saferoom.tasks.steps.training_rows import TrainingRows

Metrics = dict[str, float] | None

ALONE = "alone.csv"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the label holder knows once the joint scores are there. Rows in the common order.

    Shapes: pd, points, grades, y, is_train (n,); `alone` holds its own model's probabilities.
    """

    ids: NDArray[np.bytes_]
    is_train: NDArray[np.bool_]
    y: NDArray[np.int8]
    pd: F64
    points: NDArray[np.int64]
    grades: NDArray[np.int64]
    scheme: GradeScheme
    alone: AloneFit
    scale: PointScale

    @classmethod
    def make(
        cls, rows: TrainingRows, judged: tuple[F64, NDArray[np.int64]], alone: AloneFit, scale: PointScale
    ) -> Evaluation:
        """`alone`: the yardstick. `judged`: PD and points of all rows, by that `scale`."""
        if rows.table.label is None or rows.scheme is None:
            raise ConfigError(
                "the label holder's data set has no label column", remedy="register it with `label:`"
            )
        pd, points = judged
        resolved = rows.scheme.resolve(pd[rows.is_train])
        grades = resolved.assign(pd, points)
        return cls(
            rows.table.ids, rows.is_train, rows.table.label, pd, points, grades, resolved, alone, scale
        )

    def metrics(self) -> dict[str, Any]:
        """Joint and alone on the same rows; None where the held-out rows hold one class only."""
        train, test = self.is_train, ~self.is_train
        rows_of, shown = ("test", test) if _has_both(self.y[test]) else ("train", train)
        return {
            "train": metrics_summary(self.y[train], self.pd[train]),
            "test": _summary(self.y[test], self.pd[test]),
            "alone": {
                "train": metrics_summary(self.y[train], self.alone.train_pd),
                "test": _summary(self.y[test], self.alone.test_pd),
            },
            "uncertainty": {
                "level": LEVEL,
                "train": self._uncertainty(train, self.alone.train_pd),
                "test": self._uncertainty(test, self.alone.test_pd),
            },
            "grading": judged_grades(
                self.scheme, self.grades[shown], self.y[shown], self.pd[shown], (rows_of, self.scale)
            ),
        }

    def _uncertainty(self, part: Mask, alone_pd: F64) -> dict[str, Any] | None:
        if not _has_both(self.y[part]):
            return None
        fitted = bool(part[self.is_train].any())
        return uncertainty_of(self.y[part], self.pd[part], alone_pd, fitted=fitted)

    def save(self, folder: Path) -> None:
        write_output(folder / METRICS, json.dumps(self.metrics(), indent=1))
        save_scheme(folder, self.scheme)
        scores = {
            "id": self.ids,
            "split": np.where(self.is_train, "train", "test"),
            "y": self.y,
            "pd": six_digits(self.pd),
            "points": self.points,
            "grade": np.array(self.scheme.names)[self.grades],
        }
        write_columns(folder / SCORES, scores)
        save_alone(folder, self.ids, self.is_train, self.alone)


def save_evaluation(
    folder: Path,
    rows: TrainingRows,
    judged: tuple[F64, NDArray[np.int64]],
    alone: AloneFit,
    scale: PointScale,
) -> None:
    """At the label holder: metrics, scores and grades. `judged`: PD and points of all rows."""
    Evaluation.make(rows, judged, alone, scale).save(folder)


def judged_grades(
    scheme: GradeScheme, grades: I64, y: NDArray[Any], pd: F64 | None, of: tuple[str, PointScale]
) -> dict[str, Any]:
    """The block `grading` of metrics.json. `of`: which rows (n,) these are, and what points mean."""
    table = grade_table(scheme.names, grades, pd, y)
    judgement = judge(scheme, table, of[1])
    if pd is not None and not judgement.suits.ok:
        targets = usual_targets(pd, y, len(table))
        judgement = replace(judgement, suits=replace(judgement.suits, targets=targets))
    return {"rows_of": of[0], **judgement.to_plain(table)}


def save_alone(folder: Path, ids: Ids, is_train: Mask, alone: AloneFit) -> None:
    """`alone.csv`: id, pd of the label holder's own model, in the common order."""
    write_columns(folder / ALONE, {"id": ids, "pd": six_digits(in_common_order(is_train, alone))})


def in_common_order(is_train: Mask, alone: AloneFit) -> F64:
    """Probabilities (n,) of the label holder's own model."""
    pd = np.empty(len(is_train))
    pd[is_train], pd[~is_train] = alone.train_pd, alone.test_pd
    return pd


def _summary(y: NDArray[np.int8], pd: F64) -> Metrics:
    return metrics_summary(y, pd) if _has_both(y) else None


def _has_both(y: NDArray[np.int8]) -> bool:
    return bool(len(y)) and y.min() != y.max()
