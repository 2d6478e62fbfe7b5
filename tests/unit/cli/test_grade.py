"""`saferoom grade …` on lists in files: what is printed, written, and refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from saferoom.cli.app import app
from saferoom.errors import ConfigError, UsageError, VerificationError


def run(*words: str) -> Any:
    result = CliRunner().invoke(app, ["grade", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def write_list(file: Path, seed: int, *, moved: float = 0.0, labels: bool = True) -> Path:
    rng = np.random.default_rng(0)
    logit = -2.6 + 1.3 * rng.normal(size=4000)
    logit[: len(logit) // 10] += moved
    logit += 0.1 * np.random.default_rng(seed).normal(size=4000)
    pd, points = 1 / (1 + np.exp(-logit)), np.rint(384 - 72 * logit).astype(int)
    y = (np.random.default_rng(seed).random(4000) < pd).astype(int)
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["id", *(["y"] if labels else []), "pd", "points"])
        for n in range(4000):
            writer.writerow([f"e{n}", *([y[n]] if labels else []), f"{pd[n]:.6g}", points[n]])
    return file


def test_a_scheme_is_calibrated_checked_and_applied(tmp_path: Path) -> None:
    scores, scheme, graded = write_list(tmp_path / "q1.csv", 1), tmp_path / "new.yaml", tmp_path / "g.csv"
    targets = ("--target", "0.02", "--target", "0.06", "--target", "0.15")
    answer = json.loads(run("calibrate", str(scores), *targets, "--out", str(scheme), "--json").stdout)
    rates = [row["default_rate"] for row in answer["grades"]]
    assert rates == sorted(rates)
    assert all(rate <= target for rate, target in zip(rates, (0.02, 0.06, 0.15), strict=False))
    checked = json.loads(run("check", str(scores), "--scheme", str(scheme), "--json").stdout)
    assert (checked["faults"], checked["grades"]) == ([], answer["grades"])
    assert "default rate" in run("check", str(scores), "--scheme", str(scheme)).stdout
    run("apply", str(scores), "--scheme", str(scheme), "--out", str(graded))
    with graded.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["id", "y", "pd", "points", "grade"]
    assert sum(row["grade"] == "A" for row in rows) == answer["grades"][0]["rows"]
    assert graded.stat().st_mode & 0o077 == scheme.stat().st_mode & 0o077 == 0


def test_two_quarters_are_compared(tmp_path: Path) -> None:
    before, now = write_list(tmp_path / "q1.csv", 1), write_list(tmp_path / "q2.csv", 2, moved=2.0)
    out = tmp_path / "alerts.csv"
    answer = json.loads(run("compare", str(before), str(now), "--out", str(out), "--json").stdout)
    assert answer["enterprises"] == {"in_both": 4000, "left": 0, "joined": 0}
    assert sum(sum(row.values()) for row in answer["migration"].values()) == 4000
    assert answer["worse"] > answer["better"]
    assert 0.01 < answer["stability_index"] < 0.5
    with out.open(newline="") as lines:
        alerts = list(csv.DictReader(lines))
    assert len(alerts) == answer["alerts"] > 300
    assert {int(row["id"][1:]) < 400 for row in alerts} == {True}
    falls = [int(row["points_before"]) - int(row["points_now"]) for row in alerts]
    assert falls == sorted(falls, reverse=True)
    assert {row["why"] for row in alerts} <= {"grade", "points", "grade and points"}
    assert "from \\ to" in run("compare", str(before), str(now)).stdout


def test_a_grading_that_does_not_rise_fails(tmp_path: Path) -> None:
    scores = tmp_path / "s.csv"
    rows = [f"g{n},{int(n < 30)},0.01,700" for n in range(100)] + [f"h{n},0,0.05,600" for n in range(100)]
    scores.write_text("id,y,pd,points\n" + "\n".join(rows) + "\n")
    with pytest.raises(VerificationError, match="grade B has a lower default rate than A"):
        run("check", str(scores))


@pytest.mark.parametrize(
    "text",
    [
        "id,pd\na,0.1\n",
        "id,pd,points\na,much,5\n",
        "id,pd,points\n",
        "id,pd,points\na,1.5,5\n",
        "id,y,pd,points\na,2,0.1,5\n",
        "id,y,pd,points\na,,0.1,5\n",
        "id,pd,points\na\n",
    ],
)
def test_what_is_no_list_of_scores_is_refused_without_its_values(tmp_path: Path, text: str) -> None:
    file = tmp_path / "s.csv"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        run("check", str(file))
    assert "much" not in str(caught.value)


def test_calibration_needs_outcomes(tmp_path: Path) -> None:
    scores = write_list(tmp_path / "q1.csv", 1, labels=False)
    with pytest.raises(UsageError, match="known outcomes"):
        run("calibrate", str(scores), "--target", "0.1", "--out", str(tmp_path / "x.yaml"))


def test_alerts_name_the_reasons_of_the_later_list(tmp_path: Path) -> None:
    before, now, out = (tmp_path / name for name in ("q1.csv", "q2.csv", "alerts.csv"))
    before.write_text("id,pd,points\na,0.01,700\nb,0.01,700\n")
    now.write_text("id,pd,points,reasons\nb,0.01,700,\na,0.4,500,tax arrears; region\n")
    run("compare", str(before), str(now), "--out", str(out))
    with out.open(newline="") as lines:
        alerts = list(csv.DictReader(lines))
    assert [(row["id"], row["why"], row["reasons"]) for row in alerts] == [
        ("a", "grade and points", "tax arrears; region")
    ]
