"""Job processes of one daemon: started, connected to the switchboard, answered, watched, and ended.

    uplink (gRPC or local)  <-- opaque frames -->  Switchboard  <-- pipe -->  one process a job

A job process holds neither TLS credentials nor the node's keys nor the log: it asks, through the pipe,
before it discloses anything, and the daemon checks the contract and writes the log before it answers.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from saferoom.errors import PeerError, SafeRoomError
from saferoom.jobs.problem import Problem
from saferoom.jobs.spec import JobSpec, Service
from saferoom.link.pipe import Pipe, PipeClosedError
from saferoom.link.switchboard import JobPort, Switchboard
from saferoom.node.processes.job_starter import JobProcess, JobStarter

logger = logging.getLogger(__name__)

WATCH_EVERY_S = 1.0
REAP_S = 10.0
START_ALLOWANCE_S = 20.0
"""A process that starts on a busy machine says nothing until its libraries are loaded."""


class JobOwner(Protocol):
    """What a daemon does for its job processes. Called from the hub's threads, one per job."""

    def disclose(self, job_id: str, disclosure: Mapping[str, Any]) -> None:
        """Check against the contract and write to the log. Raises to stop the disclosure."""

    def record(self, job_id: str, event: Mapping[str, Any]) -> None:
        """Write an event to the log."""

    def write_cut(self, job_id: str, cut: Mapping[str, Any]) -> dict[str, str]:
        """Write transcripts to the log; gives receipts for what was sent, by peer."""

    def progress(self, job_id: str, progress: Mapping[str, Any]) -> None:
        """Tell those who watch."""

    def job_ended(self, job_id: str, problem: Problem | None, summary: dict[str, Any]) -> None:
        """Called exactly once a job, after its process is gone."""


@dataclass(slots=True, eq=False)
class _Running:
    spec: JobSpec
    process: JobProcess
    heard: float
    port: JobPort | None = None
    attached: threading.Event = field(default_factory=threading.Event)
    step: str = "start"
    problem: Problem | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    finished: bool = False


class JobHub:
    """All job processes of one daemon. `switchboard` takes the frames that come from the network."""

    def __init__(
        self, me: str, owner: JobOwner, send_frame: Callable[[bytes], None], *, silent_s: float
    ) -> None:
        self.switchboard = Switchboard(me, send_frame)
        self._me = me
        self._owner = owner
        self._silent_s = silent_s
        self._starter = JobStarter()
        self._jobs: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        threading.Thread(target=self._watch, name="job watch", daemon=True).start()

    def expect(self, job_id: str, session: int) -> None:
        """The job is accepted here: peers that start earlier are not turned away."""
        self.switchboard.expect(bytes.fromhex(job_id), session)

    def forget(self, job_id: str, session: int) -> None:
        """The job will not start here after all."""
        self.switchboard.forget(bytes.fromhex(job_id), session)

    def start(self, spec: JobSpec) -> None:
        """Start the job's process and hand it its spec. Raises PeerError if it cannot be started."""
        ours, theirs = Pipe.pair()
        try:
            process = self._starter.start(theirs)
        except OSError as error:
            ours.close()
            raise PeerError(
                "the job's process cannot be started",
                party=self._me,
                step="start",
                remedy="free memory; the node's messages say more",
            ) from error
        finally:
            theirs.close_fd()
        running = _Running(spec, process, time.monotonic() + START_ALLOWANCE_S)
        with self._lock:
            self._jobs[spec.job_id] = running
        ours.send(Service.SPEC, spec.to_bytes())
        running.port = self.switchboard.attach(
            bytes.fromhex(spec.job_id),
            spec.session,
            ours,
            on_service=lambda kind, payload: self._on_service(running, kind, payload),
            on_ended=lambda well: self._on_ended(running),
        )
        running.attached.set()

    def running(self) -> list[str]:
        with self._lock:
            return list(self._jobs)

    def cancel(self, job_id: str, problem: Problem) -> None:
        """End a job's process now; `job_ended` is called with `problem`."""
        with self._lock:
            running = self._jobs.get(job_id)
        if running is not None and not running.finished:
            running.problem = running.problem or problem
            running.process.kill()

    def stop(self) -> None:
        """End all jobs and wait for their processes."""
        self._stop.set()
        gone = Problem("CancelledError", "the node is stopping", self._me, "stop", "start the job again")
        for job_id in self.running():
            self.cancel(job_id, gone)
        deadline = time.monotonic() + REAP_S
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.01)
        self._starter.stop()

    def _on_service(self, running: _Running, kind: int, payload: bytes) -> None:
        running.heard = time.monotonic()
        if kind == Service.PROGRESS:
            progress = json.loads(payload)
            running.step = str(progress.get("phase") or running.step)
            self._owner.progress(running.spec.job_id, progress)
        elif kind in (Service.ASK_DISCLOSE, Service.ASK_RECORD, Service.ASK_CUT):
            self._answer(running, kind, json.loads(payload))
        elif kind == Service.FINISHED:
            running.summary = json.loads(payload)
            running.finished = True
        elif kind == Service.FAILED:
            running.problem = running.problem or Problem(**json.loads(payload))

    def _answer(self, running: _Running, kind: int, question: dict[str, Any]) -> None:
        problem: dict[str, str] | None = None
        value: dict[str, str] = {}
        try:
            if kind == Service.ASK_DISCLOSE:
                self._owner.disclose(running.spec.job_id, question)
            elif kind == Service.ASK_CUT:
                value = self._owner.write_cut(running.spec.job_id, question)
            else:
                self._owner.record(running.spec.job_id, question)
        except SafeRoomError as error:
            problem = Problem.of(error, party=self._me, step=str(question.get("step", ""))).to_dict()
        running.attached.wait()
        try:
            if running.port is not None:
                answer = json.dumps({"problem": problem, "value": value})
                running.port.send_service(Service.ANSWER, answer.encode())
        except PipeClosedError:
            logger.debug("a job process ended while its question was answered")

    def _on_ended(self, running: _Running) -> None:
        """The pipe has closed: reap the process and report."""
        code = _reap(running.process)
        if not running.finished and running.problem is None:
            running.problem = Problem(
                "PeerError",
                f"the job's process died (exit code {code})",
                self._me,
                running.step,
                "see whether the machine ran out of memory, then start the job again",
            )
        with self._lock:
            self._jobs.pop(running.spec.job_id, None)
        self._owner.job_ended(
            running.spec.job_id, None if running.finished else running.problem, running.summary
        )

    def _watch(self) -> None:
        """End jobs that stopped saying that they are alive."""
        while not self._stop.wait(WATCH_EVERY_S):
            with self._lock:
                silent = [r for r in self._jobs.values() if time.monotonic() - r.heard > self._silent_s]
            for running in silent:
                problem = Problem(
                    "PeerTimeout",
                    f"the job's process said nothing for {self._silent_s:g} s",
                    self._me,
                    running.step,
                    "see whether the machine is overloaded or the process was stopped",
                )
                self.cancel(running.spec.job_id, problem)


def _reap(process: JobProcess) -> int:
    try:
        return process.wait(timeout=REAP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
