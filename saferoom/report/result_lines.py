"""A training job's results as lines for a terminal: figures with intervals, and what they can bear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from saferoom.report.remarks import p_text, remarks

Plain = Mapping[str, Any]

SHOWN = ("auc", "ks")


def figure_lines(metrics: Plain, others: Sequence[tuple[str, Plain | None]] = ()) -> Iterator[str]:
    """Joint next to alone and to `others` on the held-out rows, with 95 % intervals where they are known."""
    block = (metrics.get("uncertainty") or {}).get("test") or {}
    head = f"{'95 % of AUC':>22}{'95 % of KS':>22}" if block else ""
    yield f"{'':12}{'test AUC':>10}{'test KS':>10}{head}"
    lines = [("joint", metrics["test"], block), ("alone", metrics["alone"]["test"], block.get("alone", {}))]
    for name, found, known in (*lines, *((name, found, {}) for name, found in others)):
        cells = "".join(f"{found[key]:10.4f}" if key in (found or {}) else f"{'-':>10}" for key in SHOWN)
        ranges = "".join(f"{_range(known.get(key)):>22}" for key in SHOWN) if known else ""
        yield f"{name:12}{cells}{ranges}".rstrip()
    yield from _gain_line(block)


def grade_lines(grading: Plain) -> Iterator[str]:
    """Each grade's rate on the rows that were judged, what it promised, and whether it kept it."""
    rows_of = {"test": "held-out", "train": "training"}[grading["rows_of"]]
    head = f"{rows_of + ' rows':>14}{'defaults':>10}{'rate':>9}{'95 %':>18}{'promised':>18}"
    yield f"{'grade':8}{head}  verdict"
    for one in grading["grades"]:
        rate = "-" if one["default_rate"] is None else f"{one['default_rate']:.2%}"
        known = "-" if one["low"] is None else f"{one['low']:.2%} to {one['high']:.2%}"
        promised = "-" if one["promised"] is None else _promise(*one["promised"])
        counts = f"{one['rows']:14}{one['events']:10}{rate:>9}"
        yield f"{one['name']:8}{counts}{known:>18}{promised:>18}  {one['verdict']}"


def remark_lines(metrics: Plain, lang: str = "en") -> Iterator[str]:
    """One sentence a line: ✓ a test is behind it, ✗ something is wrong, · the rows cannot tell."""
    yield from (one.line for one in remarks(metrics, lang))


def _gain_line(block: Plain) -> Iterator[str]:
    gain = block.get("gain", {})
    if block.get("few"):
        yield f"{'gain':12}not judged: too few rows in one of the classes"
    if not gain:
        return
    cells = "".join(f"{gain[key]['value']:+10.4f}" if key in gain else f"{'-':>10}" for key in SHOWN)
    ranges = "".join(f"{_range(gain.get(key), '+'):>22}" for key in SHOWN)
    yield f"{'gain':12}{cells}{ranges}   AUC: {p_text(gain['auc']['p_value'])}"


def _range(known: Plain | None, sign: str = "") -> str:
    return "-" if not known else f"{known['low']:{sign}.4f} to {known['high']:{sign}.4f}"


def _promise(low: float, high: float) -> str:
    if low <= 0:
        return f"up to {high:.1%}"
    return f"above {low:.1%}" if high >= 1 else f"{low:.1%} to {high:.1%}"
