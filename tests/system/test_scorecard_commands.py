"""A scorecard through real processes: trained, scored with reason codes, watched, reported."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from saferoom.errors import RefusedError
from saferoom.lab.house import House, house
from tests.cli_runner import run_command
from tests.lab_room import agree_with_reasons, room_in, silent
from tests.node_room import PARTIES, write_rows
from tests.scorecard_room import enterprises

ROWS, ASKED = 900, 40
PARTS = enterprises(ROWS, seed=5)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str, Path]]:
    """The nodes, the id of the scorecard they trained, and a folder."""
    folder = tmp_path_factory.mktemp("cards")
    room = room_in(folder, PARTS, {"kind": "scorecard", "params": {"key_bits": 2048}})
    with house(room, folder, silent) as nodes:
        contract = agree_with_reasons(nodes, PARTS, "coefficients", "score", "points", "reason_codes")
        yield nodes, nodes.train(contract, silent), folder


def score(running: tuple[House, str, Path], rows: int, reasons: int) -> list[dict[str, str]]:
    nodes, model, folder = running
    bank = {name: values[:rows] for name, values in PARTS["bank"].items() if name not in ("y", "split")}
    asked, out = write_rows(folder / "asked.csv", bank), folder / "scores.csv"
    node = nodes.nodes["bank"]
    job = node.ask("score.batch", model=model, input=str(asked), reasons=reasons)["job_id"]
    nodes.follow(nodes.coordinator, job, silent)
    nodes.wait_finished(job)
    node.ask("score.result", job=job, out=str(out))
    with out.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_reasons_come_with_the_points(running: tuple[House, str, Path]) -> None:
    plain, explained = score(running, ASKED, 0), score(running, ASKED, 3)
    assert "reasons" not in plain[0]
    points = [{row["id"]: row["points"] for row in rows} for rows in (plain, explained)]
    assert points[0] == points[1]
    assert len(points[0]) == ASKED
    shown = {name for row in explained for name in row["reasons"].split("; ")}
    assert shown <= {"(not published)", *(f"{party} payments" for party in PARTIES)}
    assert "tax payments" in shown


def test_each_party_watches_its_own_features(running: tuple[House, str, Path]) -> None:
    nodes, model, _ = running
    for party in PARTIES:
        found = nodes.nodes[party].ask("model.stability", model=model)
        assert {one["feature"] for one in found["features"]} <= set(PARTS[party])
        assert found["rows"] == ROWS


def test_each_party_can_report_on_its_own_table(running: tuple[House, str, Path]) -> None:
    nodes, model, folder = running
    for party in PARTIES:
        out = folder / f"{party}.html"
        nodes.nodes[party].ask("report.issue", model=model, out=str(out), lang="zh")
        page = out.read_text(encoding="utf-8")
        assert "评分卡" in page
        assert f"{party}_gaps" in page
        assert not any(f"{other}_gaps" in page for other in set(PARTIES) - {party})


def test_more_reasons_than_a_contract_knows_are_refused(running: tuple[House, str, Path]) -> None:
    nodes, model, folder = running
    with pytest.raises(RefusedError, match="from 0 to 4"):
        nodes.nodes["bank"].ask("score.batch", model=model, input=str(folder / "bank.csv"), reasons=7)


def test_a_party_is_shown_its_own_table(running: tuple[House, str, Path]) -> None:
    nodes, model, _ = running
    home = nodes.nodes["tax"].home
    result = run_command(("model", "show", model, "--home", str(home)), folder=home, environment=os.environ)
    assert result.code == 0, result.stderr
    assert re.search(r"tax_coded +special -9 +[+-]\d\.\d{3} +-?\d+", result.stdout)
    assert "base points" not in result.stdout
    assert "bank_" not in result.stdout
    own = nodes.nodes["bank"].ask("model.show", model=model)
    assert own["scorecard"]["base_points"] == round(own["scorecard"]["base_points"])
    assert nodes.nodes["bank"].ask("model.card", model=model)["kind"] == "scorecard"
