"""Jobs: every session in the logs, and one job with the entries of all logs side by side.

row      what happened                       bank's log     tax's log      state
----------------------------------------------------------------------------------------------
flow     what bank said to tax, first mark   entry 22       entry 22       matched
event    job.started                         entry 7        entry 6
finding  what some log should have           -              -              unmatched, and who is at fault
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Mask
from saferoom.audit.reconcile.findings import Finding, Flow, Place, Reconciliation
from saferoom.console.reading.comparing import compare_job
from saferoom.console.reading.entries import ShownEntry, load_rows
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, oldest_first
from saferoom.ids import COORDINATOR, HELPER

MAX_ENTRIES = 4000
"""Entries of one job that are laid side by side; of a longer one the first so many."""

_ENDED = ("job.finished", "job.failed", "job.cancelled", "job.refused")


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job in the list. Times in milliseconds since 1970; `ended` is its last event's type, or empty."""

    session: str
    contract: str
    first: int
    last: int
    entries: int
    logs: int
    refused: int
    failed: int
    ended: str


def job_lines(evidence: Evidence, columns: Columns, rows: Mask) -> list[JobLine]:
    """Every session with an entry among `rows`, the newest first."""
    found = np.flatnonzero(rows & (columns.facets["session"] > 0))
    found = found[np.argsort(columns.facets["session"][found], kind="stable")]
    borders = np.flatnonzero(np.diff(columns.facets["session"][found])) + 1
    lines = [_line(evidence, columns, part) for part in np.split(found, borders) if len(part)]
    return sorted(lines, key=lambda line: (line.last, line.session), reverse=True)


def _line(evidence: Evidence, columns: Columns, rows: NDArray[np.int64]) -> JobLine:
    names, facets = evidence.index.names, columns.facets
    types = {names["type"].texts[code] for code in np.unique(facets["type"][rows])}
    outcomes = facets["outcome"][rows]
    contracts = facets["contract"][rows]
    contract = int(contracts[contracts > 0][0]) if (contracts > 0).any() else 0
    return JobLine(
        session=names["session"].texts[facets["session"][rows[0]]],
        contract=names["contract"].texts[contract],
        first=int(columns.time[rows].min()),
        last=int(columns.time[rows].max()),
        entries=len(rows),
        logs=len(np.unique(columns.log[rows])),
        refused=int((outcomes == names["outcome"].find("refused")).sum()),
        failed=int((outcomes == names["outcome"].find("failed")).sum()),
        ended=next((kind for kind in _ENDED if kind in types), ""),
    )


@dataclass(slots=True)
class SideRow:
    """One row of the comparison: cells by log number. `state`: matched, unmatched, not compared, or empty.

    `flow` is there in rows of conversations. `findings` say what does not fit.
    """

    what: str
    cells: dict[int, list[ShownEntry]] = field(default_factory=dict)
    state: str = ""
    findings: list[Finding] = field(default_factory=list)
    flow: Flow | None = None

    @property
    def time(self) -> str:
        """The earliest time in the row, as the entries say it."""
        times = [str(one.event.get("time", "")) for cell in self.cells.values() for one in cell]
        return min(times, default="~")

    @property
    def first(self) -> ShownEntry | None:
        return next((one for cell in self.cells.values() for one in cell), None)

    def add(self, entry: ShownEntry) -> None:
        self.cells.setdefault(entry.log.number, []).append(entry)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A job's comparison. `left_out`: entries beyond those that are laid side by side."""

    rows: list[SideRow]
    compared: Reconciliation
    left_out: int

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)


def side_by_side(evidence: Evidence, columns: Columns, session: str) -> SideBySide:
    """All entries of a session in all logs, in rows, by time."""
    found = oldest_first(columns, evidence.index.where(columns, "session", session))
    shown = load_rows(evidence, columns, [int(row) for row in found[:MAX_ENTRIES]])
    told = ((entry.log.number, entry.index, entry.data) for entry in shown if entry.event)
    compared = compare_job(evidence.logs, evidence.trust.signing, told, session)
    places: dict[Place, ShownEntry] = {}
    for entry in shown:
        places.setdefault((entry.log.origin, entry.index), entry)
    rows = [*_flow_rows(compared, places)]
    in_flows = {(e.log.number, e.index) for row in rows for cell in row.cells.values() for e in cell}
    rows += _event_rows([entry for entry in shown if (entry.log.number, entry.index) not in in_flows])
    rows += _blame(rows, compared)
    left_out = max(len(found) - MAX_ENTRIES, 0)
    return SideBySide(sorted(rows, key=lambda row: row.time), compared, left_out)


def _flow_rows(compared: Reconciliation, places: dict[Place, ShownEntry]) -> Iterator[SideRow]:
    """One direction of a conversation up to one mark: sender, receiver and relay in one row."""
    for flow in compared.flows:
        row = SideRow(f"{flow.sender} → {flow.receiver}", state=flow.state, flow=flow)
        for place in (flow.sent, flow.received, flow.relayed):
            if place in places:
                row.add(places[place])
        yield row


def _event_rows(entries: list[ShownEntry]) -> list[SideRow]:
    """The other events: what several logs tell alike stands in one row."""
    rows: dict[tuple[object, ...], SideRow] = {}
    times: dict[tuple[object, ...], int] = {}
    for entry in entries:
        alike = _alike(entry)
        mine = (entry.log.number, *alike)
        times[mine] = times.get(mine, -1) + 1
        rows.setdefault((*alike, times[mine]), SideRow(str(alike[0]))).add(entry)
    return list(rows.values())


def _alike(entry: ShownEntry) -> tuple[object, ...]:
    """What makes two logs' entries tell of one act; of a disclosure both who gave and who learnt."""
    event = entry.event
    if not event:
        return ("?", entry.anchor)
    told = event.get("disclosure", {})
    giver = event["peer"]["org"] if told and event.get("peer") else _endpoint(event)
    who = giver if told else HELPER if _endpoint(event) == HELPER else ""
    return (event["type"], told.get("kind"), told.get("to"), told.get("protocol"), event["outcome"], who)


def _endpoint(event: dict[str, object]) -> object:
    """Who acts: the helper's entries stand in the coordinator's log."""
    actor = event.get("actor")
    is_helper = event["node"] == COORDINATOR and isinstance(actor, dict) and actor.get("org") == HELPER
    return HELPER if is_helper else event["node"]


def _blame(rows: list[SideRow], compared: Reconciliation) -> list[SideRow]:
    """Put each finding to the rows whose entries show it; gives rows for those that none shows."""
    by_place: dict[Place, SideRow] = {}
    for row in rows:
        for cell in row.cells.values():
            by_place |= {(entry.log.origin, entry.index): row for entry in cell}
    alone = []
    for finding in compared.findings:
        touched = {id(by_place[place]): by_place[place] for place in finding.entries if place in by_place}
        if not touched:
            alone.append(SideRow(finding.what, state="unmatched", findings=[finding]))
        for row in touched.values():
            row.state = "unmatched"
            row.findings.append(finding)
    return alone
