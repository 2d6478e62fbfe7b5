"""The page: template, words and charts put together. All values are escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from saferoom.kinds.base import Texts
from saferoom.kinds.learns import DISCLOSURES
from saferoom.kinds.registry import title_of
from saferoom.kinds.trust import MODES
from saferoom.models.stability import STABLE
from saferoom.report import charts
from saferoom.report.content import Card, Coefficients, Importance, ReportData
from saferoom.report.texts import words
from saferoom.scoring.grades import GradeScheme

METRICS = ("auc", "ks", "gini", "log_loss", "brier")
COEFFICIENTS_SHOWN = 40
_DASH = "–"


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
    environment.filters |= {
        "number": _number,
        "figure": _figure,
        "signed": _signed,
        "percent": _percent,
        "size": _size,
        "seconds": _seconds,
    }
    page = environment.get_template("report.html.j2")
    return page.render(
        data=data,
        lang=lang,
        t=texts,
        say=texts.__getitem__,
        charts=charts,
        metrics=METRICS,
        gain=_gain(data),
        grades=_grade_lines(data, lang),
        coefficients=[_coefficient_lines(one) for one in data.coefficients],
        cards=[_card_lines(one) for one in data.cards],
        importances=[_importance_lines(one) for one in data.importances],
        model_title=_title(title_of(data.model_kind), lang),
        trust_title=_title(_trust(data), lang),
        kind_texts={name: kind.wording(lang).meaning for name, kind in DISCLOSURES.items()},
        logs_well=bool(data.logs) and not any(log.problem for log in data.logs),
    )


def _gain(data: ReportData) -> dict[str, float]:
    """Test figures, joint minus alone; empty where either is missing."""
    if data.comparison is None or data.comparison.test is None or data.comparison.alone_test is None:
        return {}
    joint, alone = data.comparison.test, data.comparison.alone_test
    return {name: joint[name] - alone[name] for name in METRICS if name in joint and name in alone}


def _grade_lines(data: ReportData, lang: str) -> list[dict[str, Any]]:
    if data.grading is None:
        return []
    scheme, lines = data.grading.scheme, []
    for place, (grade, row) in enumerate(zip(scheme.grades, data.grading.table, strict=True)):
        lines.append(
            {
                "row": row,
                "title": grade.title.get(lang, ""),
                "supervision": grade.supervision.get(lang, ()),
                "cut": _cut(scheme, place),
                "colour": charts.GRADE_COLOURS[min(place, len(charts.GRADE_COLOURS) - 1)],
            }
        )
    return lines


def _cut(scheme: GradeScheme, place: int) -> str:
    """The grade's range in words that need no language."""
    cut = scheme.grades[place].cut
    if scheme.by == "shares":
        return _percent(cut)
    if cut is None:
        before = scheme.grades[place - 1].cut
        return f"PD > {_percent(before, 1)}" if scheme.by == "pd" else f"< {before:g}"
    return f"PD ≤ {_percent(cut, 1)}" if scheme.by == "pd" else f"≥ {cut:g}"


def _coefficient_lines(part: Coefficients) -> dict[str, Any]:
    """A party's largest coefficients, each with its share of the largest for a bar."""
    largest = max((abs(value) for value in part.values.values()), default=0.0) or 1.0
    ordered = sorted(part.values.items(), key=lambda item: -abs(item[1]))
    return {
        "part": part,
        "lines": [
            (name, value, 50 * abs(value) / largest, part.stability.get(name))
            for name, value in ordered[:COEFFICIENTS_SHOWN]
        ],
        "left_out": max(len(ordered) - COEFFICIENTS_SHOWN, 0),
    }


def _card_lines(card: Card) -> dict[str, Any]:
    """Features by information value, each with its bins and the bars' widths; range of points of each."""
    most = max((abs(one.points) for feature in card.features for one in feature.bins), default=0) or 1
    features = sorted(card.features, key=lambda feature: -feature.iv)
    return {
        "card": card,
        "p_values": any(feature.p_value is not None for feature in features),
        "counted": any(feature.iv_counted is not None for feature in features),
        "estimated": any(one.estimated for feature in features for one in feature.bins),
        "wrong_signs": [feature.name for feature in features if feature.wrong_sign],
        "joined": [(feature.name, *pair) for feature in features for pair in feature.joined],
        "features": [
            {
                "feature": feature,
                "range": max(one.points for one in feature.bins) - min(one.points for one in feature.bins),
                "bins": [(one, 50 * abs(one.points) / most) for one in feature.bins],
                "shifted": feature.stability_index is not None and feature.stability_index > STABLE,
            }
            for feature in features
        ],
    }


def _importance_lines(one: Importance) -> dict[str, Any]:
    """Columns and parties, each with its share of the largest for a bar: of gain, or else of rows."""
    weights = [line.cover if line.gain is None else line.gain for line in one.lines]
    largest, most = max(weights, default=0) or 1, sum(one.gains.values()) or 1
    lines = list(zip(one.lines, [100 * weight / largest for weight in weights], strict=True))
    return {
        "part": one,
        "lines": lines[:COEFFICIENTS_SHOWN],
        "left_out": max(len(lines) - COEFFICIENTS_SHOWN, 0),
        "with_gain": any(line.gain is not None for line in one.lines),
        "gains": [(party, gain, gain / most) for party, gain in one.gains.items()],
    }


def _trust(data: ReportData) -> Texts:
    """The trust mode's title; its own word if it is a newer version's."""
    name = data.contract.trust if data.contract else ""
    return next((mode.title for mode in MODES.values() if mode.name == name), (name, name))


def _title(texts: Texts, lang: str) -> str:
    return texts[lang == "zh"]


def _number(value: int | None) -> str:
    return _DASH if value is None else f"{value:,}"


def _figure(value: float | None, digits: int = 4) -> str:
    return _DASH if value is None else f"{value:.{digits}f}".replace("-", "−")


def _signed(value: float | None, digits: int = 4) -> str:
    return _DASH if value is None else f"{value:+.{digits}f}".replace("-", "−")


def _percent(share: float | None, digits: int = 0) -> str:
    return _DASH if share is None else charts.percent(share, digits)


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return _DASH
    size = float(size_bytes)
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
