"""One contract through the six stages of the data life cycle, from entries alone.

    collection ── transfer ── storage ── use ── sharing ── destruction
       归集         传输       存储      使用     共享        销毁

An entry belongs to a contract if it names it; what was done to a data set belongs to every contract that its
node approved on it. Entries of several logs may be given one after the other: each says whose it is. Nothing
is verified here: see `verify`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from saferoom.audit.entries.summary import summary
from saferoom.audit.entries.vocabulary import STAGES, Stage

HoldingState = Literal["held", "overdue", "destroying", "destroy failed", "destroyed"]

_KEPT = re.compile(r"kept until (\S+Z)")
_CONTRACT = re.compile(rb'"contract":\{(?:"hash":"[^"]*",)?"id":"([^"\\]+)"\}')
_STORED = ("model.stored", "scores.stored", "job.checkpointed")
_DESTROYED = ("model.destroyed", "retention.destroyed", "staging.destroyed")


def kept_until(due: datetime) -> str:
    """The `reason` of an entry on something stored: until when, at the latest."""
    return f"kept until {due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, in short. `what` is made of allow-listed fields; `job` and `reason` may be empty."""

    node: str
    index: int
    time: str
    type: str
    outcome: str
    job: str
    actor: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class StageView:
    """What happened in one stage: lines by time, then node, then index."""

    stage: Stage
    lines: tuple[Line, ...]

    @property
    def first_time(self) -> str:
        return self.lines[0].time if self.lines else ""

    @property
    def last_time(self) -> str:
        return self.lines[-1].time if self.lines else ""

    @property
    def refused(self) -> int:
        return sum(line.outcome == "refused" for line in self.lines)

    @property
    def failed(self) -> int:
        return sum(line.outcome == "failed" for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        counts = {"entries": len(self.lines), "refused": self.refused, "failed": self.failed}
        span = {"first_time": self.first_time, "last_time": self.last_time}
        return {"stage": self.stage, **counts, **span, "lines": [asdict(line) for line in self.lines]}


@dataclass(slots=True)
class Holding:
    """What a job left at a node, and what became of it. `exported`: copies taken out, beyond our reach."""

    node: str
    job: str
    stored: str
    due: str
    state: HoldingState = "held"
    destroyed: str = ""
    exported: int = 0


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A contract's life: always six stages, in order, and what was stored under it."""

    contract: str
    stages: tuple[StageView, ...]
    holdings: tuple[Holding, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "contract": self.contract,
            "stages": [stage.to_dict() for stage in self.stages],
            "holdings": [asdict(holding) for holding in self.holdings],
        }


def contracts_in(entries: Iterable[tuple[int, bytes]]) -> set[str]:
    """The ids of all contracts that entries name."""
    return {found[1].decode() for _, data in entries if (found := _CONTRACT.search(data))}


def lifecycle(
    contract: str, entries: Iterable[tuple[int, bytes]], *, now: datetime | None = None
) -> Lifecycle:
    """The life of a contract, by its full id, from (index, exact bytes) of one or several logs.

    `now` tells what is overdue (default: the system's time).
    """
    found = _Found(contract)
    for index, data in entries:
        if found.may_concern(data):
            found.take(index, json.loads(data))
    moment = f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    lines = sorted(found.lines(), key=lambda pair: (pair[1].time, pair[1].node, pair[1].index))
    stages = tuple(
        StageView(stage, tuple(line for its_stage, line in lines if its_stage == stage)) for stage in STAGES
    )
    return Lifecycle(contract, stages, tuple(found.held(moment)))


@dataclass(slots=True)
class _Found:
    """What was gathered so far."""

    contract: str
    mine: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    on_data: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    datasets: set[tuple[str, str]] = field(default_factory=set)
    _needle: bytes = b""

    def may_concern(self, data: bytes) -> bool:
        """Canonical JSON has one spelling, so that most entries need not be read."""
        self._needle = self._needle or json.dumps(self.contract, ensure_ascii=False).encode()
        return self._needle in data or b'"type":"dataset.' in data

    def take(self, index: int, event: dict[str, Any]) -> None:
        if event.get("contract", {}).get("id") == self.contract:
            self.mine.append((index, event))
            if dataset := event.get("object", {}).get("dataset"):
                self.datasets.add((event["node"], dataset))
        elif event["type"].startswith("dataset."):
            self.on_data.append((index, event))

    def lines(self) -> Iterable[tuple[str, Line]]:
        concerning = (
            (index, event)
            for index, event in self.on_data
            if (event["node"], event.get("object", {}).get("dataset")) in self.datasets
        )
        for index, event in (*self.mine, *concerning):
            yield event["stage"], _line(index, event)

    def held(self, now: str) -> Iterable[Holding]:
        holdings: dict[tuple[str, str], Holding] = {}
        for _, event in self.mine:
            job = event.get("session", {}).get("id") or event.get("model", {}).get("id", "")
            key = (event["node"], job)
            if event["type"] in _STORED:
                due = _KEPT.search(event.get("reason", ""))
                holdings[key] = Holding(*key, stored=event["time"], due=due[1] if due else "")
            elif key in holdings:
                _change(holdings[key], event)
        for holding in holdings.values():
            if holding.state == "held" and holding.due and holding.due < now:
                holding.state = "overdue"
            yield holding


def _change(holding: Holding, event: dict[str, Any]) -> None:
    if event["type"] == "model.exported":
        holding.exported += 1
    elif event["type"] == "destruction.begun":
        holding.state = "destroying"
    elif event["type"] in _DESTROYED:
        gone = event["outcome"] == "allowed"
        holding.state = "destroyed" if gone else "destroy failed"
        holding.destroyed = event["time"] if gone else ""


def _line(index: int, event: dict[str, Any]) -> Line:
    return Line(
        node=event["node"],
        index=index,
        time=event["time"],
        type=event["type"],
        outcome=event["outcome"],
        job=event.get("session", {}).get("id", ""),
        actor=event.get("actor", {}).get("org", ""),
        what=summary(event),
        reason=event.get("reason", ""),
    )
