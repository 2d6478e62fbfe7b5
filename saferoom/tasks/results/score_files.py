"""Scores and the grade scheme they were graded by, as files. `scores.csv` holds one line an enterprise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64, Ids
from saferoom.data.csv_file import six_digits, write_columns
from saferoom.errors import StorageError
from saferoom.files.private import write_output
from saferoom.scoring.grades import GradeScheme, scheme_from_dict
from saferoom.scoring.scheme_file import read_scheme
from saferoom.tasks.base import Model

Columns: TypeAlias = dict[str, NDArray[Any]]
"""By name, each (n,), in the order of the file."""

SCORES, GRADES, METRICS, REPORT = "scores.csv", "grades.json", "metrics.json", "report.html"
_CUT_KEY = {"pd": "up_to", "points": "from"}


def score_columns(model: Model, scheme: GradeScheme, ids: Ids, total: F64) -> Columns:
    """Of joint sums (n,): id, pd, points, grade by the model's cut points."""
    pd, points = model.judge(total)
    names = np.array(scheme.names)[scheme.assign(pd, points)]
    return {"id": ids, "pd": six_digits(pd), "points": points, "grade": names}


def grade_columns(names: Sequence[str], ids: Ids, grades: I64) -> Columns:
    """Of grades (n,), places in `names`: id and grade."""
    return {"id": ids, "grade": np.array(names)[grades]}


def write_score_list(folder: Path, columns: Columns, kept: Mapping[str, NDArray[np.str_]]) -> None:
    """`scores.csv` of a score job.

    `kept`, of the list that was asked for, stand last; the name of one that is called like another column
    gets a `list_`.
    """
    along = {f"list_{name}" if name in columns else name: each for name, each in kept.items()}
    write_columns(folder / SCORES, {**columns, **along})


def own_scheme(file: Path) -> GradeScheme:
    """The label holder's own `grades.yaml`, or else the standard scheme.

    A job reads it when it begins: a scheme that is wrong must stop it before anything is disclosed. Raises
    ConfigError naming the file, and the line or the grade.
    """
    return read_scheme(file if file.exists() else None)


def save_scheme(folder: Path, scheme: GradeScheme) -> None:
    """Keep the scheme with its cuts beside the model, so that later scores are graded alike."""
    write_output(folder / GRADES, json.dumps(plain_scheme(scheme), ensure_ascii=False, indent=1))


def load_scheme(folder: Path) -> GradeScheme:
    """The scheme kept beside a model. Raises StorageError."""
    try:
        return scheme_from_dict(json.loads((folder / GRADES).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise StorageError("the model's grade scheme is missing or damaged", remedy="train again") from error


def plain_scheme(scheme: GradeScheme) -> dict[str, Any]:
    """The content of a scheme file, for `scheme_from_dict`."""
    key = _CUT_KEY[scheme.by]
    grades = [
        {
            "name": grade.name,
            **({} if grade.cut is None else {key: grade.cut}),
            "title": dict(grade.title),
            "supervision": {lang: list(texts) for lang, texts in grade.supervision.items()},
        }
        for grade in scheme.grades
    ]
    return {"scheme": scheme.name, "by": scheme.by, "title": dict(scheme.title), "grades": grades}
