"""Jobs: every session in the logs, and one job with the entries of all logs side by side.

    row      what happened                       bank's log     tax's log      state
    ──────────────────────────────────────────────────────────────────────────────────────────────
    flow     bank said 3 messages to tax         entry 22       entry 22       matched, same transcript
    event    job.started                         entry 7        entry 6

A flow's two entries must be there and name one transcript; a row where they do not is `unmatched`. Where
the other end's log is not opened nothing can be said: `not compared`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from saferoom.console.entries import ShownEntry, load_rows
from saferoom.console.evidence import Evidence
from saferoom.console.index import Columns, Mask, oldest_first
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
    """One row of the comparison: cells by log number. `state`: matched, unmatched, not compared, or empty."""

    what: str
    cells: dict[int, list[ShownEntry]] = field(default_factory=dict)
    state: str = ""
    why: str = ""
    phase: str = ""

    @property
    def time(self) -> str:
        """The earliest time in the row, as the entries say it."""
        return min(
            (str(one.event.get("time", "")) for cell in self.cells.values() for one in cell), default=""
        )

    @property
    def first(self) -> ShownEntry:
        return next(iter(self.cells.values()))[0]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A job's comparison. `left_out`: entries beyond those that are laid side by side."""

    rows: list[SideRow]
    left_out: int

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)


def side_by_side(evidence: Evidence, columns: Columns, session: str) -> SideBySide:
    """All entries of a session in all logs, in rows, by time."""
    found = oldest_first(columns, evidence.index.where(columns, "session", session))
    shown = load_rows(evidence, columns, [int(row) for row in found[:MAX_ENTRIES]])
    flows = [one for one in shown if one.event.get("type") == "transcript" and "peer" in one.event]
    others = [one for one in shown if one not in flows]
    rows = [*_flow_rows(evidence, flows), *_event_rows(others)]
    return SideBySide(sorted(rows, key=lambda row: row.time), max(len(found) - MAX_ENTRIES, 0))


Flow = tuple[str, str, str, int]
"""Sender, receiver, phase, and which mark of that phase."""


def _flow_rows(evidence: Evidence, entries: list[ShownEntry]) -> Iterator[SideRow]:
    """Transcripts of one flow in one row: what one end says it sent beside what the other received."""
    flows: dict[Flow, list[ShownEntry]] = {}
    marks: dict[tuple[int, str, str, str], int] = {}
    for entry in entries:
        sender, receiver, phase = _ends(entry.event)
        mine = (entry.log.number, sender, receiver, phase)
        marks[mine] = marks.get(mine, -1) + 1
        flows.setdefault((sender, receiver, phase, marks[mine]), []).append(entry)
    opened = {_endpoint(log.party) for log in evidence.logs}
    for (sender, receiver, phase, _), ends in flows.items():
        state, why = _compare(opened, sender, receiver, ends)
        row = SideRow(f"{sender} → {receiver}", state=state, why=why, phase=phase)
        for entry in ends:
            row.cells.setdefault(entry.log.number, []).append(entry)
        yield row


def _ends(event: Mapping[str, object]) -> tuple[str, str, str]:
    peer = event["peer"]
    assert isinstance(peer, dict)  # noqa: S101 - the schema was checked
    me, other, phase = _endpoint(event["node"]), _endpoint(peer["org"]), str(event.get("reason", ""))
    return (me, other, phase) if peer["direction"] == "sent" else (other, me, phase)


def _endpoint(node: object) -> str:
    """Who talks: the coordinator's log speaks of its helper, under the coordinator's name."""
    return HELPER if node == COORDINATOR else str(node)


def _compare(opened: set[str], sender: str, receiver: str, ends: list[ShownEntry]) -> tuple[str, str]:
    by_end = {
        (_endpoint(one.event["node"]), one.event["peer"]["direction"]): one.event["peer"] for one in ends
    }
    sent, received = by_end.get((sender, "sent")), by_end.get((receiver, "received"))
    if sent and received:
        same = all(
            sent.get(name) == received.get(name) for name in ("transcript", "messages", "bytes_bucket")
        )
        return ("matched", "") if same else ("unmatched", "differ")
    missing = receiver if sent else sender
    return ("unmatched", f"missing:{missing}") if missing in opened else ("not compared", f"closed:{missing}")


def _event_rows(entries: list[ShownEntry]) -> Iterator[SideRow]:
    """The other events: what several logs tell alike stands in one row."""
    rows: dict[tuple[object, ...], SideRow] = {}
    times: dict[tuple[object, ...], int] = {}
    for entry in entries:
        alike = _alike(entry)
        mine = (entry.log.number, *alike)
        times[mine] = times.get(mine, -1) + 1
        row = rows.setdefault((*alike, times[mine]), SideRow(str(alike[0])))
        row.cells.setdefault(entry.log.number, []).append(entry)
    yield from rows.values()


def _alike(entry: ShownEntry) -> tuple[object, ...]:
    """What makes two logs' entries tell of one act."""
    event = entry.event
    if not event:
        return ("?", entry.anchor)
    disclosure = event.get("disclosure", {})
    return (
        event["type"],
        disclosure.get("kind"),
        disclosure.get("to"),
        disclosure.get("protocol"),
        event["outcome"],
    )
