"""Grading of score lists that lie in files: check, calibrate, apply, compare. Nothing leaves the machine.

A list is a CSV file with `id`, `pd`, `points`, and where outcomes are known `y`: `scores.csv` of a training
or a score job is one. What is written is the reader's alone, mode 0600.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.data.csv_file import six_digits, write_columns
from saferoom.errors import ConfigError, UsageError
from saferoom.files.private import write_output
from saferoom.files.yaml_text import yaml_text
from saferoom.models.stability import stability_of_counts
from saferoom.scoring.calibration import Check, calibrate, check_grading
from saferoom.scoring.grade_table import GradeRow
from saferoom.scoring.grades import GradeScheme
from saferoom.scoring.monitoring import AlertRules, Movement, Quarter, compare_quarters
from saferoom.tasks.results.score_files import plain_scheme

Plain = dict[str, Any]

MINIMUM_ROWS = 50
_BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class ScoreList:
    """ids, pd, points (n,) of a file; y, and reason codes as one text each, (n,) where the file has them."""

    ids: NDArray[np.bytes_]
    pd: NDArray[np.float64]
    points: NDArray[np.int64]
    y: NDArray[np.int64] | None
    reasons: NDArray[np.str_] | None = None


def read_scores(file: Path) -> ScoreList:
    """Raises ConfigError naming what is wrong with the file, without its values."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
        _check_has_scores(file, rows)
        ids = np.array([row["id"].encode() for row in rows])
        pd = np.array([float(row["pd"]) for row in rows])
        points = np.array([int(row["points"]) for row in rows], dtype=np.int64)
        known = bool(rows) and "y" in rows[0]
        y = np.array([int(row["y"]) for row in rows], dtype=np.int64) if known else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {file}", remedy="check the path") from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{file} is no list of scores: each line has id, pd and points, and y in all lines or in none",
            remedy="take the scores.csv of a job",
        ) from error
    if not len(ids) or not np.all((pd >= 0) & (pd <= 1)) or (y is not None and not np.isin(y, (0, 1)).all()):
        raise ConfigError(f"{file} holds no line, a pd outside 0 to 1, or a y other than 0 and 1")
    reasons = np.array([row["reasons"] or "" for row in rows]) if "reasons" in rows[0] else None
    return ScoreList(ids, pd, points, y, reasons)


def _check_has_scores(file: Path, rows: Sequence[Mapping[str, str]]) -> None:
    if rows and "grade" in rows[0] and not {"pd", "points"} & rows[0].keys():
        raise ConfigError(
            f"{file} holds grades alone: nobody learnt the scores, so they cannot be cut anew",
            remedy="take the grades as they are, or agree on a contract that releases scores",
        )


def check_list(
    scores: ScoreList, scheme: GradeScheme, minimum_rows: int = MINIMUM_ROWS
) -> tuple[Plain, Check]:
    """The grade table of a list, and its faults."""
    resolved = scheme.resolve(scores.pd)
    check = check_grading(resolved, scores.pd, scores.points, scores.y, minimum_rows=minimum_rows)
    faults = [f"grade {r.worse} has a lower default rate than {r.better}" for r in check.reversals]
    faults += [f"grade {name} has fewer than {minimum_rows} rows" for name in check.too_small]
    return {"scheme": scheme.name, "grades": _rows(check.table), "faults": faults}, check


def calibrate_list(
    scores: ScoreList,
    scheme: GradeScheme,
    targets: Sequence[float],
    out: Path,
    minimum_rows: int = MINIMUM_ROWS,
) -> Plain:
    """Write a scheme whose grades meet target default rates on the list. Raises VerificationError."""
    if scores.y is None:
        raise UsageError("a scheme is calibrated on known outcomes", remedy="give a list with a column y")
    found = calibrate(scheme, scores.pd, scores.y, targets, minimum_rows=minimum_rows)
    write_output(out, yaml_text(plain_scheme(found.scheme)))
    return {"scheme": str(out), "cuts": list(found.scheme.cuts), "grades": _rows(found.table)}


def apply_scheme(scores: ScoreList, scheme: GradeScheme, out: Path) -> Plain:
    """Write the list with the grades of a scheme."""
    grades = scheme.resolve(scores.pd).assign(scores.pd, scores.points)
    names = np.array(scheme.names)[grades]
    known = {} if scores.y is None else {"y": scores.y}
    columns = {"id": scores.ids, **known, "pd": six_digits(scores.pd), "points": scores.points}
    write_columns(out, columns | {"grade": names})
    return {"out": str(out), "rows": len(grades), "scheme": scheme.name}


def compare_lists(
    before: ScoreList, now: ScoreList, scheme: GradeScheme, rules: AlertRules, out: Path | None
) -> tuple[Plain, Movement]:
    """Re-grade both lists by one scheme; migration, stability of the score, alerts (written to `out`)."""
    resolved = scheme.resolve(before.pd)
    quarters = [Quarter(s.ids, s.points, resolved.assign(s.pd, s.points)) for s in (before, now)]
    moved = compare_quarters(quarters[0], quarters[1], len(resolved.grades), rules)
    if out is not None:
        _write_alerts(out, moved, resolved, now)
    return {
        "scheme": scheme.name,
        "enterprises": {"in_both": moved.common, "left": moved.left, "joined": moved.joined},
        "better": moved.better,
        "worse": moved.worse,
        "migration": {
            name: dict(zip(resolved.names, row, strict=True))
            for name, row in zip(resolved.names, moved.migration.tolist(), strict=True)
        },
        "stability_index": _stability(before.points, now.points),
        "grade_stability_index": stability_of_counts(
            *(np.bincount(quarter.grades, minlength=len(resolved.grades)) for quarter in quarters)
        ),
        "alerts": len(moved.alerts.ids),
        **({"alerts_file": str(out)} if out else {}),
    }, moved


def _stability(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """Over the first list's tenths."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(edges, points, side="right"), minlength=len(edges) + 1)
        for points in (before, now)
    ]
    return stability_of_counts(counts[0], counts[1])


def _write_alerts(out: Path, moved: Movement, scheme: GradeScheme, now: ScoreList) -> None:
    """One line an alert, with the reason codes of the later list, if it has them."""
    names, alerts = np.array(scheme.names), moved.alerts
    why = np.where(alerts.by_grade, np.where(alerts.by_points, "grade and points", "grade"), "points")
    columns = {
        "id": alerts.ids,
        "grade_before": names[alerts.grades_before],
        "grade_now": names[alerts.grades_now],
        "points_before": alerts.points_before,
        "points_now": alerts.points_now,
        "why": why,
    }
    if now.reasons is not None:
        order = np.argsort(now.ids)
        columns["reasons"] = now.reasons[order[np.searchsorted(now.ids, alerts.ids, sorter=order)]]
    write_columns(out, columns)


def _rows(table: Sequence[GradeRow]) -> list[Plain]:
    return [
        {
            "grade": row.name,
            "rows": row.rows,
            "share": round(row.share, 4),
            "mean_pd": None if row.mean_pd is None else round(row.mean_pd, 6),
            "events": row.events,
            "default_rate": None if row.default_rate is None else round(row.default_rate, 6),
        }
        for row in table
    ]
