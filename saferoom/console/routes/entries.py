"""Search, one entry with its proof, and the proof alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from saferoom.console.desk import PageOf, Visit, Visitor
from saferoom.console.reading.entries import ShownEntry, load, load_rows
from saferoom.console.reading.index import newest_first
from saferoom.console.reading.search import PAGE_SIZE, Query, matching
from saferoom.console.reading.witnesses import covered
from saferoom.console.routes.logs import totals
from saferoom.console.words import OUTCOMES
from saferoom.console.words import STAGES as STAGE_WORDS

router = APIRouter()
_LISTED = 200
Choice = tuple[str, str]


@router.get("/search")
def search(visit: Visitor) -> Response:
    """Entries that match the filters, the newest first, each proved."""
    query = Query.read(visit.request.query_params)
    found = newest_first(visit.columns, matching(visit.evidence, visit.columns, query))
    page = PageOf.asked(visit.request, len(found), PAGE_SIZE)
    entries = load_rows(visit.evidence, visit.columns, [int(row) for row in found[page.slice]])
    return visit.page(
        "search",
        "search",
        query=query,
        page_=page,
        page_address=lambda number: f"/search?{query.address(page=number)}",
        entries=entries,
        choices=_choices(visit),
        totals=totals(visit),
    )


def _choices(visit: Visit) -> dict[str, list[Choice] | list[str]]:
    """What each filter offers: short lists whole, long ones by their commonest texts."""
    index, columns, words = visit.index, visit.columns, visit.words

    def common(*facets: str) -> list[str]:
        counts: dict[str, int] = {}
        for facet in facets:
            for text, count in index.counts(columns, facet).items():
                counts[text] = counts.get(text, 0) + count
        return sorted(counts, key=lambda text: (-counts[text], text))[:_LISTED]

    return {
        "log": [(log.name, log.party) for log in visit.evidence.logs],
        "party": [(text, text) for text in sorted(common("party", "org", "peer", "to"))],
        "type": [(text, f"{words.type(text)} · {text}") for text in sorted(common("type"))],
        "stage": [(text, words.stage(text)) for text in STAGE_WORDS],
        "outcome": [(text, words.outcome(text)) for text in OUTCOMES],
        "actor": common("actor", "org", "on_behalf_of"),
        **{name: common(name) for name in ("contract", "purpose", "dataset", "session")},
    }


@router.get("/entries/{name}/{place}")
def entry(visit: Visitor, name: str, place: int) -> Response:
    """One entry, its exact bytes, and its proof, checked now."""
    shown = _one(visit, name, place)
    return visit.page(
        "entry",
        "search",
        404 if not shown.data and shown.problem else 200,
        entry=shown,
        lines=list(_lines(shown.event, visit)),
        **_witnesses(shown),
    )


@router.get("/fragments/proof/{name}/{place}")
def proof(visit: Visitor, name: str, place: int) -> Response:
    """The proof alone, for the list."""
    shown = _one(visit, name, place)
    return visit.page("proof_part", "search", entry=shown, **_witnesses(shown))


@router.get("/entries/{name}/{place}/bytes")
def exact_bytes(visit: Visitor, name: str, place: int) -> Response:
    """Exactly the bytes that were hashed."""
    shown = _one(visit, name, place)
    return Response(
        shown.data,
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{shown.log.name}-{shown.index}.json"'},
    )


def _witnesses(entry: ShownEntry) -> dict[str, Any]:
    """Who cosigned a tree in which the entry was proved."""
    with entry.log.file.opened() as snapshot:
        found = covered(snapshot, entry.index, entry.log.quorum, entry.log.keys)
    return {"vouched": found[0] if found else None, "witnessed": found[1] if found else None}


def _one(visit: Visit, name: str, place: int) -> ShownEntry:
    log = visit.log(name)
    if not 0 <= place < 2**62:
        raise HTTPException(404)
    (shown,) = load(visit.evidence, [(log.number, place)])
    if not shown.data and place >= log.indexed:
        raise HTTPException(404)
    return shown


def _lines(event: Mapping[str, Any], visit: Visit, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Every field of an event: its path, its value, and what a word of the log means."""
    for name, value in event.items():
        where = f"{path}{name}"
        if isinstance(value, dict):
            yield from _lines(value, visit, f"{where}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for place, item in enumerate(value):
                yield from _lines(item, visit, f"{where}[{place}].")
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield where, text, _note(where, text, visit)


def _note(where: str, text: str, visit: Visit) -> str:
    said = {
        "type": visit.words.type,
        "stage": visit.words.stage,
        "outcome": visit.words.outcome,
        "disclosure.kind": visit.words.kind,
    }
    meaning = said[where](text) if where in said else ""
    return "" if meaning == text else meaning
