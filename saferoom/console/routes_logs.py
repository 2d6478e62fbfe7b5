"""The verdict, and the logs with their checkpoints and witnesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from saferoom.audit.checkpoint import Checkpoint
from saferoom.console.desk import Visit, Visitor
from saferoom.console.evidence import OpenedLog, stored_checkpoint
from saferoom.console.search import Query, matching
from saferoom.console.timeline import timeline
from saferoom.errors import SafeRoomError

router = APIRouter()


@router.get("/")
def verdict(visit: Visitor) -> Response:
    """The banner, each log's verdict, and what is in the logs."""
    return visit.page("verdict", "verdict", totals=totals(visit))


@router.get("/fragments/verdict")
def verdict_part(visit: Visitor) -> Response:
    """The banner alone, asked for again and again while logs are being verified."""
    return visit.page("verdict_part", "verdict")


@router.post("/check")
def check(visit: Visitor) -> Response:
    """Verify all logs again."""
    for log in visit.evidence.logs:
        visit.evidence.ask(log)
    return RedirectResponse("/", 303)


def totals(visit: Visit) -> dict[str, int]:
    """What is in all logs together."""
    index, columns = visit.index, visit.columns
    outcomes = index.counts(columns, "outcome")
    return {
        "entries": len(columns),
        "contracts": len(index.counts(columns, "contract")),
        "jobs": len(index.counts(columns, "session")),
        "disclosures": index.counts(columns, "type").get("disclosure", 0),
        "refused": outcomes.get("refused", 0),
        "failed": outcomes.get("failed", 0),
    }


@router.get("/chart")
def chart(visit: Visitor) -> Response:
    """Entries over time, by outcome, for the chart."""
    query = Query.read(visit.request.query_params)
    return JSONResponse(
        timeline(visit.evidence, visit.columns, matching(visit.evidence, visit.columns, query))
    )


@dataclass(frozen=True, slots=True)
class LogDetail:
    """One log on its page."""

    log: OpenedLog
    head: Checkpoint | None
    checkpoints: int
    cosigners: list[dict[str, Any]]
    anchors: list[dict[str, Any]]


@router.get("/logs")
def logs(visit: Visitor) -> Response:
    """Origin, key, checkpoint, witnesses of each log."""
    return visit.page("logs", "logs", details=[_detail(log) for log in visit.evidence.logs])


def _detail(log: OpenedLog) -> LogDetail:
    count = 0
    try:
        with log.file.opened() as snapshot:
            count = int(np.sum([1 for _ in snapshot.checkpoints()]))
    except SafeRoomError as exc:
        log.problem = exc.message
    return LogDetail(log, stored_checkpoint(log.note), count, [], [])


@router.get("/logs/{name}/checkpoint")
def checkpoint(visit: Visitor, name: str) -> Response:
    """The newest checkpoint, to take home."""
    log = visit.log(name)
    size = (stored_checkpoint(log.note) or Checkpoint("", log.indexed, b"")).size
    return PlainTextResponse(
        log.note, headers={"Content-Disposition": f'attachment; filename="{log.name}-{size}.checkpoint"'}
    )
