"""Entries in other people's formats: exact JSON Lines, CSV for spreadsheets, OCSF for security systems.

    entries.jsonl        the exact bytes, one entry a line: what was hashed
    entries.csv          one column a field; cells that a spreadsheet would calculate begin with an apostrophe
    entries.ocsf.jsonl   OCSF 1.6.0 API Activity (class 6003), the exact bytes in `raw_data`
    about.json           which log, which range or filter, and what the files do not prove

A selection proves nothing about what it leaves out: only the whole log, or a contiguous range with its
proofs, does. That is said in `about.json`, and `audit verify` takes no selection for a log.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from saferoom.audit.evidence.search import Entries, Found, Query, search
from saferoom.errors import StorageError

Format = Literal["jsonl", "csv", "ocsf"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv", "ocsf")
OCSF_VERSION = "1.6.0"
NOT_COMPLETE = "This is a selection. It is not complete, and proves nothing about entries that it leaves out."
WHOLE = "All entries, in this format; a plain `saferoom audit export` writes what can be verified."

_API_ACTIVITY = 6003
_ACTIVITIES = {
    "registered": 1,
    "made": 1,
    "drafted": 1,
    "read": 2,
    "changed": 3,
    "destroyed": 4,
    "removed": 4,
}
_OTHER_ACTIVITY = 99
_SEVERITY = {"allowed": 1, "refused": 2, "failed": 3}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")

COLUMNS = (
    *("index", "time", "type", "stage", "outcome", "node", "actor.org", "actor.id", "actor.on_behalf_of"),
    *("contract.id", "contract.hash", "purpose", "session.id", "session.seq"),
    *("object.dataset", "object.rows_bucket", "disclosure.kind", "disclosure.to", "disclosure.shape"),
    *("disclosure.protocol", "peer.org", "peer.to", "peer.direction", "peer.cut", "peer.phase"),
    *("peer.messages", "peer.transcript", "model.id", "deletion.method", "deletion.scope", "reason"),
    *("event_id", "entry"),
)
"""`entry` holds the whole entry, so that nothing is lost."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What entries are selected from: a log of `size` entries; `is_whole`: whether all of them are there."""

    entries: Entries
    origin: str
    size: int
    is_whole: bool = True


def export_selection(log: Selected, folder: Path, query: Query, formats: Iterable[Format]) -> dict[str, Any]:
    """Write what fits the query into a new folder, in each format; gives what `about.json` says.

    Raises: StorageError, also if the folder exists.
    """
    origin, size = log.origin, log.size
    is_complete = log.is_whole and query.is_everything
    try:
        folder.mkdir(parents=True)
        with ExitStack() as stack:
            sinks = [_WRITERS[name](_open(stack, folder / _NAMES[name]), origin) for name in formats]
            count = 0
            for found in search(log.entries, query, end=size):
                count += 1
                for write in sinks:
                    write(found)
        about = {
            "origin": origin,
            "size": size,
            "entries": count,
            "complete": is_complete,
            "filter": query.to_dict(),
            "note": WHOLE if is_complete else NOT_COMPLETE,
        }
        (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", "utf-8")
    except OSError as exc:
        raise StorageError(
            f"the selection cannot be written ({type(exc).__name__})",
            step="export the audit log",
            remedy="name a folder that does not exist yet, on a disk with space",
        ) from exc
    return about


def _open(stack: ExitStack, path: Path) -> TextIO:
    return stack.enter_context(path.open("w", encoding="utf-8", newline=""))


# --- CSV ------------------------------------------------------------


def csv_writer(file: TextIO, origin: str) -> Callable[[Found], None]:
    """Writes the header, and then a row an entry."""
    rows = csv.writer(file)
    rows.writerow(COLUMNS)

    def write(found: Found) -> None:
        special = {"index": found.index, "entry": found.data.decode()}
        rows.writerow([neutral(special.get(name, _field(found.event, name))) for name in COLUMNS])

    return write


def neutral(value: Any) -> str:
    """A cell's text that no spreadsheet takes for a formula (OWASP: CSV injection)."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _field(event: dict[str, Any], name: str) -> Any:
    head, _, tail = name.partition(".")
    value = event.get(head, "")
    return value.get(tail, "") if tail and isinstance(value, dict) else value


# --- OCSF ------------------------------------------------------------


def ocsf_writer(file: TextIO, origin: str) -> Callable[[Found], None]:
    def write(found: Found) -> None:
        file.write(json.dumps(ocsf_event(found, origin), ensure_ascii=False) + "\n")

    return write


def ocsf_event(found: Found, origin: str) -> dict[str, Any]:
    """An entry as an OCSF API Activity event. What OCSF has no word for stands under `unmapped`."""
    event = found.event
    activity = _ACTIVITIES.get(event["type"].rpartition(".")[2], _OTHER_ACTIVITY)
    actor = event.get("actor", {})
    plain: dict[str, Any] = {
        "class_uid": _API_ACTIVITY,
        "class_name": "API Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": activity,
        "activity_name": event["type"],
        "type_uid": _API_ACTIVITY * 100 + activity,
        "time": round(datetime.fromisoformat(event["time"]).timestamp() * 1000),
        "severity_id": _SEVERITY[event["outcome"]],
        "status_id": 1 if event["outcome"] == "allowed" else 2,
        "status": event["outcome"],
        "metadata": {
            "version": OCSF_VERSION,
            "uid": event["event_id"],
            "event_code": event["type"],
            "original_time": event["time"],
            "sequence": found.index,
            "log_name": origin,
            "product": {"name": "SafeRoom", "vendor_name": "SafeRoom", "version": event["software"]},
        },
        "actor": {"user": {"name": actor.get("id") or actor.get("org") or event["node"], "type_id": 0}},
        "api": {"operation": event["type"], "service": {"name": event["node"]}},
        "src_endpoint": {"name": event["node"]},
        "unmapped": event,
        "raw_data": found.data.decode(),
    }
    if "reason" in event:
        plain["status_detail"] = event["reason"]
    if resources := list(_resources(event)):
        plain["resources"] = resources
    return plain


def _resources(event: dict[str, Any]) -> Iterator[dict[str, str]]:
    for kind, part, name in (
        ("data set", "object", "dataset"),
        ("model", "model", "id"),
        ("contract", "contract", "id"),
    ):
        if value := event.get(part, {}).get(name):
            yield {"type": kind, "name": value}


def _lines(file: TextIO, origin: str) -> Callable[[Found], None]:
    def write(found: Found) -> None:
        file.write(found.data.decode() + "\n")

    return write


_NAMES: dict[Format, str] = {"jsonl": "entries.jsonl", "csv": "entries.csv", "ocsf": "entries.ocsf.jsonl"}
_WRITERS: dict[Format, Callable[[TextIO, str], Callable[[Found], None]]] = {
    "jsonl": _lines,
    "csv": csv_writer,
    "ocsf": ocsf_writer,
}
