"""The console as a web application: `create_app(Desk(evidence, access))`. Its pages: the `routes_*` files."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response

from saferoom.console.desk import Desk
from saferoom.console.guard import Guard
from saferoom.console.routes import agreements as routes_agreements
from saferoom.console.routes import door as routes_door
from saferoom.console.routes import entries as routes_entries
from saferoom.console.routes import export as routes_export
from saferoom.console.routes import logs as routes_logs
from saferoom.errors import SafeRoomError, UsageError

STATIC = Path(__file__).parent / "static"


def create_app(desk: Desk) -> FastAPI:
    """The application over opened evidence. Nothing it serves writes to a log."""
    app = FastAPI(title="SafeRoom audit console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.add_middleware(BaseHTTPMiddleware, dispatch=Guard(desk.access, desk.hosts))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for routes in (routes_door, routes_logs, routes_entries, routes_agreements, routes_export):
        app.include_router(routes.router)
    app.add_exception_handler(SafeRoomError, _failed)
    app.add_exception_handler(HTTPException, _not_there)
    return app


def _failed(request: Request, error: Exception) -> Response:
    """What was asked for makes no sense, or a log cannot be read."""
    desk: Desk = request.app.state.desk
    status = 400 if isinstance(error, UsageError) else 500
    message = getattr(error, "message", "")
    return desk.error(request, "error", status, message, getattr(error, "remedy", ""))


def _not_there(request: Request, error: Exception) -> Response:
    desk: Desk = request.app.state.desk
    status = error.status_code if isinstance(error, HTTPException) else 500
    return desk.error(request, "not_found" if status == 404 else "error", status, str(status))
