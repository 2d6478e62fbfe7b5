"""`saferoom audit serve` as a process, looked at with a real Chromium."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from saferoom.audit.log.sqlite import SqliteReader
from saferoom.lab.processes import SAFEROOM
from tests.browser import Browser, browser
from tests.console_process import Serving, serving, started
from tests.console_room import CONTRACT, HOSTILE, JOB, LogRoom, tell_a_story
from tests.node_room import opened_nodes

PAGES = {
    "verdict": "/",
    "logs": "/logs",
    "contracts": "/contracts",
    "contract": f"/contract?id={CONTRACT.id}",
    "jobs": "/jobs",
    "job": f"/job?id={JOB}",
    "search": "/search",
    "refused": "/search?outcome=refused",
    "entry": "/entries/bank/7",
    "lifecycle": "/lifecycle",
    "export": "/export?type=disclosure",
}
LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> LogRoom:
    """The story, and an entry whose texts try to become a page's own code."""
    room = LogRoom(tmp_path_factory.mktemp("console"))
    tell_a_story(room)
    room.record("bank", "job.failed", outcome="failed", reason=HOSTILE, purpose=HOSTILE)
    room.close()
    return room


@pytest.fixture(scope="module")
def console(room: LogRoom) -> Iterator[Serving]:
    with serving(room) as console:
        yield console


@pytest.fixture(scope="module")
def window(console: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that logged in with the address the console printed."""
    with browser(tmp_path_factory.mktemp("profile")) as window:
        window.open(console.address + "/jobs")
        window.picture("login")
        assert "/login?next=" in window.driver.current_url
        window.open(console.tokens()[-1])
        window.one("form button").click()
        window.one("#verdicts")
        window.wait_gone("#verdicts .checking")
        yield window


@pytest.fixture(autouse=True)
def nothing_is_refused(request: pytest.FixtureRequest) -> Iterator[None]:
    """No page makes the browser complain: of its policy, of a script, of something not found."""
    yield
    if "window" in request.fixturenames:
        window: Browser = request.getfixturevalue("window")
        assert window.complaints() == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_in_both_languages(console: Serving, window: Browser, name: str) -> None:
    for lang in LANGUAGES:
        window.open(f"{console.address}/language/{lang}?next=/")
        window.open(console.address + PAGES[name])
        assert window.one("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[lang]
        assert ("审计控制台" in window.one("body").text) == (lang == "zh")
        assert all(where.startswith(console.address + "/") for where in window.addresses())
        width = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert window.run(width), "the page is wider than the window"
        window.picture(f"{name}-{lang}")


def test_a_token_opens_one_session(console: Serving, window: Browser, tmp_path: Path) -> None:
    used, *_, fresh = console.tokens()
    assert used != fresh
    with browser(tmp_path) as other:
        other.open(used)
        other.one("form button").click()
        other.wait_text("[role=alert]", "wrong or was used")
        other.open(console.address + "/search")
        assert other.all("table") == []


def test_the_verdict_is_said_in_words(console: Serving, window: Browser) -> None:
    window.open(f"{console.address}/language/en?next=/")
    window.wait_gone("#verdicts .checking")
    banner = window.one(".banner").text
    assert "CONSISTENT" in banner
    assert "Not proved:" in banner


def test_the_chart_is_drawn(console: Serving, window: Browser) -> None:
    window.open(console.address + "/")
    window.one("figure[data-drawn]")
    colours = window.run(
        """
        const canvas = document.querySelector('.plot canvas'), seen = new Set();
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 4).join());
        return [...seen];
        """
    )
    assert "11,92,173,255" in colours
    assert "209,73,91,255" in colours


def test_filters_work_in_place(console: Serving, window: Browser) -> None:
    window.open(console.address + "/language/en?next=/search")
    window.run("window.stayed = true")
    Select(window.one("select[name=outcome]")).select_by_value("refused")
    window.wait_text("#results .count", "1 found")
    assert "outcome=refused" in window.driver.current_url
    assert window.run("return window.stayed") is True
    assert len(window.all("#results tbody tr")) == 1
    window.driver.back()
    window.wait_text("#results .count", "39 found")


def test_a_badge_shows_its_proof(console: Serving, window: Browser) -> None:
    window.open(console.address + "/language/en?next=/search%3Flog%3Dtax")
    window.one(".badgelink").click()
    box = window.one(".modalbox")
    assert "steps up the proof path" in box.text
    assert "saferoom audit entry" in box.text
    window.picture("proof")
    window.one("body").send_keys(Keys.ESCAPE)
    window.wait_gone(".modalbox")


def test_what_does_not_match_is_red_and_says_so(console: Serving, window: Browser) -> None:
    window.open(console.address + f"/job?id={JOB}&only=unmatched")
    (row,) = window.all("tr.unmatched")
    assert "≠ unmatched" in row.text
    assert "at fault: tax" in row.text
    colour = window.run("return getComputedStyle(document.querySelector('tr.unmatched td')).backgroundColor")
    assert colour == "rgb(252, 237, 240)"


def test_texts_of_entries_stay_texts(console: Serving, window: Browser) -> None:
    window.open(console.address + "/search?outcome=failed")
    assert HOSTILE in window.one("#results").text
    assert window.all("#results script, #results img") == []


def test_commands_on_a_page_are_right(console: Serving, window: Browser) -> None:
    window.open(console.address + "/entries/bank/7")
    command = window.one("code.command").text
    done = subprocess.run(
        command.replace("saferoom", " ".join(SAFEROOM), 1),
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("PROVED  saferoom/bank  entry 7 of")


def test_the_logs_are_left_as_they_were(console: Serving, room: LogRoom, window: Browser) -> None:
    assert {path.name for path in room.folder.iterdir() if path.name.startswith("bank")} == {
        "bank.db",
        "bank.db.lock",
    }


def test_a_taken_port_is_an_error(console: Serving, room: LogRoom) -> None:
    port = console.address.rsplit(":", 1)[1]
    command = [*SAFEROOM, "audit", "serve", str(room.path("bank")), "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 2
    assert "name a free port" in done.stderr


def test_an_open_network_needs_tls(room: LogRoom) -> None:
    command = [*SAFEROOM, "audit", "serve", str(room.path("bank")), "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no TLS certificate" in done.stderr


def test_reading_a_nodes_own_log_stands_in_it(tmp_path: Path) -> None:
    with opened_nodes(tmp_path, ("bank",)) as nodes:
        home = nodes.homes["bank"].root
    with started(["--home", str(home)], tmp_path) as console:
        assert "/login?token=" in console.tokens()[0]
    with closing(SqliteReader(nodes.homes["bank"].log)) as log:
        *_, (_, last) = log.entries(0, 2**62)
    assert (json.loads(last)["type"], json.loads(last)["reason"]) == ("auditor.read", "console")
