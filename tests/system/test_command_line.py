"""Three organisations and a coordinator at their terminals: real processes, only the command line."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from saferoom.errors import PeerError
from saferoom.lab.processes import reserved_port
from saferoom.lab.synthetic import write_synthetic_room
from saferoom.link.admin import admin_call, socket_path
from saferoom.scoring.points import PointScale, logit_from_pd
from tests.cli_runner import run_command
from tests.node_processes import no_new_jobs
from tests.waiting import LIMIT_S, until

PARTIES = ("bank", "tax", "power")
ENCRYPTED = "tax"
DATASET = "small-firms"
CONTRACT = "credit-q1"


class Terminal:
    """A folder with the homes of all nodes, and somebody who types commands into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[str]] = {}
        (folder / "passphrase").write_text("correct horse\n", encoding="utf-8")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SAFEROOM_")}
        self.environment |= {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}

    def popen(self, node: str, *words: str) -> subprocess.Popen[str]:
        home = ("--home", node) if node else ()
        command = [sys.executable, "-m", "saferoom", *words, *home]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, node: str, *words: str, code: int = 0) -> tuple[str, str]:
        """What a command wrote to stdout and to stderr; it must end with `code`.

        It runs in this process, to save the second that Python and its libraries take to start.
        """
        given = (*words, *(("--home", node) if node else ()))
        result = run_command(given, folder=self.folder, environment=self.environment)
        assert result.code == code, (words, result)
        if code > 1:  # a failed check, 1, still has its findings to show
            assert result.stdout == "", words
        return result.stdout, result.stderr

    def json(self, node: str, *words: str) -> Any:
        return json.loads(self.run(node, *words, "--json")[0])

    def error(self, node: str, *words: str, code: int) -> str:
        return self.run(node, *words, code=code)[1]

    def unlock(self, node: str) -> tuple[str, ...]:
        return ("--passphrase-file", "passphrase") if node == ENCRYPTED else ()

    def up(self, node: str) -> None:
        role = "coordinator" if node == "coordinator" else "party"
        log = (self.folder / f"{node}.log").open("w", encoding="utf-8")
        command = [sys.executable, "-m", "saferoom", role, "up", "--home", node, *self.unlock(node)]
        with log:
            self.daemons[node] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )

    def stop(self, node: str) -> int:
        self.daemons[node].terminate()
        return self.daemons[node].wait(LIMIT_S)

    def until(self, node: str, *words: str, has: str) -> str:
        """Repeat a command until its output matches the expression `has`."""

        def said() -> str:
            stdout, _ = self.run(node, *words)
            return stdout if re.search(has, stdout) else ""

        return until(said, f"{has} in what {words} says")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Enrolled with fingerprints read out, up, connected, with data and an active contract."""
    with reserved_port() as port:
        yield from _furnished(Terminal(tmp_path_factory.mktemp("room")), f"127.0.0.1:{port}")


def _furnished(desk: Terminal, address: str) -> Iterator[Terminal]:
    write_synthetic_room(desk.folder / "data", rows=1500, new_rows=120)
    try:
        _enrol(desk, address)
        for node in ("coordinator", *PARTIES):
            desk.up(node)
        _wait_until_connected(desk)
        for party in PARTIES:
            _describe(desk, party)
            desk.run(party, "data", "add", f"{party}.yaml")
        draft(desk, CONTRACT)
        for party in PARTIES:
            desk.until(party, "contract", "list", has=CONTRACT)
            desk.run(party, "contract", "approve", CONTRACT)
        for party in PARTIES:
            desk.until(party, "contract", "list", has=f"{CONTRACT} +active")
        yield desk
    finally:
        for node in desk.daemons:
            desk.stop(node)


@pytest.fixture(scope="module")
def model(terminal: Terminal) -> str:
    """A model trained by a job that the bank submitted and watched. Returns the beginning of its id."""
    stdout, stderr = terminal.run("bank", "job", "submit", CONTRACT, "--watch", "--json")
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert lines[-1]["state"] == "finished"
    assert {"align", "train", "release"} <= {line["phase"] for line in lines[:-1]}
    assert all(line["job_id"] == lines[0]["job_id"] for line in lines)
    assert stderr == ""
    return str(lines[0]["job_id"])[:8]


def _enrol(desk: Terminal, address: str) -> None:
    inits = [("coordinator", "coordinator", "init", "--organisation", "Centre", "--address", address)]
    inits += [(p, "party", "init", p, "--organisation", f"The {p}", *desk.unlock(p)) for p in PARTIES]
    made = [desk.json(*words) for words in inits]
    fingerprints = dict(
        zip(("coordinator", *PARTIES), (answer["fingerprint"] for answer in made), strict=True)
    )
    for party in PARTIES:
        request, welcome = f"{party}/request.json", f"welcome-{party}.json"
        given = ("--out", welcome, "--fingerprint", fingerprints[party])
        desk.run("coordinator", "coordinator", "enrol", request, *given)
    for party in PARTIES:
        given = ("--fingerprint", fingerprints["coordinator"], *desk.unlock(party))
        desk.run(party, "party", "join", f"welcome-{party}.json", *given)


def _wait_until_connected(desk: Terminal) -> None:
    def connected() -> bool:
        parties = desk.json("coordinator", "coordinator", "status")["parties"]
        return all(party["connected"] or party["revoked"] for party in parties)

    until(connected, f"all parties connected; see the logs in {desk.folder}")
    # A node is connected first, and then has its socket.
    until(lambda: all(_answers(desk.folder / node) for node in desk.daemons), "all nodes answer")


def _answers(home: Path) -> bool:
    try:
        return bool(list(admin_call(socket_path(home), "status", {})))
    except PeerError:
        return False


def _describe(desk: Terminal, party: str) -> None:
    room = yaml.safe_load((desk.folder / "data" / "room.yaml").read_text(encoding="utf-8"))
    content = {"name": DATASET, **room["parties"][party], "source": f"data/{party}.csv"}
    (desk.folder / f"{party}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def draft(desk: Terminal, contract: str) -> None:
    """Draft a contract with a few columns of each party."""
    columns = {
        "bank": {"uscc": "id", "y": "label", "split": "split", "credit_line_use": "feature"},
        "tax": {"uscc": "id", "late_filings_24m": "feature", "credit_level": "feature"},
        "power": {"uscc": "id", "late_payments_12m": "feature"},
    }
    content = {
        "id": contract,
        "title": "Joint credit model",
        "purpose": "credit model of small enterprises",
        "legal_basis": "agreement",
        "parties": {
            party: {
                "organisation": f"The {party}",
                "role": "label_holder" if party == "bank" else "feature_holder",
                "dataset": DATASET,
                "columns": columns[party],
            }
            for party in PARTIES
        },
        "task": {"kind": "logistic", "params": {"l2": 1.0}},
        "outputs": [
            *({"to": party, "form": "coefficients"} for party in PARTIES),
            {"to": "bank", "form": "score"},
        ],
        "assumptions": ["semi_honest_parties", "helper_does_not_collude"],
        "quotas": {"training_jobs": 5, "scores_per_day": 5000},
        "valid_days": 30,
    }
    (desk.folder / f"{contract}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    answer = desk.json("coordinator", "contract", "draft", f"{contract}.yaml")
    assert (answer["id"], answer["state"]) == (contract, "proposed")


def test_everybody_sees_who_is_there(terminal: Terminal) -> None:
    status = terminal.json("coordinator", "coordinator", "status")
    assert {party["party"] for party in status["parties"]} == set(PARTIES)
    assert terminal.json("bank", "party", "status")["connected"] is True
    findings = terminal.json("bank", "party", "doctor")["findings"]
    assert {"certificate", "clock", "coordinator", "disk"} <= {f["what"] for f in findings if f["ok"]}
    keys = terminal.json(ENCRYPTED, "keys", "show")  # the daemon has the passphrase
    pinned = terminal.json("bank", "contract", "show", CONTRACT)["fingerprints"]
    assert pinned[ENCRYPTED] == keys["fingerprint"]
    assert "the line to the coordinator is up" in (terminal.folder / "bank.log").read_text(encoding="utf-8")


def test_a_fingerprint_that_was_misheard_lets_nobody_in(terminal: Terminal) -> None:
    right = terminal.json("bank", "keys", "show")["fingerprint"]
    others = terminal.json("power", "keys", "show")["fingerprint"]
    misheard = right[:-1] + ("1" if right[-1] != "1" else "2")
    for given, words in ((misheard, "misheard"), (others, "not that of these keys")):
        enrol = ("coordinator", "enrol", "bank/request.json", "--out", "x.json", "--fingerprint", given)
        assert words in terminal.error("coordinator", *enrol, code=1)
    assert not (terminal.folder / "x.json").exists()


def test_a_party_comes_and_is_put_out(terminal: Terminal) -> None:
    terminal.run("guest", "party", "init", "guest", "--organisation", "A guest")
    assert "not joined" in terminal.error("guest", "party", "up", code=2)
    assert "the welcome is for other keys" in terminal.error(
        "guest", "party", "join", "welcome-bank.json", code=1
    )
    terminal.run("coordinator", "coordinator", "enrol", "guest/request.json", "--out", "welcome-guest.json")
    _, said = terminal.run("guest", "party", "join", "welcome-guest.json")
    assert "by telephone" in said
    answer = terminal.json("coordinator", "coordinator", "remove", "guest", "--reason", "trial is over")
    assert answer == {"removed": "guest", "open_contracts": []}
    assert "put out" in terminal.error("coordinator", "coordinator", "enrol", "guest/request.json", code=4)
    listed = {p["party"]: p for p in terminal.json("coordinator", "coordinator", "status")["parties"]}
    assert listed["guest"]["revoked"]
    terminal.error("coordinator", "coordinator", "remove", "nobody", "--reason", "x", code=2)


def test_commands_at_the_wrong_node_say_so(terminal: Terminal) -> None:
    for node, *words in (
        ("bank", "contract", "draft", f"{CONTRACT}.yaml"),
        ("bank", "coordinator", "status"),
        ("bank", "coordinator", "up"),
        ("coordinator", "party", "doctor"),
        ("coordinator", "data", "list"),
        ("coordinator", "contract", "approve", CONTRACT),
    ):
        said = terminal.error(node, *words, code=2)
        assert f"{'coordinator' if node == 'coordinator' else 'party'}" in said
        assert "Remedy: " in said
    assert "already" in terminal.error("bank", "party", "init", "bank", "--organisation", "x", code=2)
    assert "holds no node" in terminal.error("nowhere", "party", "status", code=2)


def test_data_sets(terminal: Terminal) -> None:
    (found,) = terminal.json("bank", "data", "list")
    assert (found["name"], found["counts"]["rows"]) == (DATASET, 1500)
    stdout, _ = terminal.run("bank", "data", "check", DATASET)
    assert "credit_line_use" in stdout
    extra = yaml.safe_load((terminal.folder / "tax.yaml").read_text(encoding="utf-8")) | {"name": "extra"}
    (terminal.folder / "extra.yaml").write_text(yaml.safe_dump(extra), encoding="utf-8")
    assert terminal.json("tax", "data", "add", "extra.yaml")["name"] == "extra"
    assert terminal.json("tax", "data", "remove", "extra") == {"removed": "extra"}
    assert "Remedy: " in terminal.error("tax", "data", "check", "extra", code=2)
    assert "cannot read" in terminal.error("tax", "data", "add", "absent.yaml", code=2)


def test_a_contract_is_read_and_refused(terminal: Terminal) -> None:
    (terminal.folder / "twice.yaml").write_text("id: a\nid: b\n", encoding="utf-8")
    assert "twice" in terminal.error("coordinator", "contract", "draft", "twice.yaml", code=2)
    draft(terminal, "credit-q2")
    terminal.until("tax", "contract", "list", has="credit-q2")
    english, _ = terminal.run("tax", "contract", "explain", "credit-q2", "--lang", "en")
    chinese, _ = terminal.run("tax", "contract", "explain", "credit-q2", "--lang", "zh")
    assert "bank learns" in english
    assert "bank 将得知" in chinese
    terminal.error("tax", "contract", "explain", "credit-q2", "--lang", "fr", code=2)
    review = terminal.json("tax", "contract", "review", "credit-q2")
    assert review["policy"] == []
    assert set(review["fingerprints"]) == {*PARTIES, "coordinator", "helper"}
    terminal.run("tax", "contract", "refuse", "credit-q2", "--reason", "not needed")
    terminal.until("coordinator", "contract", "list", has="credit-q2 +refused .*tax: not needed")
    for node in ("coordinator", "bank"):
        said = terminal.error(node, "job", "submit", "credit-q2", code=4)
        assert "refused" in said
        assert "Remedy: " in said


def test_the_model_at_each_party(terminal: Terminal, model: str) -> None:
    (listed,) = terminal.json("tax", "model", "list")
    assert listed["id"].startswith(model)
    own = terminal.json("tax", "model", "show", model)
    assert own["files"] == ["model.json", "quality.json", "stability.json"]
    assert any(name.startswith("late_filings") for name in own["model"]["columns"])
    stdout, _ = terminal.run("bank", "model", "show", model)
    assert "intercept" in stdout
    exported = terminal.json("bank", "model", "export", model, "--out", "exported")
    assert {"model.json", "metrics.json", "scores.csv"} <= {
        p.name for p in Path(exported["folder"]).iterdir()
    }
    assert "already" in terminal.error("bank", "model", "export", model, "--out", "exported", code=2)
    terminal.error("bank", "model", "show", "ffffffff", code=2)


def test_the_job_is_known_at_every_node(terminal: Terminal, model: str) -> None:
    for node in ("coordinator", *PARTIES):
        job = terminal.json(node, "job", "show", model)
        assert (job["state"], job["kind"], job["contract_id"]) == ("finished", "train", CONTRACT)
    stdout, _ = terminal.run("coordinator", "job", "show", model)
    assert re.search(r"helper  align .* MB sent; \d+ MB of memory", stdout)
    assert terminal.json("power", "job", "watch", model)["state"] == "finished"


def test_a_report_in_chinese(terminal: Terminal, model: str) -> None:
    terminal.run("tax", "report", "issue", model, "--out", "tax.html", "--lang", "zh")
    page = (terminal.folder / "tax.html").read_text(encoding="utf-8")
    assert "数据" in page
    assert "late_filings" in page
    assert "credit_line_use" not in page  # the bank's column
    assert "仅本方" in page  # nobody looked at the others' logs
    terminal.error("bank", "report", "issue", model, "--out", "absent/report.html", code=2)


def test_scores_of_a_batch_and_of_one(terminal: Terminal, model: str) -> None:
    batch = ("score", "batch", "--model", model, "--input", "data/new.csv")
    stdout, stderr = terminal.run("bank", *batch, "--out", "scores.csv", "--json")
    answer = json.loads(stdout)
    scores, unscored = terminal.folder / "scores.csv", Path(answer["unscored_list"])
    assert unscored.parent == terminal.folder
    assert [path.stat().st_mode & 0o777 for path in (scores, unscored)] == [0o600, 0o600]
    rows = list(csv.DictReader(scores.open(encoding="utf-8")))
    left_out = list(csv.DictReader(unscored.open(encoding="utf-8")))
    assert len(rows) == answer["rows"]
    assert len(rows) + len(left_out) == 120
    assert len(left_out) == sum(answer["unscored"].values())
    assert "not held by every party" in answer["unscored"]
    assert not {row["id"] for row in rows} & {row["id"] for row in left_out}
    assert "\x1b" not in stderr  # no control characters where nobody sits at a terminal
    assert stderr.splitlines()[-1] == f"not scored: see {unscored}"

    one = ("score", "one", rows[0]["id"].lower(), "--model", model, "--input", "data/new.csv")
    single = terminal.json("bank", *one)
    assert single["id"] == rows[0]["id"]
    step = 3 * 2.0**-6  # each of two parties rounds by chance, in both jobs
    assert logit_from_pd(single["pd"]) == pytest.approx(logit_from_pd(float(rows[0]["pd"])), abs=step)
    assert abs(single["points"] - int(rows[0]["points"])) <= 1 + step * PointScale().factor
    assert single["grade"] in "ABCD"
    assert terminal.json("bank", "score", "result", single["job_id"]) == single

    absent = next(row["id"] for row in left_out if row["reason"] == "not held by every party")
    said = terminal.error("bank", "score", "one", absent, "--model", model, "--input", "data/new.csv", code=2)
    assert "held by every party" in said
    assert absent not in said


def test_scores_that_cannot_be(terminal: Terminal, model: str) -> None:
    source = ("--model", model, "--input", "data/new.csv")
    jobs = len(terminal.json("bank", "job", "list"))
    terminal.error("bank", "score", "one", "91510000MA0000000C", *source, code=2)
    terminal.error("bank", "score", "batch", *source, "--out", "absent/scores.csv", code=2)
    terminal.error("bank", "score", "batch", *source[:2], "--input", "no.csv", "--out", "s.csv", code=2)
    assert "party bank" in terminal.error("tax", "score", "batch", *source, "--out", "s.csv", code=4)
    assert len(terminal.json("bank", "job", "list")) == jobs  # no job was spent on them


@pytest.mark.usefixtures("model")
def test_ctrl_c_ends_the_watching_and_a_partner_cancels(terminal: Terminal) -> None:
    with no_new_jobs(terminal.daemons["tax"].pid):
        watching = terminal.popen("bank", "job", "submit", CONTRACT, "--watch")
        assert watching.stderr is not None
        assert watching.stderr.readline() == "bank: load\n"
        watching.send_signal(signal.SIGINT)
        stdout, stderr = watching.communicate(timeout=LIMIT_S)
        assert (watching.returncode, stdout) == (130, "")
        assert "the job goes on" in stderr.splitlines()[-1]
        job = str(re.search("watch ([0-9a-f]+)", stderr)[1])  # type: ignore[index]
        cancelled = terminal.json("power", "job", "cancel", job, "--reason", "wrong quarter")
        assert cancelled["state"] == "cancelled"
        terminal.until("bank", "job", "show", job, has="state  cancelled")
    process = terminal.popen("bank", "job", "watch", job, "--json")
    stdout, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 3
    assert json.loads(stdout)["state"] == "cancelled"
    assert "cancelled by power: wrong quarter (party power, step cancel). Remedy: " in said
    assert "cancelled already" in terminal.error("bank", "job", "cancel", job, code=2)


def test_logs_are_checked(terminal: Terminal, model: str) -> None:
    key = (terminal.folder / "bank" / "log.key").read_text(encoding="utf-8").strip()
    other = (terminal.folder / "tax" / "log.key").read_text(encoding="utf-8").strip()
    for node in ("coordinator", *PARTIES):
        verdict = terminal.json(node, "audit", "verify")
        assert verdict["ok"]
        assert verdict["key_verified"]
    size = terminal.json("bank", "audit", "export", "--out", "bank-log")["entries"]
    stdout, _ = terminal.run("", "audit", "verify", "bank-log", "--key", key)
    assert f"saferoom/bank  {size} entries" in stdout
    assert "INVALID" in terminal.run("", "audit", "verify", "bank-log", "--key", other, code=1)[0]
    process = terminal.popen("", "audit", "verify", "bank-log", "--key", key, "--max-age-s", "0.001")
    assert "STALE" in process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 11
    entries = terminal.folder / "bank-log" / "entries.jsonl"
    text = entries.read_text(encoding="utf-8")
    entries.write_text(text.replace("credit-q1", "credit-q9", 1), encoding="utf-8")
    assert terminal.run("", "audit", "verify", "bank-log", "--key", key, code=1)[0]


def test_while_nodes_are_down(terminal: Terminal) -> None:
    assert terminal.stop("power") == 0
    assert terminal.stop(ENCRYPTED) == 0
    status = terminal.json("power", "party", "status")
    assert (status["up"], status["connected"]) == (False, False)
    assert len(terminal.json("power", "data", "list")) == 1
    assert "not up" in terminal.error("power", "contract", "revoke", CONTRACT, "--reason", "x", code=2)
    assert "passphrase" in terminal.error(ENCRYPTED, "keys", "show", code=2)
    assert terminal.json(ENCRYPTED, "keys", "show", *terminal.unlock(ENCRYPTED))["node_id"] == ENCRYPTED
    terminal.environment["SAFEROOM_PASSPHRASE"] = "wrong"
    assert "wrong passphrase" in terminal.error(ENCRYPTED, "job", "list", code=2)
    terminal.environment["SAFEROOM_PASSPHRASE"] = "correct horse"
    assert terminal.json(ENCRYPTED, "contract", "list")
    del terminal.environment["SAFEROOM_PASSPHRASE"]
    said = terminal.error("coordinator", "job", "submit", CONTRACT, code=3)
    assert re.search(r"not connected \(party (power|tax), step submit\)\. Remedy: start its node", said)
    for node in ("power", ENCRYPTED):
        terminal.up(node)
    _wait_until_connected(terminal)


def test_a_revoked_contract_is_over_for_all(terminal: Terminal) -> None:
    terminal.run("tax", "contract", "revoke", CONTRACT, "--reason", "new legal advice")
    for node in ("coordinator", *PARTIES):
        terminal.until(node, "contract", "list", has=f"{CONTRACT} +revoked")
    assert "revoked" in terminal.error("bank", "job", "submit", CONTRACT, code=4)
