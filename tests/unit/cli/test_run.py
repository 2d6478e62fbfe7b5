"""Exit codes and streams: results to stdout, talk to stderr, errors with a remedy, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from saferoom import __version__
from saferoom.audit.log.audit_log import AuditLog
from saferoom.cli import app as root
from saferoom.errors import PeerError, ProtocolError, RefusedError, StorageError, UsageError
from saferoom.link.admin import AdminServer, socket_path
from tests.cli_runner import Result, run_command

Typed = Callable[..., Result]


def _run(folder: Path, *words: str, **environment: str) -> Result:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SAFEROOM_")}
    return run_command(words, folder=folder, environment=plain | environment)


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    """`typed("party", "status", ...)`: run a command in this test's folder."""
    return partial(_run, tmp_path)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the home `bank`, its keys encrypted under `secret`, and with a file of that word."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "word").write_text("secret\n", encoding="utf-8")
    made = _run(
        folder,
        *("party", "init", "bank", "--organisation", "Valley Bank"),
        *("--home", "bank", "--passphrase-file", "word", "--json"),
    )
    assert made.code == 0, made.stderr
    assert json.loads(made.stdout)["home"] == str(folder / "bank")
    assert "next: send request.json" in made.stderr
    return folder


@pytest.fixture
def party(made_once: Path, tmp_path: Path) -> Path:
    """That party's home, copied into this test's folder."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "bank"


def test_version(typed: Typed) -> None:
    assert typed("--version") == Result(0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("fly",),
        ("party", "fly"),
        ("party", "init"),
        ("party", "status", "--loud"),
        ("contract", "explain", "x", "--lang", "fr"),
        ("audit", "export"),
    ],
)
def test_usage_errors(typed: Typed, words: tuple[str, ...]) -> None:
    result = typed(*words)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("u"), 2),
        (PeerError("p", party="tax", step="align", remedy="wait"), 3),
        (RefusedError("r"), 4),
        (StorageError("s"), 1),
        (ProtocolError("m"), 1),
    ],
)
def test_exit_codes_of_the_error_tree(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fail(**_options: Any) -> None:
        raise error

    monkeypatch.setattr(root, "app", fail)
    assert typed() == Result(code, "", f"error: {error}\n")


@pytest.mark.parametrize(
    "words", [("party", "status"), ("keys", "show"), ("audit", "verify"), ("data", "list")]
)
def test_an_empty_folder_holds_no_node(typed: Typed, words: tuple[str, ...]) -> None:
    result = typed(*words)
    assert (result.code, result.stdout) == (2, "")
    assert "holds no node. Remedy: run `saferoom party init`" in result.stderr


def test_home_from_the_environment(typed: Typed, party: Path) -> None:
    result = typed("party", "status", "--json", SAFEROOM_HOME=str(party), SAFEROOM_PASSPHRASE="secret")
    assert json.loads(result.stdout)["node"] == "bank"


@pytest.mark.parametrize(
    ("given", "environment", "said"),
    [
        ((), {}, "no passphrase was given"),
        ((), {"SAFEROOM_PASSPHRASE": "guess"}, "wrong passphrase"),
        (("--passphrase-file", "absent"), {}, "cannot read the passphrase file absent"),
        (("--passphrase-file", "empty"), {}, "no first line"),
    ],
)
def test_keys_that_stay_closed(
    typed: Typed, party: Path, given: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    (party.parent / "empty").touch()
    result = typed("keys", "show", "--home", "bank", *given, **environment)
    assert (result.code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Remedy: " in result.stderr


def test_keys_opened_by_file_and_by_environment(typed: Typed, party: Path) -> None:
    by_file = typed("keys", "show", "--home", "bank", "--passphrase-file", "word")
    by_environment = typed("keys", "show", "--home", "bank", SAFEROOM_PASSPHRASE="secret")
    assert by_file == by_environment
    assert "fingerprint" in by_file.stdout
    assert oct(party.stat().st_mode)[-3:] == "700"


def test_doctor_before_the_node_has_joined(typed: Typed, party: Path) -> None:
    result = typed("party", "doctor", "--home", "bank", "--json")
    findings = {finding["what"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert result.code == 1
    assert not findings["certificate"]["ok"]
    assert "party join" in findings["coordinator"]["text"]
    assert result.stderr.startswith("error: checks failed: ")


def test_a_home_is_not_made_twice(typed: Typed, party: Path) -> None:
    result = typed("party", "init", "bank", "--organisation", "X", "--home", "bank")
    assert (result.code, result.stdout) == (2, "")


def test_verdicts_have_their_own_exit_codes(typed: Typed, party: Path) -> None:
    home = ("--home", "bank")
    assert typed("audit", "verify", *home).code == 0
    assert typed("audit", "verify", *home, "--max-age-s", "0").code == 11
    assert typed("audit", "verify", *home, "--key", "junk").code == 2
    assert typed("audit", "verify", "absent.db").code == 2
    exported = typed("audit", "export", "--out", "log", *home, "--json")
    assert json.loads(exported.stdout) == {"folder": "log", "entries": 1}
    entries = party.parent / "log" / "entries.jsonl"
    entries.write_text(entries.read_text(encoding="utf-8").replace("key.made", "key.male"), encoding="utf-8")
    tampered = typed("audit", "verify", "log")
    assert tampered.code == 1
    assert tampered.stdout.startswith("INVALID")


def test_a_log_held_open_is_waited_for(typed: Typed, party: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a daemon starts, its log is open and its socket is not there yet."""
    answers = AdminServer(socket_path(party), lambda verb, args: iter([{"node": "from the daemon"}]))
    tries = []

    def starting(*_args: object, **_options: object) -> None:
        tries.append("try")
        answers.start()
        raise StorageError("another writer has the audit log open", step="audit log")

    monkeypatch.setattr(AuditLog, "open", starting)
    try:
        result = typed("party", "status", "--home", "bank", "--json", SAFEROOM_PASSPHRASE="secret")
    finally:
        answers.stop()
    assert json.loads(result.stdout) == {"node": "from the daemon"}
    assert tries == ["try"]


def test_commands_start_without_the_heavy_rooms() -> None:
    """Answers are quick because arithmetic and databases are loaded only where they are used."""
    code = "import sys, saferoom.cli.app; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "sqlalchemy", "pyarrow", "duckdb", "sklearn", "grpc"} & set(loaded.split())
