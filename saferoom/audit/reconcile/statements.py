"""What several logs say about the same jobs: entries sorted by job and by who speaks, for `reconcile`.

An *endpoint* is who acts: a party, the coordinator, or the helper, whose entries stand in the coordinator's
log. A statement is one entry with where it stands, so that every finding can point at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from saferoom.audit.formats.canonical import decode
from saferoom.audit.log.store import Identity
from saferoom.errors import UsageError
from saferoom.ids import COORDINATOR, HELPER

ENDS_WELL = "job.finished"
ENDS = (ENDS_WELL, "job.failed", "job.cancelled", "job.refused")


class Entries(Protocol):
    """A log to be compared: a database, an export, one log of a bundle."""

    def identity(self) -> Identity: ...

    def entries(self, start: int, end: int) -> Iterable[tuple[int, bytes]]: ...


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry. `endpoint` speaks, `index` in the log `origin`."""

    origin: str
    index: int
    endpoint: str
    event: dict[str, Any]

    @property
    def place(self) -> tuple[str, int]:
        return self.origin, self.index

    @property
    def time_s(self) -> float:
        return datetime.fromisoformat(self.event["time"]).timestamp()

    @property
    def peer(self) -> dict[str, Any]:
        return dict(self.event.get("peer", {}))


@dataclass(slots=True)
class JobStatements:
    """All that is said about one job. `by_type[type]` in the order of each log."""

    id: str
    contract: str = ""
    contract_hash: str = ""
    by_type: dict[str, list[Statement]] = field(default_factory=lambda: defaultdict(list))

    def of(self, type_: str, endpoint: str = "") -> list[Statement]:
        """The statements of a type, of one endpoint if it is named."""
        return [one for one in self.by_type.get(type_, []) if endpoint in ("", one.endpoint)]

    def has_ended_well(self) -> bool:
        """Whether any log says that the job has finished: then everything must be everywhere."""
        return bool(self.by_type.get(ENDS_WELL))

    def add(self, statement: Statement) -> None:
        contract = statement.event.get("contract", {})
        self.contract = self.contract or contract.get("id", "")
        self.contract_hash = self.contract_hash or contract.get("hash", "")
        self.by_type[statement.event["type"]].append(statement)

    def endpoints(self) -> set[str]:
        """Everybody that any log names as taking part."""
        named = {one.endpoint for statements in self.by_type.values() for one in statements}
        for one in (*self.of("transcript"), *self.of("relay.envelope")):
            named |= {one.peer.get("org", ""), one.peer.get("to", "")}
        return named - {""}


@dataclass(slots=True)
class Statements:
    """All logs that were given: whose they are, and what they say of each job and contract."""

    origins: list[str] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    jobs: dict[str, JobStatements] = field(default_factory=dict)
    contracts: dict[tuple[str, str], list[Statement]] = field(default_factory=lambda: defaultdict(list))

    def has_log_of(self, endpoint: str) -> bool:
        """Whether the log that this endpoint's entries stand in was given."""
        return (COORDINATOR if endpoint == HELPER else endpoint) in self.nodes


def node_of(origin: str) -> str:
    """`bank` of `saferoom/bank`, and of its successor `saferoom/bank/2`."""
    parts = origin.split("/")
    return parts[1] if len(parts) > 1 else origin


def read_statements(logs: Sequence[Entries]) -> Statements:
    """Read logs, checked before. Raises: UsageError if one is given twice."""
    found = Statements()
    for log in logs:
        origin = log.identity().origin
        if origin in found.origins:
            raise UsageError(f"the log {origin} is given twice", remedy="give each log once, the newest")
        found.origins.append(origin)
        found.nodes.add(node_of(origin))
        for index, data in log.entries(0, 2**62):
            _take(found, origin, index, decode(data))
    return found


def _take(found: Statements, origin: str, index: int, event: dict[str, Any]) -> None:
    actor = event.get("actor", {}).get("org", "")
    node = node_of(origin)
    endpoint = HELPER if node == COORDINATOR and actor == HELPER else node
    statement = Statement(origin, index, endpoint, event)
    if "session" in event:
        job = event["session"]["id"]
        found.jobs.setdefault(job, JobStatements(job)).add(statement)
    elif event["type"].startswith("contract.") and "contract" in event:
        contract = event["contract"]
        found.contracts[contract["id"], contract.get("hash", "")].append(statement)
