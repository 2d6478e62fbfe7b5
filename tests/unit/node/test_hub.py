"""Job processes of a daemon: whatever they do, the daemon hears of their end once, with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from saferoom.errors import PeerError, RefusedError
from saferoom.jobs.problem import Problem
from saferoom.jobs.spec import JobSpec, Service
from saferoom.link.pipe import Pipe
from saferoom.node.processes.hub import JobHub
from saferoom.node.processes.job_starter import JobStarter
from tests.waiting import LIMIT_S, until, until_still

JOB = "ab" * 16
SPEC = JobSpec(JOB, 1, "tax", "train", {"id": "c"}, {}, {"bank": ("5e" * 32, "7a" * 32)}, "/nowhere")
TALK = """
import json, socket, struct, sys, time
s = socket.socket(fileno=int(sys.argv[1]))
def read(n):
    data = b""
    while len(data) < n:
        data += s.recv(n - len(data)) or sys.exit(3)
    return data
def hear():
    kind, size = struct.unpack(">BI", read(5))
    return kind, read(size)
def say(kind, value):
    raw = json.dumps(value).encode()
    s.sendall(struct.pack(">BI", kind, len(raw)) + raw)
spec = json.loads(hear()[1])
"""


@dataclass
class Owner:
    """The daemon behind the hub. `allows` decides on disclosures."""

    allows: Callable[[Any], None] = lambda question: None
    ended: list[tuple[str, Problem | None, dict[str, Any]]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    def disclose(self, job: str, question: Any) -> None:
        self.asked.append(question)
        self.allows(question)

    def record(self, job: str, event: Any) -> None:
        self.asked.append(event)

    def write_cut(self, job: str, cut: Any) -> dict[str, str]:
        self.asked.append(cut)
        return {}

    def progress(self, job: str, progress: Any) -> None:
        self.seen.append(progress)

    def job_ended(self, job: str, problem: Problem | None, summary: dict[str, Any]) -> None:
        self.ended.append((job, problem, summary))


class Bench:
    """A hub whose job processes run a script of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, silent_s: float = 60) -> None:
        self.owner = Owner()
        self.script = ""
        monkeypatch.setattr(JobStarter, "start", lambda _starter, pipe: self._spawn(pipe))
        self.hub = JobHub("tax", self.owner, lambda frame: None, silent_s=silent_s)

    def _spawn(self, pipe: Pipe) -> subprocess.Popen[bytes]:
        number = pipe.fileno()
        return subprocess.Popen([sys.executable, "-c", TALK + self.script, str(number)], pass_fds=[number])

    def run(self, script: str) -> tuple[Problem | None, dict[str, Any]]:
        """Start a job; how it ended."""
        self.start(script)
        return self.end()

    def start(self, script: str) -> None:
        self.script = script
        self.hub.start(SPEC)

    def end(self) -> tuple[Problem | None, dict[str, Any]]:
        until(lambda: self.owner.ended)
        ((job, problem, summary),) = self.owner.ended
        assert job == JOB and self.hub.running() == []
        return problem, summary


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(monkeypatch)
    yield bench
    bench.hub.stop()


FINISHED, FAILED, PROGRESS = Service.FINISHED.value, Service.FAILED.value, Service.PROGRESS.value


def test_a_job_that_finishes(bench: Bench) -> None:
    problem, summary = bench.run(f"say({FINISHED}, {{'rounds': 3, 'spec': spec['job_id']}})")
    assert problem is None
    assert summary == {"rounds": 3, "spec": JOB}


def test_a_job_that_fails_says_why(bench: Bench) -> None:
    said = Problem("ConfigError", "one class only", "bank", "prepare", "take more rows").to_dict()
    problem, _ = bench.run(f"say({FAILED}, {said!r}); sys.exit(1)")
    assert problem is not None and problem.to_dict() == said


@pytest.mark.parametrize(
    "death",
    ["sys.exit(0)", "sys.exit(7)", "import os; os.kill(os.getpid(), 9)", "s.close(); time.sleep(0.2)"],
)
def test_a_job_that_dies_without_a_word(bench: Bench, death: str) -> None:
    problem, _ = bench.run(f"say({PROGRESS}, {{'phase': 'align'}}); {death}")
    assert problem is not None
    assert (problem.error, problem.party, problem.step) == ("PeerError", "tax", "align")
    assert "died" in problem.message and problem.remedy


def test_a_job_that_dies_before_its_first_phase_still_names_a_step(bench: Bench) -> None:
    problem, _ = bench.run("sys.exit(1)")
    assert problem is not None and problem.step == "start"


@pytest.mark.parametrize(
    "noise",
    [
        r"s.sendall(b'\x10\xff\xff\xff\xff' + b'x' * 100); time.sleep(30)",
        r"s.sendall(b'\x00\x00\x00\x00\x05frame'); time.sleep(30)",
        r"s.sendall(struct.pack('>BI', 0, 104) + b'\x01' + bytes(103)); time.sleep(30)",
    ],
    ids=["a length without end", "no frame", "a frame in another's name"],
)
def test_a_job_that_sends_garbage_to_its_daemon_is_cut_off(
    bench: Bench, noise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saferoom.node.processes.hub.REAP_S", 0.2)
    problem, _ = bench.run(noise)
    assert problem is not None and problem.party == "tax"


def test_a_job_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saferoom.node.processes.hub.WATCH_EVERY_S", 0.05)
    bench = Bench(monkeypatch, silent_s=0.3)  # which counts from its first word
    try:
        problem, _ = bench.run(f"say({PROGRESS}, {{'phase': 'train'}}); time.sleep(600)")
        assert problem is not None
        assert (problem.error, problem.party, problem.step) == ("PeerTimeout", "tax", "train")
        assert problem.remedy
    finally:
        bench.hub.stop()


def test_a_cancelled_job_ends_with_the_reason_and_its_process(bench: Bench) -> None:
    bench.start("time.sleep(60)")
    until(bench.hub.running)
    reason = Problem("CancelledError", "no longer wanted", "bank", "cancel", "start again")
    bench.hub.cancel(JOB, reason)
    problem, _ = bench.end()
    assert problem == reason
    assert not [p for p in psutil.Process().children() if p.is_running() and TALK in " ".join(p.cmdline())]


def test_a_daemon_that_stops_ends_its_jobs(bench: Bench) -> None:
    bench.start("time.sleep(60)")
    bench.hub.stop()
    problem, _ = bench.end()
    assert problem is not None and problem.error == "CancelledError"


def test_a_disclosure_waits_for_the_answer_and_a_refusal_comes_back_whole(bench: Bench) -> None:
    held = threading.Event()

    def allow(question: Any) -> None:
        held.wait(LIMIT_S)
        if question["kind"] == "rows":
            raise RefusedError("the contract does not let power learn 'rows'", remedy="agree on another")

    bench.owner.allows = allow
    ask, record = Service.ASK_DISCLOSE.value, Service.ASK_RECORD.value
    bench.start(
        f"say({ask}, {{'kind': 'score', 'to': 'bank', 'shape': [3], 'step': 'a'}});"
        f"said = [hear()]; say({ask}, {{'kind': 'rows', 'to': 'power', 'shape': [3], 'step': 'b'}});"
        f"said.append(hear()); say({record}, {{'type': 'psi.done', 'rows': 3}}); said.append(hear());"
        f"say({FINISHED}, {{'said': [json.loads(text) for _, text in said]}})"
    )
    until(lambda: bench.owner.asked)
    until_still(lambda: len(bench.owner.asked))
    assert len(bench.owner.asked) == 1, "no second question before the first answer"
    held.set()
    _, summary = bench.end()
    allowed, refusal, recorded = summary["said"]
    assert allowed == recorded == {"problem": None, "value": {}}
    refused = refusal["problem"]
    assert (refused["error"], refused["party"], refused["step"]) == ("RefusedError", "tax", "b")
    assert refused["remedy"] == "agree on another"


def test_the_spec_goes_through_the_pipe_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not through arguments, which everybody on the machine reads, nor the environment."""
    seen: dict[str, Any] = {}
    honest = subprocess.Popen

    def popen(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        seen.update(options, command=command)
        return honest(command, **options)

    hub = JobHub("tax", Owner(), lambda frame: None, silent_s=30)
    monkeypatch.setattr("saferoom.node.processes.job_starter.subprocess.Popen", popen)
    hub.start(SPEC)
    hub.stop()
    handed_over = json.dumps([seen["command"], seen["env"]])
    for secret in (JOB, *SPEC.keys["bank"], "/nowhere"):
        assert secret not in handed_over
    assert seen["stdin"] == subprocess.DEVNULL and len(seen["pass_fds"]) == 1
    assert SPEC.keys["bank"][0] not in repr(SPEC)


def test_a_process_that_cannot_be_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_starter: JobStarter, _pipe: Pipe) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(JobStarter, "start", fail)
    with pytest.raises(PeerError) as caught:
        bench.hub.start(SPEC)
    assert (caught.value.party, caught.value.step) == ("tax", "start") and caught.value.remedy
    assert bench.hub.running() == []
