"""A job as the coordinator sees it: offered, answered, started, ended by all or ended for all.

    submit -> offer to every party -> all accept  -> start everywhere -> all ended  -> verdict: finished
                                   -> one refuses -> verdict: refused
                                                     one fails, leaves, cancels -> verdict: failed, cancelled

The state machine alone: it decides, its `RunPort` acts. A part that failed only because another part did
waits for that one's own word, so that all are told the cause. Until the verdict, parties hold their results
staged; only "finished" makes them permanent, so a job leaves everything everywhere or nothing anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from saferoom.ids import HELPER
from saferoom.jobs.problem import HEARSAY_S, UNKNOWN_STEP, Problem


@dataclass(slots=True)
class Run:
    """One job under way. `keys[sender][receiver]` are HPKE envelopes that the coordinator cannot open."""

    job_id: str
    session: int
    contract_id: str
    kind: str
    params: dict[str, Any]
    parties: tuple[str, ...]
    asked_at: float
    started: bool = False
    accepted: set[str] = field(default_factory=set)
    keys: dict[str, dict[str, bytes]] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone_since: dict[str, float] = field(default_factory=dict)
    hearsay: tuple[Problem, float] | None = None

    def everyone(self) -> tuple[str, ...]:
        return (*self.parties, HELPER)


class RunPort(Protocol):
    """What the state machine has done for it."""

    def start_run(self, run: Run) -> None:
        """Start the helper and tell every party to start."""

    def end_run(self, run: Run, state: str, problem: Problem | None) -> None:
        """Tell everybody the verdict, stop the helper, remember, log."""


class Runs:
    """All jobs under way. Not thread-safe: the coordinator calls it under its lock."""

    def __init__(self, port: RunPort, *, offer_s: float, gone_s: float) -> None:
        self._port = port
        self._offer_s = offer_s
        self._gone_s = gone_s
        self._runs: dict[str, Run] = {}

    def add(self, run: Run) -> None:
        self._runs[run.job_id] = run

    def get(self, job_id: str) -> Run | None:
        return self._runs.get(job_id)

    def under_way(self) -> list[Run]:
        return list(self._runs.values())

    def reply(self, job_id: str, party: str, problem: Problem | None, keys: Mapping[str, bytes]) -> None:
        run = self._runs.get(job_id)
        if run is None or party not in run.parties or run.started:
            return
        if problem is not None:
            self.end(run, "refused", problem)
            return
        run.accepted.add(party)
        run.keys[party] = dict(keys)
        if run.accepted == set(run.parties):
            run.started = True
            self._port.start_run(run)

    def part_ended(
        self, job_id: str, endpoint: str, problem: Problem | None, summary: dict[str, Any]
    ) -> None:
        run = self._runs.get(job_id)
        if run is None or endpoint not in run.everyone():
            return
        if problem is not None and problem.is_hearsay:
            run.hearsay = run.hearsay or (problem, time.monotonic())
            return
        if problem is not None:
            state = "cancelled" if problem.error == "CancelledError" else "failed"
            self.end(run, state, problem)
            return
        run.ended[endpoint] = summary
        if set(run.ended) == set(run.everyone()):
            self.end(run, "finished", None)

    def connected(self, party: str, running_jobs: set[str]) -> None:
        """A party is back. If it does not know a started job any more, the node was restarted."""
        for run in self.under_way():
            if party not in run.parties:
                continue
            run.gone_since.pop(party, None)
            if run.started and party not in run.ended and run.job_id not in running_jobs:
                self.end(run, "failed", _restarted(party))

    def disconnected(self, party: str) -> None:
        for run in self.under_way():
            if party in run.parties:
                run.gone_since.setdefault(party, time.monotonic())

    def tick(self, now: float) -> None:
        """End runs with an unanswered offer, a party that stays away, or a failure nobody explains."""
        for run in self.under_way():
            silent = sorted(set(run.parties) - run.accepted)
            gone = [party for party, since in run.gone_since.items() if now - since > self._gone_s]
            if gone:
                self.end(run, "failed", _gone(gone[0], self._gone_s))
            elif silent and now - run.asked_at > self._offer_s:
                self.end(run, "failed", _unanswered(silent[0], self._offer_s))
            elif run.hearsay is not None and now - run.hearsay[1] > HEARSAY_S:
                self.end(run, "failed", run.hearsay[0])

    def end(self, run: Run, state: str, problem: Problem | None) -> None:
        if self._runs.pop(run.job_id, None) is not None:
            self._port.end_run(run, state, problem)


def _restarted(party: str) -> Problem:
    return Problem("PeerError", "the party's node was restarted", party, UNKNOWN_STEP, "start the job again")


def _gone(party: str, seconds: float) -> Problem:
    remedy = f"see that {party}'s node is up and its network works, then start the job again"
    return Problem("PeerError", f"the party has been away for {seconds:g} s", party, UNKNOWN_STEP, remedy)


def _unanswered(party: str, seconds: float) -> Problem:
    remedy = f"see that {party}'s node is up, then start the job again"
    return Problem("PeerTimeout", f"no answer to the job offer in {seconds:g} s", party, "offer", remedy)
