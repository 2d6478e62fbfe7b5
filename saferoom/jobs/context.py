"""What a task works with inside a job process: the session, the contract, a staging folder, phases."""

from __future__ import annotations

import json
import resource
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from saferoom.channel.session import Disclosure, Session
from saferoom.contracts.contract import Contract
from saferoom.data import catalogue
from saferoom.data.catalogue import Registration
from saferoom.data.zone import today_in
from saferoom.errors import PeerError, RefusedError, UsageError
from saferoom.jobs.home import Home
from saferoom.jobs.problem import Problem
from saferoom.jobs.spec import JobSpec, Service
from saferoom.link.job.joblink import JobLink
from saferoom.link.pipe import Pipe

PROGRESS_EVERY_S = 0.2


class Daemon:
    """The job process's end of the pipe to its daemon: questions that wait, news that do not."""

    def __init__(self, pipe: Pipe, answer_timeout_s: float = 30.0) -> None:
        self._pipe = pipe
        self._timeout_s = answer_timeout_s
        self._link: JobLink | None = None
        self._is_answered = False
        self._asking = threading.Lock()
        self._answer: dict[str, Any] = {}

    def attach(self, link: JobLink) -> None:
        """The link that reads the pipe, for waiting for answers."""
        self._link = link

    def on_service(self, kind: int, payload: bytes) -> None:
        """Called by the link's reader for every service message."""
        if kind == Service.ANSWER:
            self._answer = json.loads(payload)
            self._is_answered = True

    def disclose(self, disclosure: Disclosure) -> None:
        """Ask before a disclosure. Returns once it stands in the log. Raises RefusedError, StorageError."""
        self._ask(
            Service.ASK_DISCLOSE,
            {
                "kind": disclosure.kind,
                "to": disclosure.to,
                "shape": list(disclosure.shape),
                "step": disclosure.step,
            },
        )

    def record(self, type_: str, **fields: Any) -> None:
        """Have an event written to the log; returns once it is."""
        self._ask(Service.ASK_RECORD, {"type": type_, **fields})

    def write_cut(self, cut: Mapping[str, Any]) -> dict[str, str]:
        """Have transcripts written to the log; gives the receipts for what was sent, by peer."""
        return dict(self._ask(Service.ASK_CUT, cut))

    def tell(self, kind: Service, payload: Mapping[str, Any]) -> None:
        self._pipe.send(kind, json.dumps(payload).encode())

    def _ask(self, kind: Service, question: Mapping[str, Any]) -> Any:
        with self._asking:
            if self._link is None:
                raise UsageError("the job's link is not attached yet")
            self._is_answered = False
            self.tell(kind, question)
            if not self._link.wait_for(lambda: self._is_answered, self._timeout_s):
                raise PeerError("the node's daemon does not answer", step=str(question.get("step", "")))
            if self._answer["problem"] is not None:
                raise Problem(**self._answer["problem"]).to_error()
            return self._answer["value"]


def check_same_version(checked: str, found: str, dataset: str, party: str) -> None:
    """Raise RefusedError if the data set is another one than when the job's offer was checked ("": never)."""
    if checked and found != checked:
        raise RefusedError(
            f"data set {dataset!r} was registered anew between the offer of this job and its start",
            party=party,
            step="load",
            remedy="start the job again, if the contract allows the present data",
        )


@dataclass(slots=True)
class JobContext:
    """Handed to a task."""

    spec: JobSpec
    contract: Contract
    session: Session
    daemon: Daemon
    folder: Path
    end_phase: Callable[[str], None] = lambda name: None
    """Called at the end of each phase: what was said in it is logged."""
    phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    _phase: str = ""
    _told: float = 0.0
    _registration: Registration | None = None

    @property
    def me(self) -> str:
        return self.spec.me

    @property
    def home(self) -> Home:
        return Home.at(self.spec.home)

    @property
    def registration(self) -> Registration:
        """Of the data set that the contract names for this party: read once a job.

        Raises ConfigError (there is none), RefusedError (registered anew since the offer was checked).
        """
        if self._registration is None:
            found = catalogue.recall(self.contract.parties[self.me].dataset, self.home.data)
            check_same_version(self.spec.dataset_version, found.version, found.name, self.me)
            self._registration = found
        return self._registration

    def today(self) -> date:
        """In the time zone of the data set."""
        return today_in(self.registration.description.time_zone)

    @property
    def step(self) -> str:
        return self._phase

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a phase, name it to everybody who watches, and log what was said in it.

        At its end parties compare what they were told, and raise PeerError if one was told otherwise.

        A phase that is entered again lasts from its first beginning to its last end.
        """
        self._phase = name
        self._tell(name, 0, 0)
        started = time.time()
        yield
        self.session.confirm(name)
        began, _ = self.phases.get(name, (started, started))
        self.phases[name] = (began, time.time())
        self._tell(name, 1, 1)
        self.end_phase(name)

    def progress(self, name: str, done: int, total: int) -> None:
        """Called by protocols as they go; told on at most five times a second, and at the end."""
        now = time.monotonic()
        if now - self._told >= PROGRESS_EVERY_S or done == total:
            self._told = now
            self._tell(name, done, total)

    def summary(self) -> dict[str, Any]:
        """What the job cost here: start and end of each phase, bytes per peer, peak memory; and the facts."""
        meter = self.session.meter
        return {
            "phases": {name: [round(moment, 4) for moment in span] for name, span in self.phases.items()},
            "sent_bytes": {peer: traffic.size_bytes for peer, traffic in meter.sent.items()},
            "rounds": meter.rounds,
            "cpu_seconds": round(time.process_time(), 3),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "facts": self.facts,
        }

    def _tell(self, name: str, done: int, total: int) -> None:
        sent = sum(traffic.size_bytes for traffic in self.session.meter.sent.values())
        self.daemon.tell(
            Service.PROGRESS, {"phase": name or self._phase, "done": done, "total": total, "sent_bytes": sent}
        )
