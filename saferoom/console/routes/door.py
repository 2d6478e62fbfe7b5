"""Logging in and out, and the language."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from saferoom.console.access import COOKIE, SESSION_S
from saferoom.console.desk import LANGUAGE_COOKIE, Desk
from saferoom.console.guard import local_path
from saferoom.console.texts import LANGUAGES

router = APIRouter()
_MAX_FORM_BYTES = 4096


@router.get("/login")
def login(request: Request) -> Response:
    """The form. A token in the address fills it in, and is spent only when it is sent."""
    response = _form(request, request.query_params.get("token", ""), request.query_params.get("next", "/"))
    wanted = request.query_params.get("lang", "")
    if wanted in LANGUAGES:
        response = RedirectResponse("/login", 303)
        response.set_cookie(LANGUAGE_COOKIE, wanted, samesite="strict", httponly=True)
    return response


@router.post("/login")
async def enter(request: Request) -> Response:
    """Spend a token."""
    desk: Desk = request.app.state.desk
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM_BYTES:
            return Response(status_code=413)
    form = parse_qs(body.decode(errors="replace"))
    goal = local_path(form.get("next", ["/"])[0])
    session = desk.access.enter(form.get("token", [""])[0].strip())
    if not session:
        return _form(request, "", goal, wrong=True)
    response = RedirectResponse(goal, 303)
    response.set_cookie(
        COOKIE, session, max_age=SESSION_S, httponly=True, samesite="strict", secure=desk.secure
    )
    return response


@router.post("/logout")
def leave(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    desk.access.leave(request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


@router.get("/language/{lang}")
def language(request: Request, lang: str) -> Response:
    """Switch, and go back to where the reader was."""
    response = RedirectResponse(local_path(request.query_params.get("next", "/")), 303)
    if lang in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, lang, samesite="strict", httponly=True)
    return response


def _form(request: Request, token: str, goal: str, *, wrong: bool = False) -> Response:
    desk: Desk = request.app.state.desk
    lang = desk.language(request)
    page = desk.pages.render("login", lang, token=token, next=local_path(goal), wrong=wrong)
    return HTMLResponse(page, 403 if wrong else 200)
