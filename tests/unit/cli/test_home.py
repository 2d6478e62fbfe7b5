"""`saferoom home`, and what every other command says of a home of another version."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from saferoom import __version__
from saferoom.jobs.home import Home
from saferoom.node.core import Core
from tests.cli_runner import Result, run_command
from tests.old_homes import home_of, program_of_tomorrow

Typed = Callable[..., Result]


@pytest.fixture
def bank(tmp_path: Path) -> Home:
    return home_of("bank", tmp_path)


@pytest.fixture
def typed(bank: Home, tmp_path: Path) -> Typed:
    """`typed("home", "show")`: a command at the bank of version 0.1."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SAFEROOM_")}
    return partial(_run, environment=plain | {"SAFEROOM_HOME": str(bank.root)}, folder=tmp_path)


def _run(*words: str, environment: dict[str, str], folder: Path) -> Result:
    return run_command(words, folder=folder, environment=environment)


def test_show(typed: Typed, bank: Home) -> None:
    shown = typed("home", "show")
    assert shown.code == 0 and shown.stderr == ""
    assert "version  0001\n" in shown.stdout and f"program  {__version__}\n" in shown.stdout
    answer = json.loads(typed("home", "show", "--json").stdout)
    assert (answer["home"], answer["role"], answer["node"]) == (str(bank.root), "party", "bank")
    assert answer["steps"] == ["0001: write the version down"]
    assert answer["formats"] == {"log.db": "2", "witness.db": "0", "salts.db": "0"}


def test_upgrade(typed: Typed, bank: Home) -> None:
    done = typed("home", "upgrade", "--json")
    answer = json.loads(done.stdout)
    assert done.code == 0 and answer["version"] == "0001"
    (copy,) = bank.root.glob("state-*.db")
    assert answer["copy"] == str(copy)
    assert f"the state as it was is kept as {copy}" in done.stderr and "next: start the node" in done.stderr
    again = typed("home", "upgrade")
    assert again.code == 0 and "there was nothing to do" in again.stderr and "copy" not in again.stdout


def test_commands_at_an_older_home_name_the_remedy(
    typed: Typed, bank: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_of_tomorrow(monkeypatch, tmp_path)
    for words in (("job", "list"), ("party", "up"), ("audit", "unlink", "91510000MA0000000C")):
        refused = typed(*words)
        assert (refused.code, refused.stdout) == (2, ""), words
        assert f"saferoom home upgrade --home {bank.root}" in refused.stderr
    assert typed("home", "upgrade").code == 0
    assert len(json.loads(typed("job", "list", "--json").stdout)) == 2


def test_commands_at_a_newer_home_name_both_versions(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        program_of_tomorrow(patch, tmp_path)
        assert typed("home", "upgrade").code == 0
    for words in (("job", "list"), ("party", "up"), ("home", "upgrade")):
        refused = typed(*words)
        assert (refused.code, refused.stdout) == (2, ""), words
        assert "version 0002" in refused.stderr and f"SafeRoom {__version__}, knows versions up to 0001" in (
            refused.stderr
        )
    assert json.loads(typed("home", "show", "--json").stdout)["verdict"].startswith("newer")


def test_an_upgrade_is_refused_while_the_node_is_up(typed: Typed, bank: Home) -> None:
    with Core.opened(bank):
        refused = typed("home", "upgrade")
        assert json.loads(typed("home", "show", "--json").stdout)["is_in_use"]
    assert refused.code == 1 and "one writer" in refused.stderr
    assert list(bank.root.glob("state-*")) == []


def test_the_home_of_a_witness(typed: Typed, tmp_path: Path) -> None:
    witness = str(tmp_path / "witness")
    assert typed("audit", "witness", "init", "example.org/auditor", "--home", witness).code == 0
    for command in ("show", "upgrade"):
        refused = typed("home", command, "--home", witness)
        assert refused.code == 2 and "stand-alone witness" in refused.stderr
