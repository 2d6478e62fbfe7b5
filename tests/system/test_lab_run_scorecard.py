"""`saferoom lab run` of a scorecard on real data: as good as its plain twin, better than the bank alone."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import run_command

# test AUC of optbinning's WOE and scikit-learn on the pooled rows, and on the bank's own columns
AUC = {
    "uci_default": (0.7713, 0.6266),
    "polish1": (0.8159, 0.7239),
    "bank_marketing": (0.8931, 0.8396),
    "gmsc": (0.8546, 0.7804),
}
PARTIES = {"bank", "tax", "utility"}


@dataclass(frozen=True)
class LabRun:
    """A finished run."""

    name: str
    out: Path
    metrics: dict[str, Any]


@pytest.fixture(scope="module", params=AUC)
def lab_run(
    request: pytest.FixtureRequest, shared_data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabRun]:
    """The real data set of that name, with 2048-bit keys so that it takes a minute and not three."""
    out = tmp_path_factory.mktemp(request.param)
    folder = shared_data_dir / request.param
    text = (folder / "room-scorecard.yaml").read_text(encoding="utf-8")
    text = text.replace("max_bins: 6", "max_bins: 6, key_bits: 2048")
    for party in PARTIES:
        text = text.replace(f"source: {party}.csv", f"source: {folder / party}.csv")
    (out / "room.yaml").write_text(text, encoding="utf-8")
    words = ("lab", "run", str(out / "room.yaml"), "--out", str(out), "--twin", "--json")
    result = run_command(words, folder=out, environment=os.environ)
    assert result.code == 0, result.stderr
    yield LabRun(request.param, out, json.loads(result.stdout))
    shutil.rmtree(out)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.timeout(1200)
class TestScorecard:
    """On each data set."""

    def test_it_is_as_good_as_its_twin_and_as_optbinning(self, lab_run: LabRun) -> None:
        metrics, (joint, alone) = lab_run.metrics, AUC[lab_run.name]
        assert abs(metrics["test"]["auc"] - metrics["twin"]["test"]["auc"]) < 0.002
        assert metrics["twin"]["max_coef_diff"] < 0.02
        assert metrics["test"]["auc"] > joint - 0.003
        assert metrics["test"]["auc"] > metrics["twin"]["without_minimums"]["test"]["auc"] - 0.015
        assert all(its["wrong_signs"] == 0 for its in metrics["columns"].values())
        assert metrics["test"]["auc"] > metrics["alone"]["test"]["auc"] + 0.02
        assert metrics["alone"]["test"]["auc"] == pytest.approx(alone, abs=0.05)
        assert metrics["logs_ok"]

    def test_points_are_whole_and_order_the_enterprises_as_pd_does(self, lab_run: LabRun) -> None:
        with (lab_run.out / "scores.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        by_points = sorted(rows, key=lambda row: int(row["points"]))
        pd = [float(row["pd"]) for row in by_points]
        assert pd == sorted(pd, reverse=True)

    def test_every_party_has_its_own_table_and_the_report_shows_one(self, lab_run: LabRun) -> None:
        names = set()
        for party in PARTIES:
            card = json.loads((lab_run.out / "scorecard" / f"{party}.json").read_text(encoding="utf-8"))
            own = {feature["name"] for feature in card["features"]}
            assert own
            assert not own & names
            names |= own
            assert ("base_points" in card) == (party == "bank")
            assert (lab_run.out / "scorecard" / f"{party}.csv").read_text(encoding="utf-8").count("\n") > len(
                own
            )
        page = (lab_run.out / "report.html").read_text(encoding="utf-8")
        assert "Scorecard" in page
        assert all(mark not in page for mark in ("<link", "src=", "@import", "url("))
