"""`saferoom lab run` and `saferoom demo`: the files that other tools read, and the quality of the model."""

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

from saferoom.audit import verify_log
from saferoom.scoring.points import PointScale
from tests.cli_runner import run_command

MEASURES = {"auc", "ks", "gini", "log_loss", "brier"}
PHASES = {"align", "prepare", "train", "evaluate", "release", "total"}

# rows per party, aligned, train, test; from the description of the public data
ROWS = {
    "breast": ({"bank": 569, "tax": 569}, 569, 398, 171),
    "uci_default": ({"bank": 30_000, "tax": 30_600, "utility": 30_000}, 27_640, 19_348, 8_292),
    "polish1": ({"bank": 7_027, "tax": 7_167, "utility": 7_027}, 6_477, 4_533, 1_944),
    "bank_marketing": ({"bank": 45_211, "tax": 46_116, "utility": 45_211}, 41_661, 29_162, 12_499),
    "gmsc": ({"bank": 150_000, "tax": 153_000, "utility": 150_015}, 138_217, 96_751, 41_466),
}
# test AUC of scikit-learn on the pooled rows, and on the bank's own columns
AUC = {
    "breast": (0.9950, 0.9853),
    "uci_default": (0.7225, 0.6319),
    "polish1": (0.8993, 0.7269),
    "bank_marketing": (0.9094, 0.8425),
    "gmsc": (0.8476, 0.7793),
}
QUICK = ("breast",)


@dataclass(frozen=True)
class LabRun:
    """A finished run: the data set's name, the folder, and what stood on stdout."""

    name: str
    out: Path
    printed: dict[str, Any]

    @property
    def metrics(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "metrics.json").read_text(encoding="utf-8")))

    @property
    def parties(self) -> set[str]:
        return set(ROWS[self.name][0])

    @property
    def scores(self) -> list[dict[str, str]]:
        with (self.out / "scores.csv").open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=(pytest.mark.shared_data, *(() if name in QUICK else (pytest.mark.slow,))))
        for name in ROWS
    ],
)
def lab_run(
    request: pytest.FixtureRequest, shared_data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabRun]:
    """The real data set of that name, trained jointly, with its plaintext twin."""
    out = tmp_path_factory.mktemp(request.param)
    room = shared_data_dir / request.param / "room-logistic.yaml"
    words = ("lab", "run", str(room), "--out", str(out), "--twin", "--json")
    result = run_command(words, folder=out, environment=os.environ)
    assert result.code == 0, result.stderr
    assert "\x1b" not in result.stderr
    yield LabRun(request.param, out, json.loads(result.stdout))
    shutil.rmtree(out)


def test_it_is_as_good_as_the_plaintext_twin(lab_run: LabRun) -> None:
    metrics, (auc, alone) = lab_run.metrics, AUC[lab_run.name]
    assert abs(metrics["test"]["auc"] - metrics["twin"]["test"]["auc"]) < 0.001
    assert abs(metrics["train"]["auc"] - metrics["twin"]["train"]["auc"]) < 0.001
    assert metrics["twin"]["max_coef_diff"] < 0.01
    assert metrics["test"]["auc"] == pytest.approx(auc, abs=0.001)
    assert metrics["alone"]["test"]["auc"] == pytest.approx(alone, abs=0.002)


def test_metrics_hold_every_promised_field(lab_run: LabRun) -> None:
    metrics, (rows, aligned, train, test) = lab_run.metrics, ROWS[lab_run.name]
    assert metrics == lab_run.printed
    assert metrics["rows"] == rows
    assert (metrics["rows_aligned"], metrics["rows_train"], metrics["rows_test"]) == (aligned, train, test)
    for quality in (metrics, metrics["alone"], metrics["twin"]):
        assert set(quality["train"]) == set(quality["test"]) == MEASURES
    assert set(metrics["seconds"]) == PHASES
    assert all(value > 0 for value in metrics["seconds"].values())
    assert metrics["seconds"]["total"] >= sum(v for k, v in metrics["seconds"].items() if k != "total")
    endpoints = lab_run.parties | {"helper"}
    assert set(metrics["bytes"]) == {f"{a}->{b}" for a in endpoints for b in endpoints - {a}}
    assert all(count > 0 for count in metrics["bytes"].values())
    processes = {f"{e} job" for e in endpoints} | {f"{d} daemon" for d in lab_run.parties | {"coordinator"}}
    assert set(metrics["peak_memory_bytes"]) == processes
    assert 1 <= metrics["iterations"] <= 40
    assert {"saferoom", "python", "numpy", "scikit-learn"} <= set(metrics["versions"])
    assert (metrics["trust"], metrics["task"], metrics["logs_ok"]) == ("assisted", "logistic", True)


def test_scores_of_the_label_holder(lab_run: LabRun) -> None:
    scores, metrics = lab_run.scores, lab_run.metrics
    assert list(scores[0]) == ["id", "split", "y", "pd", "points", "grade"]
    assert len(scores) == len({row["id"] for row in scores}) == metrics["rows_aligned"]
    assert sum(row["split"] == "train" for row in scores) == metrics["rows_train"]
    assert {row["split"] for row in scores} == {"train", "test"}
    assert {row["y"] for row in scores} == {"0", "1"}
    assert {row["grade"] for row in scores} <= set("ABCD")
    brier = sum((int(r["y"]) - float(r["pd"])) ** 2 for r in scores if r["split"] == "test")
    assert brier / metrics["rows_test"] == pytest.approx(metrics["test"]["brier"], abs=1e-5)
    by_risk = sorted(scores, key=lambda row: (float(row["pd"]), -int(row["points"])))  # pd is rounded
    points = [int(row["points"]) for row in by_risk]
    assert points == sorted(points, reverse=True)
    grades = [row["grade"] for row in by_risk]
    assert grades == sorted(grades)
    assert (lab_run.out / "scores.csv").stat().st_mode & 0o077 == 0


def test_each_party_has_its_part_of_the_model(lab_run: LabRun) -> None:
    files = {path.stem: path for path in (lab_run.out / "model").iterdir()}
    assert set(files) == lab_run.parties
    for party, path in files.items():
        part = json.loads(path.read_text(encoding="utf-8"))
        assert (part["party"], part["kind"]) == (party, "logistic")
        assert len(part["columns"]) == len(part["coefficients"]) > 0
        assert ("intercept" in part) == (party == "bank")
        assert PointScale.from_dict(part["points"])


def test_report_is_one_page_without_outside_assets(lab_run: LabRun) -> None:
    page = (lab_run.out / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert f"{lab_run.metrics['test']['auc']:.3f}" in page
    assert all(mark not in page for mark in ("<link", "src=", "@import", "url("))


def test_report_has_every_nodes_verdict_as_verify_json_has_it(lab_run: LabRun) -> None:
    page = (lab_run.out / "report.html").read_text(encoding="utf-8")
    verdicts = json.loads((lab_run.out / "log" / "verify.json").read_text(encoding="utf-8"))
    for node, verdict in verdicts.items():
        line = f'<td>{node}</td><td class="n">{verdict["size"]}</td><td class="root"><code>{verdict["root"]}'
        assert line in page
    assert "All nodes' logs were checked in full" in page.replace("&#39;", "'")
    assert all(name in page for name in ("95 % interval", "Data quality", "Hosmer–Lemeshow"))


def test_all_logs_are_there_and_verify(lab_run: LabRun) -> None:
    nodes = lab_run.parties | {"coordinator"}
    folder = lab_run.out / "log"
    verdicts = json.loads((folder / "verify.json").read_text(encoding="utf-8"))
    assert set(verdicts) == {path.stem for path in folder.glob("*.db")} == nodes
    for node in nodes:
        key = (folder / f"{node}.key").read_text(encoding="ascii").strip()
        again = verify_log(folder / f"{node}.db", [key]).to_dict()
        assert again["ok"]
        assert (again["size"], again["root"]) == (verdicts[node]["size"], verdicts[node]["root"])
        assert verdicts[node]["origin"] == f"saferoom/{node}"


def test_the_demo_trains_scores_and_checks_its_logs(tmp_path: Path) -> None:
    words = ("demo", "--rows", "800", "--out", "tour", "--lang", "zh")
    result = run_command(words, folder=tmp_path, environment=os.environ)
    assert result.code == 0, result.stderr
    for words_shown in ("joint", "alone", "default rate", "MB between nodes", "all verify"):
        assert words_shown in result.stdout
    out = tmp_path / "tour"
    assert {"metrics.json", "scores.csv", "new-scores.csv", "report.html"} <= {p.name for p in out.iterdir()}
    assert "数据" in (out / "report.html").read_text(encoding="utf-8")
    new = list(csv.DictReader((out / "new-scores.csv").open(encoding="utf-8")))
    assert list(new[0]) == ["id", "pd", "points", "grade"]
    assert len(new) > 1000


def test_a_run_that_fails_leaves_no_earlier_results(tmp_path: Path) -> None:
    (tmp_path / "room.yaml").write_text(
        """
        room: broken
        label_holder: bank
        parties:
          bank: {source: bank.csv, id: id, id_kind: opaque, label: y}
          tax: {source: absent.csv, id: id, id_kind: opaque}
        task: {kind: logistic}
        """,
        encoding="utf-8",
    )
    (tmp_path / "bank.csv").write_text("id,x,y\na,1,0\nb,2,1\n", encoding="utf-8")
    out = tmp_path / "out"
    (out / "model").mkdir(parents=True)
    (out / "metrics.json").write_text("{}", encoding="utf-8")
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    result = run_command(("lab", "run", "room.yaml", "--out", "out"), folder=tmp_path, environment=os.environ)
    assert result.code == 2
    assert "party tax" in result.stderr
    assert "Remedy: " in result.stderr
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
