"""The page: templates, words and charts put together. All values are escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from saferoom.kinds.base import Texts
from saferoom.kinds.registry import title_of
from saferoom.kinds.trust import MODES
from saferoom.report import charts
from saferoom.report.bearing import bearing_of, grade_tests
from saferoom.report.content import ReportData
from saferoom.report.data_quality import COLUMNS_SHOWN, column_lines, other_lines, row_lines
from saferoom.report.formats import FILTERS
from saferoom.report.grade_views import grade_lines
from saferoom.report.log_views import learnt, log_lines, state_of
from saferoom.report.model_views import card_lines, coefficient_lines, importance_lines
from saferoom.report.reason_texts import bin_name, reason
from saferoom.report.remarks import MARKS, p_text, remarks
from saferoom.report.texts import words

METRICS = ("auc", "ks", "gini", "log_loss", "brier")


def render_report(data: ReportData, lang: str = "en") -> str:
    """One HTML page without outside assets, printable on A4. `lang`: zh or en.

    Raises UsageError for another language.
    """
    texts = words(lang)
    environment = Environment(
        loader=PackageLoader("saferoom.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {**FILTERS, "p_text": p_text}
    said = remarks(data.metrics, lang)
    factors = data.quality.vif if data.quality else {}
    page = environment.get_template("report.html.j2")
    return page.render(
        data=data,
        lang=lang,
        t=texts,
        say=texts.__getitem__,
        charts=charts,
        marks=MARKS,
        metrics=METRICS,
        gain=_gain(data),
        said=said,
        bearing=bearing_of(data.metrics, said),
        grades=grade_lines(data, texts, lang),
        tests=grade_tests(data.metrics),
        coefficients=[coefficient_lines(one) for one in data.coefficients],
        cards=[card_lines(one, factors) for one in data.cards],
        importances=[importance_lines(one) for one in data.importances],
        quality=_quality(data, lang),
        model_title=_title(title_of(data.model_kind), lang),
        trust_title=_title(_trust(data), lang),
        reason=lambda why: reason(why, lang),
        bin_name=lambda name: bin_name(name, lang),
        learnt=learnt(data.disclosures, lang),
        logs=log_lines(data.logs, texts, lang),
        logs_state=state_of(data.logs),
    )


def _gain(data: ReportData) -> dict[str, float]:
    """Test figures, joint minus alone; empty where either is missing."""
    if data.comparison is None or data.comparison.test is None or data.comparison.alone_test is None:
        return {}
    joint, alone = data.comparison.test, data.comparison.alone_test
    return {name: joint[name] - alone[name] for name in METRICS if name in joint and name in alone}


def _quality(data: ReportData, lang: str) -> dict[str, Any] | None:
    if data.quality is None:
        return None
    columns = column_lines(data.quality, lang)
    return {
        "of": data.quality,
        "rows": list(row_lines(data.quality)),
        "columns": [line for place, line in enumerate(columns) if line.why or place < COLUMNS_SHOWN],
        "more": sum(not line.why for line in columns[COLUMNS_SHOWN:]),
        "with_vif": bool(data.quality.vif),
        "others": other_lines(data.quality, data.parties),
    }


def _trust(data: ReportData) -> Texts:
    """The trust mode's title; its own word if it is a newer version's."""
    name = data.contract.trust if data.contract else ""
    return next((mode.title for mode in MODES.values() if mode.name == name), (name, name))


def _title(texts: Texts, lang: str) -> str:
    return texts[lang == "zh"]
