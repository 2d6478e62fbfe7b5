"""The verdict, and the logs with their checkpoints and witnesses."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.console.desk import Visit, Visitor
from saferoom.console.reading.anchors import Seen, seen_elsewhere
from saferoom.console.reading.entries import load_rows
from saferoom.console.reading.index import newest_first
from saferoom.console.reading.opened import OpenedLog, stored_checkpoint
from saferoom.console.reading.search import Query, matching
from saferoom.console.reading.timeline import timeline
from saferoom.console.reading.witnesses import Vouched, newest_vouched
from saferoom.errors import SafeRoomError

router = APIRouter()
MAX_ALARMS = 50


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
    """One log on its page. `vouched`: its newest cosigned checkpoint; `seen`: where other logs saw it."""

    log: OpenedLog
    head: Checkpoint | None
    checkpoints: int
    vouched: Vouched | None
    seen: list[Seen]


@router.get("/logs")
def logs(visit: Visitor) -> Response:
    """Origin, key, checkpoint, witnesses of each log, and the alarms that witnesses raised."""
    rows = newest_first(visit.columns, visit.index.where(visit.columns, "type", "witness.alarm"))
    alarms = load_rows(visit.evidence, visit.columns, [int(row) for row in rows[:MAX_ALARMS]])
    details = [_detail(visit, log) for log in visit.evidence.logs]
    return visit.page("logs", "logs", details=details, alarms=alarms)


def _detail(visit: Visit, log: OpenedLog) -> LogDetail:
    count, vouched, seen = 0, None, []
    try:
        with log.file.opened() as snapshot:
            count = sum(1 for _ in snapshot.checkpoints())
            vouched = newest_vouched(snapshot, log.quorum)
            seen = seen_elsewhere(visit.evidence, visit.columns, log, snapshot)
    except SafeRoomError as exc:
        log.problem = exc.message
    return LogDetail(log, stored_checkpoint(log.note), count, vouched, seen)


@router.get("/logs/{name}/checkpoint")
def checkpoint(visit: Visitor, name: str) -> Response:
    """The newest checkpoint, to take home."""
    log = visit.log(name)
    size = (stored_checkpoint(log.note) or Checkpoint("", log.indexed, b"")).size
    return PlainTextResponse(
        log.note, headers={"Content-Disposition": f'attachment; filename="{log.name}-{size}.checkpoint"'}
    )
