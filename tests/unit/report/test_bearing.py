"""What stands beside the figures on the page: right intervals, nothing green without a test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, rankdata
from scipy.stats import norm as normal

from saferoom.models.uncertainty.summary import uncertainty_of_grades
from saferoom.report.bearing import bearing_of, grade_tests, verdict_tone
from saferoom.report.content import Comparison, ReportData
from saferoom.report.measure import grading_of
from saferoom.report.remarks import remarks
from saferoom.report.render import render_report
from saferoom.scoring.grade_tests import judge
from saferoom.scoring.standard import standard_scheme
from tests.report_folder import drawn, report_of
from tests.unit.report.page_text import text_of

GREEN = ('"good"', "✓")


def body(page: str) -> str:
    """The page without its styles and without the legend of marks."""
    return re.sub(r'<p class="note">[^<]*✓.*?</p>', "", page.split("</style>")[1], flags=re.DOTALL)


def percent(value: float) -> str:
    return f"{100 * value:.2f}%"


@pytest.fixture(scope="module")
def plenty(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    y, pd, alone = drawn(6000)
    return report_of(tmp_path_factory.mktemp("plenty"), y, pd, alone, trained_on=3000)


def test_the_interval_of_the_auc_is_delongs(plenty: ReportData) -> None:
    """Against DeLong's variance written out, on the logit."""
    y, pd, _ = drawn(6000)
    y, pd = y[3000:], np.round(pd[3000:], 6)
    bads, goods = pd[y == 1], pd[y == 0]
    ranks = rankdata(np.concatenate([bads, goods]))
    of_bads = (ranks[: len(bads)] - rankdata(bads)) / len(goods)
    of_goods = 1 - (ranks[len(bads) :] - rankdata(goods)) / len(bads)
    auc = of_bads.mean()
    spread = np.sqrt(of_bads.var(ddof=1) / len(bads) + of_goods.var(ddof=1) / len(goods))
    reach = normal.ppf(0.975) * spread / (auc * (1 - auc))
    low, high = (1 / (1 + np.exp(-(np.log(auc / (1 - auc)) + sign * reach))) for sign in (-1, 1))
    text = text_of(render_report(plenty, "en"))
    assert f"{auc:.3f} {low:.3f} to {high:.3f}" in text
    assert f"{auc:.3f}95 % interval {low:.3f} to {high:.3f}" in text


def test_rates_have_wilsons_interval_and_the_exact_p_of_their_promise(plenty: ReportData) -> None:
    text = text_of(render_report(plenty, "en"))
    tests = grade_tests(plenty.metrics)
    assert tests["B"]["verdict"] == "kept"
    for one in tests.values():
        low, high = binomtest(one["events"], one["rows"]).proportion_ci(method="wilson")
        assert f"{percent(one['default_rate'])}{percent(low)} to {percent(high)}" in text
    least, most = tests["B"]["promised"]
    tails = (
        binomtest(tests["B"]["events"], tests["B"]["rows"], rate, alternative=side).pvalue
        for rate, side in ((most, "less"), (least, "greater"))
    )
    assert tests["B"]["p_value"] == pytest.approx(max(tails))


def test_a_gain_beyond_chance_is_green_and_has_its_p(plenty: ReportData) -> None:
    page = render_report(plenty, "en")
    assert re.search(r'<b class="good">\+0\.\d{3}</b>', page)
    assert "✓Joint is better than alone" in text_of(page)
    bearing = bearing_of(plenty.metrics, remarks(plenty.metrics))
    assert bearing is not None
    gain = bearing.intervals[0].gain
    assert gain is not None
    assert gain["p_value"] < 0.001
    assert "Hosmer–Lemeshow: statistic" in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_of_few_defaults_has_nothing_green(tmp_path: Path, lang: str) -> None:
    rng = np.random.default_rng(5)
    pd = rng.uniform(0.001, 0.4, 120)
    y = np.zeros(120, dtype=int)
    y[np.argsort(-pd[:60])[:12]] = 1
    y[60 + np.argsort(-pd[60:])[:5]] = 1
    page = render_report(report_of(tmp_path, y, pd, rng.uniform(size=120), trained_on=60), lang)
    assert not [mark for mark in GREEN if mark in body(page)]
    assert {"zh": "样本不足", "en": "too few to judge"}[lang] in page
    assert {"zh": "不应据此下任何结论", "en": "nothing should be concluded"}[lang] in page


def graded(grades: Any, y: Any, pd: Any = None) -> ReportData:
    scheme = standard_scheme()
    grading = grading_of(scheme, grades, pd, y)
    plain = judge(scheme, grading.table).to_plain(grading.table)
    return ReportData(title="t", grading=grading, metrics={"grading": {"rows_of": "test", **plain}})


def test_an_empty_grade_is_said_and_has_no_tick() -> None:
    data = graded(
        np.repeat([1, 2, 3], [800, 800, 800]), np.repeat([1, 0, 1, 0, 1, 0], [40, 760, 104, 696, 300, 500])
    )
    page = render_report(data, "en")
    text = text_of(page)
    assert "rise from grade to grade, each step" not in text
    assert "No enterprise has grade A" in text
    assert "Grade A is empty: the scheme does not suit this portfolio." in text
    assert "· empty" in text
    assert ">none</text>" in page
    assert "✓ kept" in text  # the other grades, by tests


def test_a_scheme_that_does_not_suit_comes_with_the_command(tmp_path: Path) -> None:
    y, pd, alone = drawn(3000, shift=-1.0)
    pd = np.maximum(pd, 0.05)
    page = render_report(report_of(tmp_path, y, pd, alone, trained_on=1500), "en")
    found = re.search(
        r"<code>(saferoom grade calibrate scores.csv (--target [\d.]+ )+--out grades.yaml)</code>", page
    )
    assert found
    targets = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["grading"]["suits"][
        "targets"
    ]
    assert found[1].count("--target") == len(targets)


def test_a_broken_promise_is_red_with_its_p() -> None:
    data = graded(np.repeat([0, 1, 2, 3], 1000), np.tile(np.repeat([1, 0], [90, 910]), 4))
    text = text_of(render_report(data, "en"))
    p_value = binomtest(90, 1000, 0.03, alternative="greater").pvalue
    assert p_value < 0.001
    assert "✗ more than promised p < 0.001" in text
    assert verdict_tone(grade_tests(data.metrics)["A"]) == "bad"


def test_a_kept_promise_that_the_mean_pd_does_not_explain_is_not_green() -> None:
    data = graded(np.zeros(1000, dtype=int), np.repeat([1, 0], [12, 988]), np.full(1000, 0.003))
    test = grade_tests(data.metrics)["A"]
    assert (test["verdict"], verdict_tone(test)) == ("kept", "bad")
    assert "prediction off" in render_report(data, "en")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_grades_alone_have_intervals_as_far_as_they_go_and_say_why_there_are_no_curves(lang: str) -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(3000) < 0.2).astype(int)
    grades = np.digitize(rng.normal(size=3000) + y, [-0.5, 0.5, 1.5])
    block = uncertainty_of_grades(y, grades, 0.85, 0.5 + np.arctan(rng.normal(size=3000) + 0.5 * y) / 4)
    data = graded(grades, y)
    figures = {"auc": 0.85, "grade_ks": block["grade_ks"]["value"], "gini": 0.7}
    metrics = {**data.metrics, "uncertainty": {"level": 0.95, "train": None, "test": block}}
    data = ReportData(
        title="t",
        grading=data.grading,
        metrics=metrics,
        grades_alone=True,
        comparison=Comparison(test=figures, alone_test=figures),
    )
    page = render_report(data, lang)
    text = text_of(page)
    assert page.count("<svg") == 1
    assert {"zh": "任何一方都没有得知评分", "en": "nobody learnt a score"}[lang] in text
    assert "Hanley" in text
    assert {"zh": "等级 KS", "en": "KS of the grades"}[lang] in text
    assert "Hosmer" not in text
    assert f"{block['auc']['low']:.3f}" in text


def test_a_model_of_an_earlier_version_is_shown_without_conclusions() -> None:
    data = graded(np.repeat([0, 1, 2, 3], 100), np.tile([0, 0, 0, 1], 100))
    page = render_report(ReportData(title="t", grading=data.grading), "en")
    assert "nothing is concluded about grades" in page
    assert not [mark for mark in GREEN if mark in body(page)]
    assert bearing_of({}, []) is None
