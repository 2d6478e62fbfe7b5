"""An auditor's own witness, run as typed: asked by a node's log over HTTP, killed, and asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit import AuditLog, VerdictKind, verify_log
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.witness.http import ask_witness
from saferoom.audit.witness.quorum import Quorum
from saferoom.audit.witness.witness import Request
from saferoom.lab.processes import reserved_port
from tests.cli_runner import run_command
from tests.waiting import LIMIT_S
from tests.witness_room import PACE, grow, open_log, signer_of

NAME = "example.org/auditor"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


class Auditor:
    """The stand-alone witness in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.process: subprocess.Popen[str] | None = None

    def run(self, *words: str, code: int = 0) -> Any:
        command = ("audit", "witness", *words, "--home", str(self.folder / "witness"), "--json")
        result = run_command(command, folder=self.folder, environment=os.environ)
        assert result.code == code, result.stderr
        return json.loads(result.stdout) if result.stdout else {}

    def start(self) -> str:
        command = [sys.executable, "-m", "saferoom", "audit", "witness", "up"]
        command += ["--home", str(self.folder / "witness"), "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        while "listens" not in self.process.stderr.readline():
            assert self.process.poll() is None
        return f"http://127.0.0.1:{self.port}"

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode


@pytest.fixture
def auditor(tmp_path: Path) -> Iterator[Auditor]:
    with reserved_port() as port:
        auditor = Auditor(tmp_path, port)
        yield auditor
        if auditor.process is not None and auditor.process.poll() is None:
            auditor.end(signal.SIGKILL)


def feed(log: AuditLog, url: str, key: str) -> None:
    from saferoom.audit.formats.note import NoteVerifier
    from saferoom.audit.witness.feeder import Feeder

    feeder = Feeder(log, NAME, lambda: [NoteVerifier.parse(key)], PACE)
    number, body = feeder.request()
    while feeder.answered(number, ask_witness(url, body)):
        number, body = feeder.request()


def test_a_log_is_witnessed_through_a_kill_and_a_restart(auditor: Auditor, tmp_path: Path) -> None:
    key = auditor.run("init", NAME)["verifier_key"]
    auditor.run("init", NAME, code=2)
    assert auditor.run("trust", signer_of("bank").verifier_key) == {"origin": "saferoom/bank"}
    auditor.run("trust", key, code=2)
    with open_log(tmp_path / "bank.db") as log:
        grow(log, 3)
        feed(log, auditor.start(), key)
        auditor.end(signal.SIGKILL)
        grow(log, 2)
        feed(log, auditor.start(), key)
        fork = Checkpoint("saferoom/bank", 5, bytes(32)).signed(signer_of("bank"))
        assert ask_witness(f"http://127.0.0.1:{auditor.port}", Request(5, (), fork).body()).status == 409
    assert auditor.end(signal.SIGTERM) == 0
    verdict = verify_log(
        tmp_path / "bank.db", [signer_of("bank").verifier_key], quorum=Quorum.of_keys(1, [key])
    )
    assert (verdict.kind, verdict.witnessed.size) == (VerdictKind.WITNESSED, 5)  # type: ignore[union-attr]
    status = auditor.run("status")
    assert [(entry["origin"], entry["size"]) for entry in status["logs"]] == [("saferoom/bank", 5)]
    for name in ("held", "offered"):
        (tmp_path / name).write_text(status["alarms"][0][name], encoding="utf-8")
    words = (
        "proof",
        str(tmp_path / "held"),
        str(tmp_path / "offered"),
        "--key",
        signer_of("bank").verifier_key,
    )
    assert "two trees of 5 entries" in auditor.run(*words)["proved"]
    auditor.run(*words[:2], words[1], *words[3:], code=1)
