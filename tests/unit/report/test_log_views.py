"""Disclosures in words, and a line a node for the logs: green only where the whole log was checked."""

from __future__ import annotations

import pytest

from saferoom.kinds.learns import DISCLOSURES
from saferoom.report.content import DisclosureLine, LogVerdict, ReportData
from saferoom.report.log_views import learnt, log_lines, state_of
from saferoom.report.render import render_report
from saferoom.report.texts import words

CHECKED = LogVerdict("bank", 40, "ab", passed=True, says=("自洽", "It fits together"))
COSIGNED = LogVerdict("tax", 30, "cd")
UNSEEN = LogVerdict("utility")


def test_kinds_stand_in_words_once_with_all_who_learnt() -> None:
    lines = [
        DisclosureLine("coefficients", "tax", "5", 2),
        DisclosureLine("set_sizes", "helper", "1"),
        DisclosureLine("coefficients", "bank", "3"),
        DisclosureLine("coefficients", "bank", "7", 2),
    ]
    first, second = learnt(lines, "en")
    assert first.meaning == DISCLOSURES["set_sizes"].en.meaning
    assert [(one.to, one.sizes, one.times) for one in second.by] == [("bank", "3, 7", 3), ("tax", "5", 2)]


def test_many_sizes_are_shown_by_their_ends_and_ranges_read_well() -> None:
    lines = [DisclosureLine("split_sums", "bank", f"{size} × 1") for size in (9, 37, 100, 490)]
    (one,) = learnt([*lines, DisclosureLine("split_sums", "tax", "10000-99999")], "en")
    assert [learner.sizes for learner in one.by] == ["9 × 1 … 490 × 1", "10,000–99,999"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_code_word_of_a_kind_is_on_the_page(lang: str) -> None:
    lines = tuple(DisclosureLine(kind, "bank", "1") for kind in DISCLOSURES)
    page = render_report(ReportData(title="t", disclosures=lines), lang)
    assert not [kind for kind in DISCLOSURES if "_" in kind and kind in page]
    for kind in DISCLOSURES.values():
        assert kind.wording(lang).meaning.replace("'", "&#39;") in page


def test_a_log_nobody_looked_at_is_grey_and_the_page_says_so() -> None:
    t = words("en")
    tones = [line.tone for line in log_lines((CHECKED, COSIGNED, UNSEEN), t, "en")]
    assert tones == ["good", "grey", "grey"]
    assert state_of((CHECKED, COSIGNED)) == "own"
    page = render_report(ReportData(title="t", logs=(CHECKED, COSIGNED, UNSEEN)), "en")
    assert "own log only" in page
    assert "cosigned that checkpoint as a witness" in page
    assert "Only this party&#39;s own log was checked" in page or "Only this party's own log" in page


def test_all_logs_checked_is_green() -> None:
    logs = (
        CHECKED,
        LogVerdict("tax", 9, "ef", passed=True, says=("已作证", "Others vouch for this history")),
    )
    assert state_of(logs) == "well"
    assert "Others vouch for this history" in render_report(ReportData(title="t", logs=logs), "en")


@pytest.mark.parametrize(
    "log",
    [
        LogVerdict("tax", 3, problem="entry 2 does not hash to its leaf", passed=False),
        LogVerdict("tax", 3, passed=False, says=("过久", "too old")),
        LogVerdict("tax", 3, problem="two histories"),
    ],
)
def test_what_is_wrong_shows_whoever_found_it(log: LogVerdict) -> None:
    assert state_of((CHECKED, log)) == "problem"
    (line,) = log_lines((log,), words("zh"), "zh")
    assert line.tone == "bad"
    assert log.problem in line.words
