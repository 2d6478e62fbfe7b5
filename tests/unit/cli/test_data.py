"""`saferoom data`: what a data officer sees, in either language, at any width, and as JSON."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.cells import cell_len

from saferoom.cli.data_commands import list_lines
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


@pytest.mark.parametrize(("lang", "said"), [("en", "460 more columns"), ("zh", "另有 460 列")])
def test_many_columns_do_not_flood_the_terminal(tmp_path: Path, lang: str, said: str) -> None:
    names = [f"feature_{n}" for n in range(500)]
    rows = [f"e{n}," + ",".join("7" if k % 9 else "ab"[n % 2] for k in range(500)) for n in range(4)]
    (tmp_path / "rows.csv").write_text("\n".join([",".join(["id", *names]), *rows]), encoding="utf-8")
    content = {"name": "rows", "source": "rows.csv", "id": "id", "id_kind": "opaque"}
    found = catalogue.register(describe(content, tmp_path), tmp_path).model_dump(mode="json")
    for width in (60, 110):
        few = list(dataset_lines(found, lang, width))
        assert len(few) < 140
        assert any(line.startswith(said) for line in few)
        assert any("404" in line and "saferoom data profile rows" in line for line in few)
        every = "\n".join(dataset_lines(found, lang, width, most=None))
        assert all(name in every for name in names)
        assert "data profile" not in every


def test_one_value_beside_gaps_is_not_called_constant(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,a,b\n1,7,7\n2,,7\n", encoding="utf-8")
    content = {"name": "rows", "source": "rows.csv", "id": "id", "id_kind": "opaque"}
    found = catalogue.register(describe(content, tmp_path), tmp_path)
    assert found.warnings == (
        "column 'a' has one value, and gaps: it tells only whether a value is there",
        "column 'b' is constant",
    )


def test_versions_are_shortened_where_they_do_not_fit(registration: Plain) -> None:
    version = registration["version"]
    with patch("saferoom.cli.data_commands.terminal_width", return_value=60):
        assert max(map(cell_len, list_lines([registration]))) <= 60
        assert f"{version[7:15]}…" in "".join(list_lines([registration]))
    with patch("saferoom.cli.data_commands.terminal_width", return_value=None):
        assert version in "".join(list_lines([registration]))


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
    profiled = run_command(("data", "profile", "rows", "--lang", "zh"), folder=data, environment=environment)
    assert profiled.stdout == added.stdout
    as_json = run_command(("data", "check", "rows", "--json"), folder=data, environment=environment)
    column = json.loads(as_json.stdout)["columns"][0]
    assert (column["type"], column["writing"]["unusual"], column["writing"]["first_row"]) == (
        "numeric",
        1,
        {"unusual": 31},
    )
    assert SECRET not in added.stdout + as_json.stdout
