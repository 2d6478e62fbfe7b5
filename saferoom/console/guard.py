"""What stands before every page: which hosts may be asked for, who may look, and what a browser may do.

- A request must name an address the console was started for: else a foreign page could reach it by a name of
  its own that leads to loopback.
- Only GET and HEAD, but for logging in and out and asking for a new check; those must come from our pages.
- Without a session: the login page, and the static files it needs.
- Scripts, styles, images and requests from this address alone; nothing inline, no frame, nothing cached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from saferoom.console.access import COOKIE, Access

Next = Callable[[Request], Awaitable[Response]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OPEN = ("/login", "/static/")


class Guard:
    """Middleware: `await guard(request, call_next)`."""

    def __init__(self, access: Access, hosts: Iterable[str] = ()) -> None:
        self._access = access
        self._hosts = {*LOOPBACK, *(host.lower() for host in hosts)}

    async def __call__(self, request: Request, call_next: Next) -> Response:
        response = self._refusal(request) or await call_next(request)
        for name, value in HEADERS.items():
            response.headers[name] = value
        if not request.url.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response

    def _refusal(self, request: Request) -> Response | None:
        if _host(request.headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("the console does not answer to this name\n", 421)
        if request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("the console is read only\n", 405)
        if request.method == "POST" and not _from_here(request):
            return PlainTextResponse("this request did not come from a page of the console\n", 403)
        if request.url.path.startswith(_OPEN) or self._access.may_look(request.cookies.get(COOKIE, "")):
            return None
        if "hx-request" in request.headers:
            return PlainTextResponse("log in again\n", 401, {"HX-Redirect": "/login"})
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)


def _host(header: str) -> str:
    """The host without its port, lower-case."""
    host = header.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _from_here(request: Request) -> bool:
    """Whether a POST's origin, which browsers always name, is the address it was sent to."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def local_path(text: str) -> str:
    """Where to go after logging in: a path of ours, or the first page."""
    fine = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if fine else "/"
