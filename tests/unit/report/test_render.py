"""The page: complete in both languages, self-contained, escaped, and nothing on it that was not given."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from saferoom.errors import ShapeError, UsageError
from saferoom.kinds.learns import DISCLOSURES
from saferoom.models.metrics import metrics_summary
from saferoom.models.stability import stability_index
from saferoom.report.content import (
    Card,
    CardBin,
    CardFeature,
    Coefficients,
    Comparison,
    ContractFacts,
    DataQuality,
    DisclosureLine,
    LinkTraffic,
    LogVerdict,
    PartyFacts,
    Phase,
    ReportData,
    RowFacts,
)
from saferoom.report.measure import distribution_of, evaluation_of, grading_of
from saferoom.report.model_views import COEFFICIENTS_SHOWN
from saferoom.report.render import render_report
from saferoom.report.texts import WORDS
from saferoom.scoring.grade_tests import judge
from saferoom.scoring.points import PointScale, logit_from_pd, pd_from_logit
from saferoom.scoring.standard import standard_scheme
from tests.unit.report.page_text import text_of


def sample(rows: int, seed: int) -> tuple[np.ndarray[Any, Any], ...]:
    rng = np.random.default_rng(seed)
    own, others = rng.normal(size=(2, rows))
    pd = pd_from_logit(-3 + 0.8 * own + 1.2 * others)
    return (rng.random(rows) < pd).astype(int), pd, pd_from_logit(-2.6 + 0.8 * own)


STABILITY = {"turnover": 0.0125, "use": 0.3}


@pytest.fixture(scope="module")
def full() -> ReportData:
    y0, pd0, alone0 = sample(4000, 0)
    y1, pd1, alone1 = sample(2000, 1)
    scheme = standard_scheme()
    return ReportData(
        title="Joint model",
        made_at="2026-01-02 03:04",
        version="0.1",
        job="job-7",
        model_kind="logistic",
        contract=ContractFacts("c-1", "title", "purpose", "law", "assisted", "2027-01-01", 500, "ab" * 32),
        parties=(
            PartyFacts("bank", "label_holder", rows=9000, columns=7),
            PartyFacts("tax", "feature_holder"),
        ),
        rows=RowFacts(6000, 4000, 2000, 0.08, 0.09),
        comparison=Comparison(
            metrics_summary(y0, pd0),
            metrics_summary(y1, pd1),
            metrics_summary(y0, alone0),
            metrics_summary(y1, alone1),
        ),
        evaluation=evaluation_of(y1, pd1, alone1),
        distribution=distribution_of(PointScale().points(logit_from_pd(pd1)), y1),
        grading=grading_of(scheme, scheme.assign(pd1), pd1, y1),
        score_stability=stability_index(pd0, pd1),
        coefficients=(Coefficients("bank", {"turnover": -0.5, "use": 0.25}, -2.75, STABILITY),),
        cards=(
            Card(
                "bank",
                (
                    CardFeature(
                        "age <of firm>",
                        0.3456,
                        -0.875,
                        0.2222,
                        (
                            CardBin("(-inf, 3]", 0.4, 0.09, -0.51, -37),
                            CardBin("missing", 0.6, 0.02, 0.44, 31),
                        ),
                        p_value=0.0321,
                    ),
                    CardFeature("use", 0.1, -1.0, None, (CardBin("a", 1.0, 0.05, 0.0, 0),)),
                ),
                base_points=512,
            ),
        ),
        disclosures=tuple(DisclosureLine(kind, "bank", "1") for kind in DISCLOSURES),
        logs=(
            LogVerdict("bank", 40, "root0=", passed=True),
            LogVerdict("tax", 30, passed=True),
        ),
        phases=(Phase("align", 1.5, 2_000_000), Phase("own-phase", 12.25), Phase("total", 13.75, 2_000_000)),
        traffic=(LinkTraffic("bank", "tax", 1234),),
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_part_is_there_and_the_html_is_balanced(full: ReportData, lang: str) -> None:
    page = render_report(full, lang)
    text = text_of(page)
    for number in (
        "6,000",
        "c-1",
        "root0=",
        "job-7",
        "+0.2500",
        "−0.5000",
        "−2.7500",
        "2.0 MB",
        "12.2",
        "own-phase",
    ):
        assert number in text
    test = full.comparison.test if full.comparison else None
    assert test
    assert f"{test['auc']:.4f}" in text
    assert f"KS = {test['ks']:.3f}" in text
    sections = {
        "zh": ("数据与合约", "评分与等级", "披露清单"),
        "en": ("Data and contract", "Scores and grades", "Disclosures"),
    }
    assert all(words in text for words in sections[lang])
    assert page.count("<svg") == 7


def test_the_chinese_page_has_no_english_left_over(full: ReportData) -> None:
    text = text_of(render_report(full, "zh"))
    english = {texts[1] for texts in WORDS.values() if len(texts[1]) > 8 and "{" not in texts[1]}
    english |= {kind.en.meaning for kind in DISCLOSURES.values()}
    assert not [words for words in english - {"assisted"} if words in text]


def test_texts_are_complete_and_take_the_same_blanks_in_both_languages() -> None:
    for key, (chinese, english) in WORDS.items():
        blanks = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (chinese, english)
        ]
        assert chinese, key
        assert english, key
        assert blanks[0] == blanks[1], key


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_of_disclosure_is_explained_as_in_the_contract(full: ReportData, lang: str) -> None:
    text = text_of(render_report(full, lang))
    for kind in DISCLOSURES.values():
        assert f"{kind.wording(lang).meaning}bank1" in text


def test_the_page_asks_for_nothing_from_outside(full: ReportData) -> None:
    page = render_report(full, "en")
    for forbidden in ("<script", "<link", "<img", "@import", "url(", "src=", "href="):
        assert forbidden not in page
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_every_drawing_is_well_formed_with_a_title_and_finite_numbers(full: ReportData) -> None:
    page = render_report(full, "en")
    for drawing in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        root = ElementTree.fromstring(drawing)
        assert root[0].tag.endswith("title")
        assert "nan" not in drawing
        assert "inf" not in drawing
        numbers = [float(n) for line in root.iter() for n in re.findall(r"-?[\d.]+", line.get("points", ""))]
        assert all(-1 <= number <= 481 for number in numbers)


def test_what_was_given_is_escaped_everywhere() -> None:
    evil = '<script>alert("x")</script>'
    data = ReportData(
        title=evil,
        contract=ContractFacts(evil, evil, evil),
        parties=(PartyFacts(evil, evil, evil, evil),),
        coefficients=(Coefficients(evil, {evil: 1.0}),),
        disclosures=(DisclosureLine(evil, evil, evil),),
        logs=(LogVerdict(evil, 1, evil, evil),),
        phases=(Phase(evil, 1.0),),
        traffic=(LinkTraffic(evil, evil, 1),),
    )
    page = render_report(data, "en")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 14


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_report_with_a_title_alone_is_a_page_without_parts(lang: str) -> None:
    page = render_report(ReportData(title="Only this"), lang)
    assert "Only this" in text_of(page)
    assert "<h2" not in page
    assert "<svg" not in page


@pytest.mark.parametrize(
    "field", ["contract", "rows", "comparison", "evaluation", "distribution", "grading", "score_stability"]
)
def test_each_part_can_be_left_out(full: ReportData, field: str) -> None:
    text_of(render_report(replace(full, **{field: None}), "en"))


def test_coefficients_of_others_are_not_on_the_page(full: ReportData) -> None:
    page = render_report(full, "en")
    assert "turnover" in page
    assert "Coefficients" not in render_report(replace(full, coefficients=()), "en")


def test_the_stability_of_each_column_stands_beside_its_coefficient(full: ReportData) -> None:
    text = text_of(render_report(full, "en"))
    assert "turnover−0.50000.0125" in text and "use+0.25000.3000" in text
    bare = replace(full, coefficients=(Coefficients("bank", {"turnover": -0.5}),), cards=())
    assert '<th class="n">Stability index</th>' not in render_report(bare, "en")


def test_many_coefficients_are_cut_and_the_rest_counted() -> None:
    values = {f"column{i}": i / 1000 for i in range(COEFFICIENTS_SHOWN + 60)}
    text = text_of(render_report(ReportData(title="t", coefficients=(Coefficients("tax", values),)), "en"))
    assert "column99+0.0990" in text
    assert "column10+" not in text
    assert "60 more" in text


def test_a_log_that_fails_its_check_shows_at_the_top_and_in_its_line(full: ReportData) -> None:
    broken = replace(
        full, logs=(full.logs[0], LogVerdict("tax", 3, problem="entry 2 does not hash to its leaf"))
    )
    text = text_of(render_report(broken, "en"))
    assert "✗ problems found" in text
    assert "✗ entry 2 does not hash" in text
    assert "✗" not in text_of(render_report(full, "en"))


def test_grades_that_do_not_rise_are_told(full: ReportData) -> None:
    scheme = standard_scheme()
    y = np.repeat([1, 0, 0, 1], [30, 70, 90, 10])
    grading = grading_of(scheme, np.repeat([0, 1], 100), np.full(200, 0.1), y)
    judged = {"rows_of": "test", **judge(scheme, grading.table).to_plain(grading.table)}
    text = text_of(render_report(replace(full, grading=grading, metrics={"grading": judged}), "en"))
    assert "✗Grade B has a lower default rate than A" in text
    assert "rise from grade" not in text


def test_grades_without_labels_and_test_rows_of_one_class(full: ReportData) -> None:
    scheme = standard_scheme()
    unlabelled = grading_of(scheme, [0, 1, 3], [0.01, 0.05, 0.5], rows_of="all")
    comparison = replace(full.comparison, test=None, alone_test=None)
    text = text_of(render_report(replace(full, grading=unlabelled, comparison=comparison), "en"))
    assert "Rows graded: all" in text
    assert "rise from grade" not in text
    assert "one class only" in text


def test_an_unknown_language_is_refused(full: ReportData) -> None:
    with pytest.raises(UsageError, match="zh and en"):
        render_report(full, "fr")


def test_histogram_shares_sum_to_one_per_class_even_with_one_value() -> None:
    y, pd, _ = sample(3000, 2)
    histogram = distribution_of(PointScale().points(logit_from_pd(pd)), y)
    assert sum(histogram.goods) == pytest.approx(1)
    assert sum(histogram.bads) == pytest.approx(1)
    assert len(histogram.edges) == len(histogram.goods) + 1
    same = distribution_of([600] * 5, [0] * 5)
    assert sum(same.goods) == pytest.approx(1)
    assert sum(same.bads) == 0
    with pytest.raises(ShapeError):
        distribution_of([], [])


def test_calibration_of_tiny_rates_and_constant_predictions_still_draws() -> None:
    y = np.zeros(5000, int)
    y[:3] = 1
    page = render_report(ReportData(title="t", evaluation=evaluation_of(y, np.full(5000, 0.0006))), "en")
    text_of(page)
    assert "nan" not in page


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_scorecard_shows_its_bins_points_and_shifted_features(full: ReportData, lang: str) -> None:
    page = render_report(full, lang)
    text = text_of(page)
    for shown in ("512", "(-inf, 3]", "−37", "+31", "0.346", "−0.875", "9.00%", "age <of firm>", "0.0321"):
        assert shown in text
    assert "age <of firm>" not in page
    assert 'class="n bad">0.222' in page
    assert page.count('rowspan="2"') == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_information_value_above_a_half_is_marked(full: ReportData, lang: str) -> None:
    mark = {"zh": "可疑", "en": "suspicious"}[lang]
    card = full.cards[0]
    assert mark not in render_report(full, lang)
    told = replace(card.features[0], iv=0.51)
    page = render_report(replace(full, cards=(replace(card, features=(told, card.features[1])),)), lang)
    assert f'class="n bad">0.510 {mark}' in page
    assert {"zh": "已知晓", "en": "known before the default"}[lang] in page


def test_bins_have_rows_defaults_and_the_factor_of_their_feature(full: ReportData) -> None:
    bins = (
        CardBin("(-inf, 3]", 0.4, 0.09, -0.51, -37, 1200, 108),
        CardBin("(3, inf)", 0.6, 0.02, 0.44, 31, 1800, 36, estimated=True),
    )
    feature = CardFeature("age", 0.2, 0.5, 0.01, bins, wrong_sign=True)
    quality = DataQuality("bank", rows=10, aligned=9, vif={"age": 3.456})
    data = replace(full, cards=(Card("bank", (feature,)),), quality=quality)
    text = text_of(render_report(data, "en"))
    assert "(-inf, 3]1,200108" in text
    assert "(3, inf)1,800≈ 36" in text
    assert "+0.500 wrong sign3.4668" in text
    assert "or missing" not in text
