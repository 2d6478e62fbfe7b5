"""Boosted trees through real processes and the command line: trained, scored with reason codes, watched."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.lab.house import House, house
from saferoom.scoring.points import logit_from_pd
from tests.cli_runner import Result, run_command
from tests.lab_room import agree_with_reasons, room_in, silent
from tests.node_room import PARTIES, write_rows
from tests.scorecard_room import enterprises

ROWS, ASKED = 700, 30
PARTS = enterprises(ROWS, seed=5)
QUICK = {"n_estimators": 5, "max_depth": 3, "max_bin": 8, "key_bits": 2048, "randomness": "subgroup"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str, Path]]:
    """The nodes, the id of the model they trained, and a folder."""
    folder = tmp_path_factory.mktemp("trees")
    with house(room_in(folder, PARTS, {"kind": "boosting", "params": QUICK}), folder, silent) as nodes:
        contract = agree_with_reasons(nodes, PARTS, "splits", "score", "reason_codes")
        yield nodes, nodes.train(contract, silent), folder


def command(running: tuple[House, str, Path], party: str, *words: str) -> Result:
    nodes, _, folder = running
    result = run_command(
        (*words, "--home", str(nodes.nodes[party].home)), folder=folder, environment=os.environ
    )
    assert result.code == 0, result.stderr
    return result


def score(running: tuple[House, str, Path], *more: str) -> list[dict[str, str]]:
    _, model, folder = running
    bank = {name: values[:ASKED] for name, values in PARTS["bank"].items() if name not in ("y", "split")}
    asked, out = write_rows(folder / "asked.csv", bank), folder / "scores.csv"
    words = ("score", "batch", "--model", model, "--input", str(asked), "--out", str(out))
    command(running, "bank", *words, *more)
    with out.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def assert_near(one: Sequence[Any], other: Sequence[Any]) -> None:
    """Every release rounds by chance to a step or the next: two of them are less than two steps apart."""
    steps = [logit_from_pd(np.array(each, dtype=float)) * 64 for each in (one, other)]
    assert np.abs(steps[0] - steps[1]).max() < 2.01 * len(PARTIES)


def test_reasons_come_with_the_scores(running: tuple[House, str, Path]) -> None:
    plain, explained = score(running), score(running, "--reasons", "3")
    assert "reasons" not in plain[0]
    assert [row["id"] for row in plain] == [row["id"] for row in explained]
    assert_near([row["pd"] for row in plain], [row["pd"] for row in explained])
    assert len(plain) == ASKED
    shown = {name for row in explained for name in row["reasons"].split("; ")}
    assert shown <= {"", "(not published)", *(f"{party} payments" for party in PARTIES)}
    assert "tax payments" in shown


def test_one_enterprise_is_scored_with_its_reasons(running: tuple[House, str, Path]) -> None:
    batch = {row["id"]: row for row in score(running, "--reasons", "4")}
    code = PARTS["bank"]["uscc"][3]
    words = ("score", "one", code, "--model", running[1], "--input", str(running[2] / "asked.csv"))
    one = json.loads(command(running, "bank", *words, "--reasons", "4", "--json").stdout)
    assert one["reasons"] == batch[code]["reasons"]
    assert_near([one["pd"]], [batch[code]["pd"]])


def test_each_party_watches_its_own_columns(running: tuple[House, str, Path]) -> None:
    for party in PARTIES:
        result = command(running, party, "grade", "stability", running[1], "--json")
        found = json.loads(result.stdout)
        assert {one["feature"] for one in found["features"]} <= set(PARTS[party])
        assert {one["verdict"] for one in found["features"]} == {"stable"}
        assert found["rows"] == ROWS


def test_the_log_of_each_feature_holder_says_that_it_was_told_values(
    running: tuple[House, str, Path],
) -> None:
    for party in ("power", "tax"):
        words = ("audit", "search", "--type", "disclosure", "--json")
        found = json.loads(command(running, party, *words).stdout)
        assert "split_values" in json.dumps(found)
