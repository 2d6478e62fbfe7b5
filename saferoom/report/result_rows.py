"""A training job's results as rows of a model card: figures with intervals, grades with their tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from saferoom.report.remarks import p_text, percent

Plain = Mapping[str, Any]


def intervals(metrics: Plain) -> dict[str, str]:
    """By name each figure, its 95 % interval, and how that was found; empty for an earlier version's."""
    found = {}
    for rows in ("test", "train"):
        known = (metrics.get("uncertainty") or {}).get(rows)
        for name, one in _estimates(known or {}):
            found[f"{rows}, {name}"] = _with_interval(one)
        if known and known["few"]:
            found[f"{rows}, caution"] = "fewer than 10 rows in one of the classes: conclude nothing"
    return found


def grade_rows(grading: Plain) -> list[dict[str, Any]]:
    """A line a grade: counts, rate with its interval, promise, verdict."""
    return [
        {
            "grade": one["name"],
            "rows": one["rows"],
            "defaults": one["events"],
            "rate": _share(one["default_rate"]),
            "95 %": "–" if one["low"] is None else f"{percent(one['low'], 2)} to {percent(one['high'], 2)}",
            "mean pd": _share(one["mean_pd"]),
            "promised": "–" if one["promised"] is None else " to ".join(map(percent, one["promised"])),
            "verdict": one["verdict"],
        }
        for one in grading["grades"]
    ]


def _estimates(known: Plain) -> Iterator[tuple[str, Plain]]:
    """Joint, alone, gain; then the fit of probabilities, which has no interval."""
    for name in ("auc", "ks", "grade_ks"):
        if name in known:
            yield f"joint {name}", known[name]
    yield from ((f"alone {name}", one) for name, one in known.get("alone", {}).items())
    yield from ((f"gain of {name}", one) for name, one in known.get("gain", {}).items())
    if known.get("fit"):
        yield "Hosmer-Lemeshow", known["fit"]


def _with_interval(one: Plain) -> str:
    p_value = f", {p_text(one['p_value'])}" if "p_value" in one else ""
    if "statistic" in one:
        return f"{one['statistic']:.2f}, {one['degrees']} degrees of freedom{p_value}"
    return f"{one['value']:.4f}, {one['low']:.4f} to {one['high']:.4f}{p_value} ({one['method']})"


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value, 2)
