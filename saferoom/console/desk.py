"""What every page stands on: the evidence, the door, the language, the templates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from saferoom.console.access import COOKIE, Access
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, Index
from saferoom.console.reading.opened import OpenedLog
from saferoom.console.rendering import Overall, Pages
from saferoom.console.texts import LANGUAGES
from saferoom.errors import UsageError

LANGUAGE_COOKIE = "saferoom_lang"


@dataclass(slots=True)
class Desk:
    """The console's parts. `hosts` are the names it may be asked by, besides loopback's."""

    evidence: Evidence
    access: Access
    lang: str = "en"
    hosts: tuple[str, ...] = ()
    secure: bool = False
    pages: Pages = field(default_factory=Pages)

    def language(self, request: Request) -> str:
        """What the reader switched to, or what the console was started with."""
        wanted = request.cookies.get(LANGUAGE_COOKIE, "")
        return wanted if wanted in LANGUAGES else self.lang

    def error(self, request: Request, heading: str, status: int, message: str, remedy: str = "") -> Response:
        """A page that says what is wrong."""
        visit = Visit(request, self)
        shown = visit.t[heading]
        return visit.page("error", "", status, heading=shown, message=message, remedy=remedy)


class Visit:
    """One request: the reader's language, and one unchanging view of the index."""

    def __init__(self, request: Request, desk: Desk) -> None:
        self.request, self.desk, self.evidence = request, desk, desk.evidence
        self.lang = desk.language(request)
        self.words = desk.pages.words(self.lang)
        self.t = self.words.t
        self.columns: Columns = self.evidence.index.columns

    @property
    def index(self) -> Index:
        return self.evidence.index

    def log(self, name: str) -> OpenedLog:
        """The log of that name. Raises: UsageError."""
        log = self.evidence.log(name)
        if log is None:
            raise UsageError(f"no log is opened under the name {name!r}", remedy=self.t["not_found"])
        return log

    def page(self, template: str, page: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page or a fragment."""
        logs, compared = self.evidence.logs, self.evidence.compared
        query = f"?{self.request.url.query}" if self.request.url.query else ""
        return HTMLResponse(
            self.desk.pages.render(
                template,
                self.lang,
                page=page,
                here=self.request.url.path + query,
                overall=Overall.of(logs, self.words),
                logs=logs,
                compared=compared,
                blamed=Counter(finding.job for finding in compared.findings) if compared else {},
                can_leave=not self.desk.access.open_to_all and COOKIE in self.request.cookies,
                **values,
            ),
            status,
        )


def visit(request: Request) -> Visit:
    """Begin a request: index what was appended to live logs since the last one."""
    desk: Desk = request.app.state.desk
    desk.evidence.refresh()
    return Visit(request, desk)


Visitor = Annotated[Visit, Depends(visit)]


@dataclass(frozen=True, slots=True)
class PageOf:
    """One page of a list, counted from 1."""

    number: int
    count: int
    size: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // self.size))

    @property
    def slice(self) -> slice:
        return slice((self.number - 1) * self.size, self.number * self.size)

    @classmethod
    def asked(cls, request: Request, count: int, size: int) -> PageOf:
        """The page that an address asks for, or the nearest there is."""
        text = request.query_params.get("page", "1")
        wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
        pages = max(1, -(-count // size))
        return cls(min(max(wanted, 1), pages), count, size)
