"""A headless Chromium for tests, driven by Debian's chromium-driver.

Without the browser these tests skip; with SAFEROOM_REQUIRE_BROWSER=1 they fail instead. With
SAFEROOM_SCREENSHOTS=FOLDER every page that is looked at is kept as a picture.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.waiting import LIMIT_S

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
)
SCREENSHOTS = os.environ.get("SAFEROOM_SCREENSHOTS", "")


def _programs() -> tuple[str, str]:
    """Chromium and its driver; skips or fails if they are not there."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        missing = "chromium and chromedriver are not installed (Debian: chromium, chromium-driver)"
        if os.environ.get("SAFEROOM_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return browser, driver


class Browser:
    """One window."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """The first element, waited for."""
        return WebDriverWait(self.driver, LIMIT_S).until(
            lambda driver: next(iter(driver.find_elements(By.CSS_SELECTOR, selector)), None)
        )

    def wait_gone(self, selector: str) -> None:
        WebDriverWait(self.driver, LIMIT_S).until(lambda _: not self.all(selector))

    def wait_text(self, selector: str, text: str) -> None:
        """Until the first such element holds a text."""
        WebDriverWait(self.driver, LIMIT_S).until(
            lambda _: (
                text in (self.run("return document.querySelector(arguments[0])?.innerText || ''", selector))
            )
        )

    def run(self, script: str, *values: object) -> object:
        """What a script returns. It runs in the driver's own world, which a page's policy does not bind."""
        return self.driver.execute_script(script, *values)

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since the last call: refused content, failed scripts."""
        return [str(line["message"]) for line in self.driver.get_log("browser")]

    def addresses(self) -> list[str]:
        """Where everything on the page was loaded from."""
        return list(self.run("return performance.getEntriesByType('resource').map((e) => e.name)"))  # type: ignore[call-overload]

    def picture(self, name: str) -> bytes:
        """The whole page as PNG; kept if asked for."""
        height = int(self.run("return document.documentElement.scrollHeight"))  # type: ignore[call-overload]
        self.driver.set_window_size(1440, min(max(height, 700) + 140, 2600))
        picture = self.driver.get_screenshot_as_png()
        self.driver.set_window_size(1440, 1000)
        if SCREENSHOTS:
            folder = Path(SCREENSHOTS)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.png").write_bytes(picture)
        return picture


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A Chromium with an empty profile, closed at the end."""
    binary, program = _programs()
    options = ChromeOptions()
    options.binary_location = binary
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(program))
    try:
        driver.set_page_load_timeout(LIMIT_S)
        yield Browser(driver)
    finally:
        driver.quit()
