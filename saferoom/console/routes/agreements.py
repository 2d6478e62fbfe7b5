"""Contracts, jobs, and the life cycle of the data under a contract."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from saferoom.console.desk import PageOf, Visitor
from saferoom.console.reading.contracts import acts_of_agreement, contract_line, contract_lines, learnt
from saferoom.console.reading.jobs import job_lines, side_by_side
from saferoom.console.reading.lifecycle import life_of
from saferoom.console.reading.search import Query

router = APIRouter()
LIST_SIZE = 50
ROWS = 200


@router.get("/contracts")
def contracts(visit: Visitor) -> Response:
    """All contracts that any log names."""
    lines = contract_lines(visit.evidence, visit.columns)
    page = PageOf.asked(visit.request, len(lines), LIST_SIZE)
    return visit.page(
        "contracts",
        "contracts",
        contracts=lines[page.slice],
        page_=page,
        page_address=lambda number: f"/contracts?page={number}",
    )


@router.get("/contract")
def contract(visit: Visitor, id: str = "") -> Response:  # noqa: A002 - the address's own word
    """Who approved it, who learnt what under it, its jobs."""
    rows = visit.index.where(visit.columns, "contract", id)
    if not id or not rows.any():
        raise HTTPException(404)
    return visit.page(
        "contract",
        "contracts",
        c=contract_line(visit.evidence, visit.columns, id),
        acts=acts_of_agreement(visit.evidence, visit.columns, id),
        learnt=learnt(visit.evidence, visit.columns, rows),
        jobs=job_lines(visit.evidence, visit.columns, rows)[:LIST_SIZE],
    )


@router.get("/jobs")
def jobs(visit: Visitor) -> Response:
    """All jobs, the newest first."""
    lines = job_lines(visit.evidence, visit.columns, visit.columns.facets["session"] > 0)
    page = PageOf.asked(visit.request, len(lines), LIST_SIZE)
    return visit.page(
        "jobs",
        "jobs",
        jobs=lines[page.slice],
        page_=page,
        page_address=lambda number: f"/jobs?page={number}",
    )


@router.get("/job")
def job(visit: Visitor, id: str = "", only: str = "") -> Response:  # noqa: A002 - the address's own word
    """One job: all logs side by side."""
    rows = visit.index.where(visit.columns, "session", id)
    if not id or not rows.any():
        raise HTTPException(404)
    sides = side_by_side(visit.evidence, visit.columns, id)
    shown = [row for row in sides.rows if not only or row.state == only]
    page = PageOf.asked(visit.request, len(shown), ROWS)
    (line,) = job_lines(visit.evidence, visit.columns, rows)
    address = Query(session=id)
    return visit.page(
        "job",
        "jobs",
        session=id,
        job=line,
        sides=sides,
        rows=shown[page.slice],
        only=only,
        page_=page,
        page_address=lambda number: (
            f"/job?id={address.address(only=only, page=number).removeprefix('session=')}"
        ),
        learnt=learnt(visit.evidence, visit.columns, rows),
    )


@router.get("/lifecycle")
def lifecycle(visit: Visitor, contract: str = "") -> Response:
    """The six stages of the data under one contract."""
    known = [line.id for line in contract_lines(visit.evidence, visit.columns)]
    if contract and contract not in known:
        raise HTTPException(404)
    chosen = contract or (known[0] if known else "")
    life = life_of(visit.evidence, visit.columns, chosen) if chosen else None
    return visit.page("lifecycle", "lifecycle", contracts=known, contract=chosen, life=life)
