"""Taking entries away: whole logs byte by byte, or a selection that says it is one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import TextIO

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from saferoom.audit.evidence.search import Found
from saferoom.audit.evidence.selections import csv_writer, neutral, ocsf_writer
from saferoom.console.desk import Visit, Visitor
from saferoom.console.reading.entries import ShownEntry, load_rows
from saferoom.console.reading.index import oldest_first
from saferoom.console.reading.search import Query, matching

router = APIRouter()
_BATCH = 500
_NAME = "saferoom-selection-not-complete"
MakeWriter = Callable[[TextIO, str], Callable[[Found], None]]


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

    return _download(lines(), "application/jsonl", f"{log.name}-entries.jsonl")


@router.get("/export/selection.jsonl")
def selection_lines(visit: Visitor) -> Response:
    """The entries that match: a first line that says what this is, then one entry a line, exact bytes."""
    query = Query.read(visit.request.query_params)

    def lines() -> Iterator[bytes]:
        note = {"note": visit.t["selection_note"], "filters": query.given}
        yield json.dumps(note, ensure_ascii=False).encode() + b"\n"
        for entry in _selected(visit, query):
            yield entry.data + b"\n"

    return _download(lines(), "application/jsonl", f"{_NAME}.jsonl")


@router.get("/export/selection.csv")
def selection_table(visit: Visitor) -> Response:
    """The entries that match, as a table whose first row says what it is; no cell is a formula."""
    query = Query.read(visit.request.query_params)
    filters = neutral(json.dumps(query.given, ensure_ascii=False)).replace('"', '""')
    head = f'\ufeff"{visit.t["selection_note"]}","{filters}"\r\n'
    return _download(_written(visit, query, csv_writer, head), "text/csv; charset=utf-8", f"{_NAME}.csv")


@router.get("/export/selection.ocsf.jsonl")
def selection_events(visit: Visitor) -> Response:
    """The entries that match, as OCSF events for security systems."""
    query = Query.read(visit.request.query_params)
    return _download(_written(visit, query, ocsf_writer, ""), "application/jsonl", f"{_NAME}.ocsf.jsonl")


def _selected(visit: Visit, query: Query) -> Iterator[ShownEntry]:
    rows = oldest_first(visit.columns, matching(visit.evidence, visit.columns, query))
    for start in range(0, len(rows), _BATCH):
        yield from load_rows(
            visit.evidence, visit.columns, [int(row) for row in rows[start : start + _BATCH]]
        )


def _written(visit: Visit, query: Query, make: MakeWriter, head: str) -> Iterator[bytes]:
    """What a writer of `saferoom.audit.evidence.selections` makes of the entries that the schema allows."""
    buffer = io.StringIO(head, newline="")
    buffer.seek(0, io.SEEK_END)
    write = make(buffer, ", ".join(log.origin for log in visit.evidence.logs))
    for entry in _selected(visit, query):
        if entry.event:
            write(Found(entry.index, entry.data, entry.event))
        if buffer.tell() > 1 << 16:
            yield _drained(buffer)
    yield _drained(buffer)


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode(errors="replace")


def _download(lines: Iterator[bytes], kind: str, name: str) -> Response:
    return StreamingResponse(
        lines, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
