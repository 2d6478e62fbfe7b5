"""A scorecard through real processes: trained, scored with reason codes, watched, reported."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.errors import RefusedError
from saferoom.lab.house import House, draft_of, house
from saferoom.lab.room import Room
from tests.cli_runner import run_command
from tests.node_room import PARTIES, write_rows
from tests.scorecard_room import CODE, enterprises

ROWS, ASKED = 900, 40
PARTS = enterprises(ROWS, seed=5)

pytestmark = pytest.mark.slow


def silent(_item: Any) -> None:
    """Progress that nobody watches."""


def room_in(folder: Path) -> Room:
    parties: dict[str, Any] = {}
    for party, columns in PARTS.items():
        file = write_rows(folder / f"{party}.csv", columns)
        parties[party] = {"source": str(file), "id": "uscc"}
    parties["bank"] |= {"label": "y", "split": "split"}
    task = {"kind": "scorecard", "params": {"key_bits": 2048}}
    return Room.model_validate(
        {"room": "cards", "label_holder": "bank", "parties": parties, "task": task, "folder": folder}
    )


def describe_again(nodes: House, folder: Path) -> dict[str, Any]:
    """Register each data set with a special code and with names that may be published."""
    found = {}
    for party, columns in PARTS.items():
        names = [name for name in columns if name not in ("uscc", "y", "split")]
        lines = [{"name": name} for name in names]
        lines[0]["reason"], lines[1]["special"] = f"{party} payments", [CODE]
        content = {
            "name": "cards",
            "source": str(folder / f"{party}.csv"),
            "id": "uscc",
            "id_kind": "uscc",
            "columns": lines,
            **({"label": "y", "split": "split"} if party == "bank" else {}),
        }
        file = nodes.nodes[party].home / "dataset.yaml"
        file.write_text(json.dumps(content), encoding="utf-8")
        found[party] = nodes.nodes[party].ask("data.add", file=str(file))
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str, Path]]:
    """The nodes, the id of the scorecard they trained, and a folder."""
    folder = tmp_path_factory.mktemp("cards")
    room = room_in(folder)
    with house(room, folder, silent) as nodes:
        draft = draft_of(room, describe_again(nodes, folder))
        draft["outputs"] = [{"to": party, "form": "coefficients"} for party in PARTIES]
        draft["outputs"] += [{"to": "bank", "form": form} for form in ("score", "points", "reason_codes")]
        contract = nodes.agree_on(draft)
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
