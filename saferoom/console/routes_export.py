"""Taking entries away: whole logs byte by byte, or a selection that says it is one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from saferoom.console.desk import Visit, Visitor
from saferoom.console.entries import load_rows
from saferoom.console.index import oldest_first
from saferoom.console.search import Query, matching

router = APIRouter()
_BATCH = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "log",
    "index",
    "proved",
    "time",
    "type",
    "stage",
    "outcome",
    "node",
    "actor.org",
    "actor.id",
    "actor.on_behalf_of",
    "contract.id",
    "contract.hash",
    "purpose",
    "object.dataset",
    "object.rows_bucket",
    "disclosure.kind",
    "disclosure.to",
    "disclosure.shape",
    "peer.org",
    "peer.direction",
    "peer.messages",
    "peer.transcript",
    "session.id",
    "reason",
)


@router.get("/export")
def export(visit: Visitor) -> Response:
    """What can be taken away."""
    query = Query.read(visit.request.query_params)
    count = int(matching(visit.evidence, visit.columns, query).sum())
    return visit.page("export", "export", query=query, count=count)


@router.get("/export/log/{name}")
def whole_log(visit: Visitor, name: str) -> Response:
    """Every entry of one log, one a line, exact bytes."""
    log = visit.log(name)

    def lines() -> Iterator[bytes]:
        with log.file.opened() as snapshot:
            for _, data in snapshot.entries(0, snapshot.size()):
                yield data + b"\n"

    return StreamingResponse(
        lines(),
        media_type="application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{log.name}-entries.jsonl"'},
    )


@router.get("/export/selection.jsonl")
def selection_lines(visit: Visitor) -> Response:
    """The entries that match: a first line that says what this is, then one entry a line, exact bytes."""
    query = Query.read(visit.request.query_params)
    head = json.dumps({"note": visit.t["selection_note"], "filters": query.given}, ensure_ascii=False)

    def lines() -> Iterator[bytes]:
        yield head.encode() + b"\n"
        for entry in _selected(visit, query):
            yield entry.data + b"\n"

    return _download(lines(), "application/jsonl", "selection.jsonl")


@router.get("/export/selection.csv")
def selection_table(visit: Visitor) -> Response:
    """The entries that match, as a table. What a spreadsheet would take for a formula gets an apostrophe."""
    query = Query.read(visit.request.query_params)

    def lines() -> Iterator[bytes]:
        yield "\ufeff".encode()
        yield _row([visit.t["selection_note"], json.dumps(query.given, ensure_ascii=False)])
        yield _row(list(COLUMNS))
        for entry in _selected(visit, query):
            told: dict[str, Any] = {"log": entry.log.party, "index": entry.index}
            told["proved"] = "yes" if entry.proof else "no"
            yield _row([told[name] if name in told else _field(entry.event, name) for name in COLUMNS])

    return _download(lines(), "text/csv; charset=utf-8", "selection.csv")


def _selected(visit: Visit, query: Query) -> Iterator[Any]:
    rows = oldest_first(visit.columns, matching(visit.evidence, visit.columns, query))
    for start in range(0, len(rows), _BATCH):
        yield from load_rows(
            visit.evidence, visit.columns, [int(row) for row in rows[start : start + _BATCH]]
        )


def _field(event: dict[str, Any], name: str) -> Any:
    outer, _, inner = name.partition(".")
    value = event.get(outer, "")
    return value.get(inner, "") if inner and isinstance(value, dict) else value


def _row(values: list[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(value) for value in values])
    return line.getvalue().encode(errors="replace")


def _harmless(value: Any) -> str:
    text = " × ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _download(lines: Iterator[bytes], kind: str, name: str) -> Response:
    return StreamingResponse(
        lines, media_type=kind, headers={"Content-Disposition": f'attachment; filename="saferoom-{name}"'}
    )
