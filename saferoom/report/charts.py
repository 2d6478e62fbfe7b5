"""The report's charts. Each takes data and `say`, which gives a text key in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from saferoom.models.metrics import CalibrationBin, LiftBin
from saferoom.report.content import CardFeature, Distribution, HeldOutFigures
from saferoom.report.svg import INK, MUTED, Axis, Frame, element, label, legend, picture
from saferoom.scoring.grade_table import GradeRow

Say = Callable[[str], str]

# None of these is green: green on the page says that a test supports a sentence.
JOINT, ALONE, GOOD, BAD = "#0b5cad", "#98a3b0", "#3f7fbf", "#d1495b"
MOST_BARS, LONGEST_NAME = 100, 24
GRADE_COLOURS = ("#2f6db3", "#7fa8d6", "#e9a23b", "#d1495b", "#8d3b72", "#5c4b51")
LINE_HEIGHT = 20


def percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f}%"


def roc_chart(evaluation: HeldOutFigures, say: Say) -> Markup:
    """True against false positive rate, joint and alone, with the line of chance."""
    frame = Frame(
        Axis(0, 1, say("false_positive_rate"), percent), Axis(0, 1, say("true_positive_rate"), percent)
    )
    curves = [frame.curve([0, 1], [0, 1], ALONE, width=1, dash="3 4")]
    entries = [(say("joint"), JOINT)]
    if evaluation.alone_roc is not None:
        curves.append(frame.curve(evaluation.alone_roc.x.tolist(), evaluation.alone_roc.y.tolist(), ALONE))
        entries.append((say("alone"), ALONE))
    curves.append(frame.curve(evaluation.roc.x.tolist(), evaluation.roc.y.tolist(), JOINT, width=2.5))
    return _drawing(frame, say("roc"), *legend(frame.left, 16, entries), *curves)


def ks_chart(evaluation: HeldOutFigures, say: Say) -> Markup:
    """Cumulative shares of bads and goods, riskiest first, and where they are farthest apart."""
    frame = Frame(Axis(0, 1, say("share_of_rows"), percent), Axis(0, 1, say("cumulative_share"), percent))
    bads, goods = evaluation.ks_bads, evaluation.ks_goods
    widest = int((bads.y - goods.y).argmax())
    x, low, high = float(bads.x[widest]), float(goods.y[widest]), float(bads.y[widest])
    words_x, words_y = frame.at(x, (low + high) / 2)
    return _drawing(
        frame,
        say("ks"),
        *legend(frame.left, 16, [(say("bads"), BAD), (say("goods"), GOOD)]),
        frame.curve(goods.x.tolist(), goods.y.tolist(), GOOD, width=2.5),
        frame.curve(bads.x.tolist(), bads.y.tolist(), BAD, width=2.5),
        frame.curve([x, x], [low, high], INK, width=1.5, dash="4 3"),
        label(words_x + 8, words_y + 4, f"KS = {evaluation.ks:.3f}", anchor="start", fill=INK),
    )


def lift_chart(lift: tuple[LiftBin, ...], say: Say) -> Markup:
    """Lift of each slice, riskiest first, with the line of no lift."""
    top = max(1.0, *(one.lift for one in lift)) * 1.12
    frame = Frame(
        Axis(0.4, len(lift) + 0.6, say("slice"), None),
        Axis(0, top, say("lift"), lambda v: f"{v:g}"),
    )
    bars = []
    for place, one in enumerate(lift, start=1):
        bars.append(frame.bar(place - 0.36, place + 0.36, one.lift, JOINT, rx=2))
        x, y = frame.at(place, one.lift)
        _, floor = frame.at(place, 0)
        bars.append(label(x, y - 5, f"{one.lift:.1f}", fill=INK))
        bars.append(label(x, floor + 16, str(place)))
    return _drawing(
        frame, say("lift"), *bars, frame.curve([0.4, len(lift) + 0.6], [1, 1], MUTED, width=1, dash="3 4")
    )


def calibration_chart(bins: tuple[CalibrationBin, ...], say: Say) -> Markup:
    """Default rate over prediction, one point a bin; the larger the bin, the larger the point."""
    top = max(0.01, *(max(one.mean_pd, one.default_rate) for one in bins)) * 1.08
    digits = 0 if top > 0.05 else 1
    frame = Frame(
        Axis(0, top, say("predicted"), lambda v: percent(v, digits)),
        Axis(0, top, say("observed"), lambda v: percent(v, digits)),
    )
    points = []
    for one in bins:
        x, y = frame.at(one.mean_pd, one.default_rate)
        points.append(element("circle", cx=x, cy=y, r=5, fill=JOINT, fill_opacity=0.85, stroke="#fff"))
    path = frame.curve([b.mean_pd for b in bins], [b.default_rate for b in bins], JOINT, width=1)
    return _drawing(
        frame, say("calibration"), frame.curve([0, top], [0, top], MUTED, width=1, dash="3 4"), path, *points
    )


def distribution_chart(distribution: Distribution, say: Say) -> Markup:
    """Histograms of the points of goods and bads over one another."""
    edges = distribution.edges
    top = max(0.01, *distribution.goods, *distribution.bads) * 1.08
    frame = Frame(
        Axis(edges[0], edges[-1], say("points"), lambda v: f"{v:.0f}"), Axis(0, top, say("share"), percent)
    )
    bars = [
        frame.bar(edges[place], edges[place + 1], share, colour, fill_opacity=0.55)
        for shares, colour in ((distribution.goods, GOOD), (distribution.bads, BAD))
        for place, share in enumerate(shares)
    ]
    entries = [(say("goods"), GOOD), (say("bads"), BAD)]
    return _drawing(frame, say("distribution"), *legend(frame.left, 16, entries), *bars)


def iv_chart(features: Sequence[CardFeature], say: Say) -> Markup:
    """Information value of each feature, highest first: a line each, at most MOST_BARS."""
    shown = sorted(features, key=lambda feature: -feature.iv)[:MOST_BARS]
    top = max((feature.iv for feature in shown), default=0.0) or 1.0
    left, right, width = 172.0, 48.0, 480
    drawn = []
    for place, feature in enumerate(shown):
        y = place * LINE_HEIGHT + 4.0
        length = (width - left - right) * feature.iv / top
        drawn.append(label(left - 8, y + 11, _shortened(feature.name), anchor="end", fill=INK))
        drawn.append(element("rect", x=left, y=y, width=length, height=13.0, fill=JOINT, rx=2))
        drawn.append(label(left + length + 6, y + 11, f"{feature.iv:.3f}", anchor="start", fill=INK))
    return picture(width, len(shown) * LINE_HEIGHT + 8, say("iv_chart"), *drawn)


def _shortened(name: str) -> str:
    """Names of one table differ at their ends, mostly: cut in the middle."""
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}…{name[-half:]}"


def grade_colour(place: int) -> str:
    """Of the grade at that place in its scheme, best first."""
    return GRADE_COLOURS[min(place, len(GRADE_COLOURS) - 1)]


def grade_chart(table: tuple[GradeRow, ...], tests: Mapping[str, Mapping[str, Any]], say: Say) -> Markup:
    """Default rate of each grade, with its interval and the promised range; without labels, the shares.

    `tests`: what is known of each grade, by name; may be empty.
    """
    by_rate = any(row.default_rate is not None for row in table)
    heights = [(row.default_rate if by_rate else row.share) or 0.0 for row in table]
    highs = [tests[row.name]["high"] or 0.0 for row in table if row.name in tests and row.rows]
    frame = Frame(
        Axis(0.4, len(table) + 0.6, say("grade"), None),
        Axis(
            0,
            min(max(0.01, *heights, *highs) * 1.15, 1.08),
            say("default_rate" if by_rate else "share"),
            percent,
        ),
    )
    drawn = []
    for place, (row, height) in enumerate(zip(table, heights, strict=True), start=1):
        test = tests.get(row.name)
        x, y = frame.at(place, height)
        _, floor = frame.at(place, 0)
        if test and by_rate:
            drawn += _promised(frame, place, test)
        drawn.append(frame.bar(place - 0.32, place + 0.32, height, grade_colour(place - 1), rx=3))
        if test and by_rate:
            drawn += _interval(frame, place, test)
        if row.rows:
            drawn.append(label(x - 8, y - 6, percent(height, 1), anchor="end", fill=INK))
        else:
            drawn.append(label(x, floor - 6, say("no_rows")))
        drawn.append(label(x, floor + 17, row.name, fill=INK, font_weight="600"))
    return _drawing(frame, say("grade_chart"), *drawn)


def _promised(frame: Frame, place: int, test: Mapping[str, Any]) -> list[Markup]:
    """A pale band behind the bar."""
    if test["promised"] is None:
        return []
    low, high = (min(end, frame.y.high) for end in test["promised"])
    left, top = frame.at(place - 0.44, high)
    right, bottom = frame.at(place + 0.44, low)
    size = {"width": right - left, "height": bottom - top}
    return [element("rect", x=left, y=top, fill=ALONE, fill_opacity=0.22, **size)]


def _interval(frame: Frame, place: int, test: Mapping[str, Any]) -> list[Markup]:
    """A line with two ends, over the bar."""
    low, high = test["low"], test["high"]
    if low is None:
        return []
    ends = [frame.curve([place - 0.06, place + 0.06], [end, end], INK, width=1.5) for end in (low, high)]
    return [frame.curve([place, place], [low, high], INK, width=1.5), *ends]


def _drawing(frame: Frame, description: str, *children: Markup) -> Markup:
    return picture(frame.width, frame.height, description, *frame.axes(), *children)
