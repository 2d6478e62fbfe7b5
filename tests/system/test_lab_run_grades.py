"""A lab room that releases grades alone, through real processes: what is kept, and what is told."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from saferoom.lab.house import House
from saferoom.lab.room import load_room
from saferoom.lab.runner import Options, run_room
from saferoom.lab.summary import summary_lines
from saferoom.lab.synthetic import write_synthetic_room

ROWS = 1_500


@dataclass(frozen=True)
class LabRun:
    """A finished run: its folder, what it measured, and what the label holder was told besides."""

    out: Path
    metrics: dict[str, Any]
    told: dict[str, Any]


@pytest.fixture(scope="module")
def lab_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRun]:
    folder = tmp_path_factory.mktemp("grades")
    files = write_synthetic_room(folder, rows=ROWS)
    text = files.room.read_text(encoding="utf-8")
    files.room.write_text(text + "release: grade_only\n", encoding="utf-8")
    out, told = folder / "out", {}

    def then(house: House, model: str) -> None:
        bank = house.nodes[house.room.label_holder]
        told["scored"] = house.score(model, files.new, out / "new-grades.csv", lambda item: None)
        told["card"] = bank.ask("model.card", model=model)
        with files.new.open(encoding="utf-8", newline="") as lines:
            ids = [row["uscc"] for row in csv.DictReader(lines)]
        held = [line["id"] for line in lines_of(out / "new-grades.csv")]
        first = next(one for one in ids if one in held)
        job = bank.ask("score.one", model=model, input=str(files.new), id=first)["job_id"]
        house.follow(house.coordinator, job, lambda item: None)
        house.wait_finished(job)
        told["one"] = bank.ask("score.result", job=job)

    metrics = run_room(load_room(files.room), out, Options(twin=True), lambda item: None, then)
    yield LabRun(out, metrics, told)


def lines_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_metrics_have_an_auc_and_no_figure_that_needs_scores(lab_run: LabRun) -> None:
    for name in ("train", "test"):
        assert lab_run.metrics[name].keys() == {"auc", "grade_ks", "gini"}
        assert lab_run.metrics[name]["auc"] == pytest.approx(lab_run.metrics["twin"][name]["auc"], abs=0.002)
    assert lab_run.metrics["release"] == "grade_only"
    assert lab_run.metrics["logs_ok"]


def test_grades_are_the_twins(lab_run: LabRun) -> None:
    rows = lab_run.metrics["rows_aligned"]
    assert lab_run.metrics["twin"]["other_grades"] <= rows / 500
    text = "\n".join(summary_lines(lab_run.metrics, lab_run.out))
    assert f"grades other than the twin's: {lab_run.metrics['twin']['other_grades']} of {rows}" in text


def test_no_file_has_a_score(lab_run: LabRun) -> None:
    assert list(lines_of(lab_run.out / "scores.csv")[0]) == ["id", "split", "y", "grade"]
    given = lines_of(lab_run.out / "new-grades.csv")
    assert list(given[0]) == ["id", "grade"]
    assert {line["grade"] for line in given} <= set("ABCD")
    assert lab_run.told["one"].keys() - {"missing"} == {"job_id", "id", "grade"}
    cuts = {"names": "A, B, C, D", "by": "pd", "cuts": "0.03, 0.08, 0.2"}
    assert lab_run.told["card"]["grades_alone"] == cuts
    assert lab_run.told["card"]["metrics"]["test"].keys() == {"auc", "grade_ks", "gini"}


def test_the_report_says_so_and_has_no_curves(lab_run: LabRun) -> None:
    page = (lab_run.out / "report.html").read_text(encoding="utf-8")
    assert "nobody learnt a score" in page
    assert "Stability index of the grades" in page
    for heading in ("Lift", "Distribution of points", "Log loss", "Calibration"):
        assert f">{heading}<" not in page


def test_the_logs_say_what_was_learnt(lab_run: LabRun) -> None:
    verdicts = json.loads((lab_run.out / "log" / "verify.json").read_text(encoding="utf-8"))
    assert all(verdict["ok"] for verdict in verdicts.values())
    contract = json.loads((lab_run.out / "log" / "contract.json").read_text(encoding="utf-8"))
    assert {output["form"] for output in contract["outputs"]} == {"coefficients", "grade_only"}
