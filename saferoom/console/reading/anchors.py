"""Checkpoints of a log that other logs wrote down, compared with the log's own file.

Nodes note in `anchors` which checkpoints of other logs they saw. If the file in front of us has another root
at that size, its history was changed since, or somebody was shown another version.
"""

from __future__ import annotations

from dataclasses import dataclass

from saferoom.audit.formats.tiles import subtree_from_tiles
from saferoom.console.reading.entries import load_rows
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, newest_first
from saferoom.console.reading.opened import OpenedLog
from saferoom.console.reading.sources import Snapshot
from saferoom.errors import SafeRoomError

MAX_READ = 200
MAX_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """Entry `index` of `log` says that the checkpoint of `size` had this root (hexadecimal)."""

    log: OpenedLog
    index: int
    size: int
    root: str
    fits: bool


def seen_elsewhere(evidence: Evidence, columns: Columns, log: OpenedLog, snapshot: Snapshot) -> list[Seen]:
    """Where other opened logs saw this one: what contradicts first, then the newest."""
    index = evidence.index
    elsewhere = index.where(columns, "anchored", "yes") & (columns.log != log.number)
    rows = [int(row) for row in newest_first(columns, elsewhere)[:MAX_READ]]
    found = [
        Seen(
            entry.log,
            entry.index,
            anchor["size"],
            anchor["root"],
            _fits(snapshot, anchor["size"], anchor["root"]),
        )
        for entry in load_rows(evidence, columns, rows)
        for anchor in entry.event.get("anchors", [])
        if anchor["origin"] == log.origin
    ]
    return sorted(found, key=lambda one: one.fits)[:MAX_SHOWN]


def _fits(snapshot: Snapshot, size: int, root: str) -> bool:
    """Whether the file's own tree of that size has that root."""
    try:
        return size <= snapshot.size() and subtree_from_tiles(snapshot.tile)(0, size).hex() == root
    except SafeRoomError:
        return False
