"""Who gets in: one-time tokens, cookies, hosts, methods, and the headers every answer has."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from saferoom.console.access import COOKIE, SESSION_S, Access
from saferoom.console.app import create_app
from saferoom.console.desk import Desk
from saferoom.console.guard import HEADERS, local_path
from saferoom.console.reading.evidence import Evidence
from tests.console_room import ORIGIN

FROM_HERE = {"origin": ORIGIN}


@pytest.fixture
def tokens() -> list[str]:
    return []


@pytest.fixture
def stranger(evidence: Evidence, tokens: list[str]) -> TestClient:
    access = Access(tokens.append)
    access.invite()
    return TestClient(create_app(Desk(evidence, access)), base_url=ORIGIN, follow_redirects=False)


@pytest.mark.parametrize(
    "path",
    ["/", "/logs", "/contracts", "/jobs", "/search", "/lifecycle", "/export", "/chart", "/entries/bank/0",
     "/fragments/proof/bank/0", "/export/log/bank", "/logs/bank/checkpoint", "/nowhere",
     "/export/selection.csv"],
)  # fmt: skip
def test_strangers_see_nothing(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")
    assert not answer.content


def test_a_token_opens_one_session(stranger: TestClient, tokens: list[str]) -> None:
    first = tokens[-1]
    entered = stranger.post("/login", data={"token": first, "next": "/logs"}, headers=FROM_HERE)
    assert (entered.status_code, entered.headers["location"]) == (303, "/logs")
    cookie = entered.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", f"Max-Age={SESSION_S}"))
    assert stranger.get("/").status_code == 200
    stranger.cookies.clear()
    again = stranger.post("/login", data={"token": first}, headers=FROM_HERE)
    assert again.status_code == 403
    assert COOKIE not in again.headers.get("set-cookie", "")
    assert len(tokens) == 2
    assert stranger.post("/login", data={"token": tokens[1]}, headers=FROM_HERE).status_code == 303


def test_reading_the_login_page_spends_no_token(stranger: TestClient, tokens: list[str]) -> None:
    assert tokens[-1] in stranger.get("/login", params={"token": tokens[-1]}).text
    assert len(tokens) == 1


@pytest.mark.parametrize("wrong", ["", "x", "0" * 43, "\u00e9"])
def test_wrong_tokens_are_refused(stranger: TestClient, tokens: list[str], wrong: str) -> None:
    assert stranger.post("/login", data={"token": wrong}, headers=FROM_HERE).status_code == 403
    assert len(tokens) == 1


def test_sessions_end(evidence: Evidence, tokens: list[str]) -> None:
    now = [0.0]
    access = Access(tokens.append, clock=lambda: now[0])
    assert not access.enter("")
    access.invite()
    session = access.enter(tokens[-1])
    assert access.may_look(session)
    now[0] = SESSION_S + 1.0
    assert not access.may_look(session)
    other = access.enter(tokens[-1])
    access.leave(other)
    assert not access.may_look(other)
    assert not access.may_look("")


def test_logging_out(client: TestClient) -> None:
    assert client.get("/").status_code == 200
    cookie = client.cookies[COOKIE]
    assert client.post("/logout", headers=FROM_HERE).status_code == 200
    client.cookies.set(COOKIE, cookie)
    assert client.get("/", follow_redirects=False).status_code == 303


def test_foreign_names_are_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example:8443"}).status_code == 421
    assert client.get("/", headers={"host": "localhost:1"}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}, {"origin": "null"}])
def test_foreign_pages_cannot_post(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/check", headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client: TestClient, method: str) -> None:
    assert client.request(method, "/logs", headers=FROM_HERE).status_code == 405


@pytest.mark.parametrize("path", ["/", "/login", "/static/console.js", "/nowhere", "/search?since=x"])
def test_every_answer_is_guarded(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert HEADERS.items() <= dict(answer.headers).items() | {
        (name, answer.headers.get(name, "")) for name in HEADERS
    }
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_pages_are_not_cached(client: TestClient) -> None:
    assert client.get("/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("text", "goal"),
    [("/jobs?x=1", "/jobs?x=1"), ("//evil", "/"), ("https://evil", "/"), ("/\\evil", "/"), ("/a\nb", "/")],
)
def test_after_logging_in_one_stays_here(text: str, goal: str) -> None:
    assert local_path(text) == goal


def test_htmx_is_sent_to_the_login_page(stranger: TestClient) -> None:
    answer = stranger.get("/search", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")
