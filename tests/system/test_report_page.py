"""The report in a real Chromium: nothing sticks out of a narrow page, no label lies on another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from saferoom.report.content import Card, CardBin, CardFeature, LogVerdict, ReportData
from saferoom.report.render import render_report
from tests.browser import Browser, browser
from tests.report_folder import drawn, report_of

COLUMNS = 22
BINS = (CardBin("(-inf, 3]", 0.4, 0.09, -0.5, -37, 40, 4), CardBin("(3, inf)", 0.6, 0.02, 0.4, 31, 60, 1))
OVERLAPS = """
const boxes = [...document.querySelectorAll(arguments[0] + ' text')].map((e) => e.getBoundingClientRect());
let found = 0;
boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
  const aside = a.right < b.left + 1 || b.right < a.left + 1;
  if (!aside && a.top < b.bottom - 3 && b.top < a.bottom - 3) found += 1;
}));
return found;
"""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    y, pd, alone = drawn(3000)
    features = tuple(
        CardFeature(f"annual_turnover_growth_rate_{place:02d}", 0.03 * (place + 1), -0.5, 0.01, BINS)
        for place in range(COLUMNS)
    )
    root = "0123456789abcdef" * 4
    logs = (LogVerdict("bank", 40, root, passed=True), LogVerdict("tax", 30, root))
    found = report_of(tmp_path_factory.mktemp("folder"), y, pd, alone, trained_on=1500)
    return replace(found, cards=(Card("bank", features, 500),), logs=logs)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [400, 1100])
def test_the_page_fits_and_its_labels_can_be_read(
    window: Browser, data: ReportData, tmp_path: Path, lang: str, width: int
) -> None:
    file = tmp_path / "report.html"
    file.write_text(render_report(data, lang), encoding="utf-8")
    size = {"width": width, "height": 1200, "deviceScaleFactor": 1, "mobile": False}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    window.open(file.as_uri())
    window.picture(f"report-{lang}-{width}")
    fits = "const page = document.documentElement; return page.scrollWidth <= page.clientWidth"
    assert window.run(fits) is True
    assert len(window.all("figure.narrow text")) == 2 * COLUMNS
    charts = len(window.all("figure"))
    assert charts == 7
    for place in range(charts):
        window.run(f"document.querySelectorAll('figure')[{place}].id = 'chart{place}'")
        assert window.run(OVERLAPS, f"#chart{place}") == 0, place
    assert window.complaints() == []
    assert window.addresses() == []
