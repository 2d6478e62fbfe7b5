"""`saferoom data`: what a data officer sees, in either language, at any width, and as JSON."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from saferoom.cli.dataset_lines import dataset_lines
from saferoom.cli.output import Plain
from saferoom.data import catalogue, describe
from saferoom.jobs.home import Home
from saferoom.node.setup import init_party
from tests.cli_runner import run_command

SECRET = "98,765"
COLUMNS = [
    {"name": "annual_turnover_before_tax", "type": "numeric"},
    {"name": "founded", "type": "date"},
    "trade",
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [f'E{n},"{SECRET if n == 30 else n}",2024年1月2日,{n % 3 or ""}x' for n in range(60)]
    lines = ["id,annual_turnover_before_tax,founded,trade", *rows]
    (tmp_path / "rows.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


@pytest.fixture
def registration(data: Path) -> Plain:
    content = {"name": "rows", "source": "rows.csv", "id": "id", "id_kind": "opaque", "columns": COLUMNS}
    found = catalogue.register(describe(content, data), data / "data")
    plain: Plain = found.model_dump(mode="json")
    return plain


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 110, None])
def test_the_profile_fits_and_loses_nothing(registration: Plain, lang: str, width: int | None) -> None:
    lines = list(dataset_lines(registration, lang, width))
    profile = lines[lines.index("") + 1 :]
    assert max(map(cell_len, profile)) <= (width or 1000)
    text = " ".join(line.strip() for line in profile)
    for expected in ("annual_turnover_before_tax", "founded", "trade", "31", "100 %"):
        assert expected in text
    words = {"en": ["numeric", "date", "first in row 31"], "zh": ["数值", "日期", "首见于第 31 行"]}
    compact = text.replace(" ", "") if lang == "zh" else text
    assert all((word.replace(" ", "") if lang == "zh" else word) in compact for word in words[lang])
    assert SECRET not in text


def test_shares_do_not_round_to_all_or_nothing(registration: Plain) -> None:
    registration["counts"]["clean"] = 1_000_000
    registration["columns"][0]["missing"] = 3
    registration["columns"][2]["missing"] = 999_999
    text = "\n".join(dataset_lines(registration, "en", None))
    assert "3 (<0.1 %)" in text
    assert "999999 (>99.9 %)" in text


def test_a_registration_of_an_earlier_release_is_shown(registration: Plain) -> None:
    del registration["remarks"]
    for column in registration["columns"]:
        del column["writing"]
    registration["warnings"] = ["column 'trade' is constant"]
    assert "note: column 'trade' is constant" in list(dataset_lines(registration, "en", 60))


def test_add_propose_and_json(data: Path) -> None:
    environment = {**os.environ, "SAFEROOM_HOME": str(data / "home"), "LANG": "C.UTF-8"}
    init_party(Home.at(data / "home"), "bank", "bank", datetime.now(UTC))
    refused = run_command(("data", "add", "rows.csv"), folder=data, environment=environment)
    assert refused.code == 2
    assert "saferoom data propose rows.csv" in refused.stderr
    proposed = run_command(("data", "propose", "rows.csv"), folder=data, environment=environment)
    assert proposed.stdout.startswith("# Proposed from rows.csv, 60 rows.")
    assert SECRET not in proposed.stdout
    (data / "dataset.yaml").write_text(proposed.stdout, encoding="utf-8")
    added = run_command(("data", "add", "dataset.yaml", "--lang", "zh"), folder=data, environment=environment)
    assert "首见于第 31 行" in added.stdout
    as_json = run_command(("data", "check", "rows", "--json"), folder=data, environment=environment)
    column = json.loads(as_json.stdout)["columns"][0]
    assert (column["type"], column["writing"]["unusual"], column["writing"]["first_row"]) == (
        "numeric",
        1,
        {"unusual": 31},
    )
    assert SECRET not in added.stdout + as_json.stdout
