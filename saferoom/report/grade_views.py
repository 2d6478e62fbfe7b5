"""A grade scheme as lines of a table: cuts, counts, intervals, promises and whether they were kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from saferoom.report import charts
from saferoom.report.bearing import grade_tests, is_surprise, verdict_tone
from saferoom.report.content import ReportData
from saferoom.report.formats import share
from saferoom.report.remarks import MARKS
from saferoom.scoring.grades import GradeScheme

Words = Mapping[str, str]


def grade_lines(data: ReportData, t: Words, lang: str) -> list[dict[str, Any]]:
    """A line a grade. `test` is None, without promise and verdict, for a model of an earlier version."""
    if data.grading is None:
        return []
    scheme, tests = data.grading.scheme, grade_tests(data.metrics)
    return [
        {
            "row": row,
            "title": grade.title.get(lang, ""),
            "supervision": grade.supervision.get(lang, ()),
            "cut": _cut(scheme, place),
            "colour": charts.grade_colour(place),
            **_tested(tests.get(row.name), t),
        }
        for place, (grade, row) in enumerate(zip(scheme.grades, data.grading.table, strict=True))
    ]


def _tested(test: Mapping[str, Any] | None, t: Words) -> dict[str, Any]:
    if test is None:
        return {"test": None, "promised": "", "tone": "grey", "verdict": "", "prediction": ""}
    tone = verdict_tone(test)
    has_promise = test["promised"] is not None or test["verdict"] == "empty"
    return {
        "test": test,
        "promised": _promise(test["promised"], t),
        "tone": tone,
        "verdict": f"{MARKS[tone]} {t['verdict_' + test['verdict']]}" if has_promise else "",
        "prediction": t["prediction_off"] if is_surprise(test) else "",
    }


def _promise(promised: tuple[float, float] | None, t: Words) -> str:
    if promised is None:
        return ""
    low, high = promised
    words = "promise_up_to" if low <= 0 else "promise_above" if high >= 1 else "from_to"
    return t[words].format(low=share(low, 1), high=share(high, 1))


def _cut(scheme: GradeScheme, place: int) -> str:
    """The grade's range in words that need no language."""
    cut = scheme.grades[place].cut
    if scheme.by == "shares":
        return share(cut)
    if cut is None:
        before = scheme.grades[place - 1].cut
        return f"PD > {share(before, 1)}" if scheme.by == "pd" else f"< {before:g}"
    return f"PD ≤ {share(cut, 1)}" if scheme.by == "pd" else f"≥ {cut:g}"
