"""Pages over a log of 100,000 entries open in under a second: at the server, and in a real Chromium."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.browser import browser
from tests.console_process import serving
from tests.console_room import LogRoom, evidence_unverified, large_log, visitor

ENTRIES = 100_000
BAR_S = 1.0
TRIES = 5
PAGES = (
    "/",
    "/logs",
    "/contracts",
    "/contract?id=contract-3",
    "/jobs",
    "/job?id=job-7",
    "/search",
    f"/search?page={ENTRIES // 50}",
    "/search?contract=contract-3&outcome=refused",
    "/entries/bank/50000",
    "/lifecycle?contract=contract-3",
    "/export",
    "/chart",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> LogRoom:
    return large_log(tmp_path_factory.mktemp("large"), ENTRIES)


@pytest.fixture(scope="module")
def client(room: LogRoom) -> Iterator[TestClient]:
    return visitor(evidence_unverified(room))


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_made_within_the_bar(client: TestClient, path: str) -> None:
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        assert client.get(path).status_code == 200
        times.append(time.perf_counter() - start)
        if times[-1] < BAR_S:
            return
    pytest.fail(f"{path}: the best of {TRIES} took {min(times):.2f} s")


def test_a_browser_has_them_within_the_bar(room: LogRoom, tmp_path: Path) -> None:
    """From asking to the end of loading, by the browser's own clock; while the log is being verified, too."""
    loading = (
        "const [n] = performance.getEntriesByType('navigation'); return (n.loadEventEnd - n.startTime) / 1000"
    )
    with serving(room) as console, browser(tmp_path) as window:
        window.open(console.tokens()[-1])
        window.one("form button").click()
        window.one("#verdicts")
        for path in ("/", "/search", "/contract?id=contract-3", "/entries/bank/50000"):
            times: list[float] = []
            while len(times) < TRIES and min(times, default=BAR_S) >= BAR_S:
                window.open(console.address + path)
                window.wait_text("html", "UTC")
                times.append(float(window.run(loading)))  # type: ignore[arg-type]
            assert min(times) < BAR_S, f"{path}: the best of {len(times)} took {min(times):.2f} s"
