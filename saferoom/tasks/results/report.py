"""Draws a report: `python -m saferoom.tasks.results.report FOLDER LANG`, facts as JSON on standard input."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from saferoom import __version__
from saferoom.arrays import F64, I64, Mask
from saferoom.files.private import write_output
from saferoom.models.stability import stability_index, stability_of_counts
from saferoom.report.content import (
    Comparison,
    ContractFacts,
    DataQuality,
    DisclosureLine,
    LinkTraffic,
    LogVerdict,
    PartyFacts,
    Phase,
    ReportData,
    RowFacts,
)
from saferoom.report.measure import distribution_of, evaluation_of, grading_of
from saferoom.report.render import render_report
from saferoom.tasks.registry import load_model
from saferoom.tasks.results.evaluation import ALONE
from saferoom.tasks.results.quality import load_quality
from saferoom.tasks.results.score_files import METRICS, REPORT, SCORES, load_scheme


def main(folder: Path, lang: str) -> None:
    """Write `report.html` into a model's folder."""
    facts = json.load(sys.stdin)
    write_output(folder / REPORT, render_report(report_data(facts, folder), lang))


def report_data(facts: dict[str, Any], folder: Path) -> ReportData:
    """Put together what this party may see: its own coefficients, and at the label holder the evaluation."""
    summary = facts["summary"]
    return ReportData(
        title=facts["contract"]["title"],
        made_at=datetime.now(UTC).isoformat(sep=" ", timespec="minutes"),
        version=__version__,
        job=facts["job"],
        model_kind=facts["model_kind"],
        contract=ContractFacts(**facts["contract"]),
        parties=tuple(PartyFacts(**party) for party in facts["parties"]),
        **load_model(folder).own_part(folder),
        disclosures=tuple(DisclosureLine(**line) for line in facts["disclosures"]),
        logs=tuple(LogVerdict(**{**log, "says": tuple(log["says"])}) for log in facts["logs"]),
        quality=_quality(facts["party"], folder),
        phases=tuple(Phase(name, end - start) for name, (start, end) in summary["phases"].items()),
        traffic=tuple(
            LinkTraffic(facts["party"], peer, size) for peer, size in sorted(summary["sent_bytes"].items())
        ),
        **(_evaluated(folder) if (folder / SCORES).exists() else {}),
    )


def _quality(party: str, folder: Path) -> DataQuality | None:
    """What became of this party's data; None for a model of an earlier version."""
    found = load_quality(folder)
    if found is None:
        return None
    return DataQuality(
        party=party,
        rows=found["rows"],
        aligned=found["aligned"],
        as_of=found["as_of"] or "",
        ids=found["ids"],
        without_consent=found.get("without_consent"),
        gaps=found["gaps"],
        dropped=found["dropped"],
        vif=found["vif"],
        vif_of_others={name: tuple(its) for name, its in found["vif_of_others"].items()},
        columns_in_model=found.get("columns_in_model", {}),
    )


def _evaluated(folder: Path) -> dict[str, Any]:
    """The parts that need labels and scores, or grades alone."""
    with (folder / SCORES).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with (folder / ALONE).open(encoding="utf-8", newline="") as lines:
        alone = np.array([float(row["pd"]) for row in csv.DictReader(lines)])
    is_train = _is_train(rows)
    y = np.array([int(row["y"]) for row in rows])
    scheme = load_scheme(folder)
    grades = np.array([scheme.names.index(row["grade"]) for row in rows])
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    shown = ~is_train if metrics["test"] else is_train
    rows_of = "test" if metrics["test"] else "train"
    test_rate = float(y[~is_train].mean()) if (~is_train).any() else None
    return {
        "rows": RowFacts(
            len(rows), int(is_train.sum()), int((~is_train).sum()), float(y[is_train].mean()), test_rate
        ),
        "metrics": metrics,
        "comparison": Comparison(
            metrics["train"], metrics["test"], metrics["alone"]["train"], metrics["alone"]["test"]
        ),
        **(
            _of_scores(rows, y, alone, shown)
            if "pd" in rows[0]
            else _of_grades(grades, is_train, len(scheme.names))
        ),
        "grading": grading_of(scheme, grades[shown], _pd(rows, shown), y[shown], rows_of=rows_of),
    }


def _of_scores(rows: list[dict[str, str]], y: I64, alone: F64, shown: Mask) -> dict[str, Any]:
    """Curves, distribution and stability of the score, of all rows; `shown` (n,) of them are measured."""
    points = np.array([int(row["points"]) for row in rows])
    pd, is_train = np.array([float(row["pd"]) for row in rows]), _is_train(rows)
    is_held_out = not np.array_equal(shown, is_train)
    return {
        "evaluation": evaluation_of(y[shown], pd[shown], alone[shown]),
        "distribution": distribution_of(points[shown], y[shown]),
        "score_stability": stability_index(pd[is_train], pd[~is_train]) if is_held_out else None,
    }


def _of_grades(grades: I64, is_train: Mask, count: int) -> dict[str, Any]:
    """What is left where nobody learnt a score."""
    train, test = (np.bincount(grades[part], minlength=count) for part in (is_train, ~is_train))
    stability = stability_of_counts(train, test) if test.any() else None
    return {"grades_alone": True, "grade_stability": stability}


def _pd(rows: list[dict[str, str]], shown: Mask) -> F64 | None:
    """Where it is known."""
    return np.array([float(row["pd"]) for row in rows])[shown] if "pd" in rows[0] else None


def _is_train(rows: list[dict[str, str]]) -> Mask:
    return np.array([row["split"] == "train" for row in rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
