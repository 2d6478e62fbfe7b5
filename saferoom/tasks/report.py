"""Draws one report: `python -m saferoom.tasks.report FOLDER LANG`, facts as JSON on standard input."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from saferoom import __version__
from saferoom.files.private import write_output
from saferoom.models.stability import stability_index
from saferoom.report.content import (
    Card,
    CardBin,
    CardFeature,
    Coefficients,
    Comparison,
    ContractFacts,
    DisclosureLine,
    Importance,
    ImportanceLine,
    LinkTraffic,
    LogVerdict,
    PartyFacts,
    Phase,
    ReportData,
    RowFacts,
)
from saferoom.report.measure import distribution_of, evaluation_of, grading_of
from saferoom.report.render import render_report
from saferoom.tasks.boosted_model import BoostedModel
from saferoom.tasks.models import AnyModel, load_model
from saferoom.tasks.regression_model import STABILITY
from saferoom.tasks.results import ALONE
from saferoom.tasks.score_files import METRICS, REPORT, SCORES, load_scheme
from saferoom.tasks.scorecard_file import JSON_FILE

_BIN_FACTS = ("name", "share", "default_rate", "woe", "points")


def main(folder: Path, lang: str) -> None:
    """Write `report.html` into a model's folder."""
    facts = json.load(sys.stdin)
    write_output(folder / REPORT, render_report(report_data(facts, folder), lang))


def report_data(facts: dict[str, Any], folder: Path) -> ReportData:
    """Put together what this party may see: its own coefficients, and at the label holder the evaluation."""
    model = load_model(folder)
    summary = facts["summary"]
    return ReportData(
        title=facts["contract"]["title"],
        made_at=datetime.now(UTC).isoformat(sep=" ", timespec="minutes"),
        version=__version__,
        job=facts["job"],
        model_kind=facts["model_kind"],
        contract=ContractFacts(**facts["contract"]),
        parties=tuple(PartyFacts(**party) for party in facts["parties"]),
        **_own_part(model, folder),
        disclosures=tuple(DisclosureLine(**line) for line in facts["disclosures"]),
        logs=(LogVerdict(**facts["log"]),),
        phases=tuple(Phase(name, end - start) for name, (start, end) in summary["phases"].items()),
        traffic=tuple(
            LinkTraffic(facts["party"], peer, size) for peer, size in sorted(summary["sent_bytes"].items())
        ),
        **(_evaluated(folder) if (folder / SCORES).exists() else {}),
    )


def _own_part(model: AnyModel, folder: Path) -> dict[str, Any]:
    """The party's own coefficients, its own table of a scorecard, or what trees make of its columns."""
    if isinstance(model, BoostedModel):
        lines = tuple(ImportanceLine(**line) for line in model.importance())
        return {"importances": (Importance(model.party, len(model.trees.trees), lines, model.gains()),)}
    if model.table is None:
        values = dict(zip(model.preparation.column_names, model.coefficients.tolist(), strict=True))
        return {"coefficients": (Coefficients(model.party, values, model.intercept, _stability(folder)),)}
    content = json.loads((folder / JSON_FILE).read_text(encoding="utf-8"))
    features = tuple(
        CardFeature(
            **{key: feature[key] for key in ("name", "iv", "coefficient", "stability_index")},
            bins=tuple(CardBin(**{key: one[key] for key in _BIN_FACTS}) for one in feature["bins"]),
            p_value=feature.get("p_value"),
        )
        for feature in content["features"]
    )
    return {"cards": (Card(model.party, features, content.get("base_points")),)}


def _stability(folder: Path) -> dict[str, float]:
    file = folder / STABILITY
    found: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def _evaluated(folder: Path) -> dict[str, Any]:
    """The parts that need labels and scores."""
    with (folder / SCORES).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with (folder / ALONE).open(encoding="utf-8", newline="") as lines:
        alone = np.array([float(row["pd"]) for row in csv.DictReader(lines)])
    is_train = np.array([row["split"] == "train" for row in rows])
    y = np.array([int(row["y"]) for row in rows])
    pd = np.array([float(row["pd"]) for row in rows])
    points = np.array([int(row["points"]) for row in rows])
    scheme = load_scheme(folder)
    grades = np.array([scheme.names.index(row["grade"]) for row in rows])
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    shown = ~is_train if metrics["test"] else is_train
    test_rate = float(y[~is_train].mean()) if (~is_train).any() else None
    return {
        "rows": RowFacts(
            len(rows), int(is_train.sum()), int((~is_train).sum()), float(y[is_train].mean()), test_rate
        ),
        "comparison": Comparison(
            metrics["train"], metrics["test"], metrics["alone"]["train"], metrics["alone"]["test"]
        ),
        "evaluation": evaluation_of(y[shown], pd[shown], alone[shown]),
        "distribution": distribution_of(points[shown], y[shown]),
        "grading": grading_of(
            scheme, grades[shown], pd[shown], y[shown], rows_of="test" if metrics["test"] else "train"
        ),
        "score_stability": stability_index(pd[is_train], pd[~is_train]) if metrics["test"] else None,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
