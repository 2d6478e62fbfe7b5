"""Numbers as the page writes them: filters of its templates. A value that is not known is a dash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from saferoom.report.charts import percent

DASH = "–"


def number(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def figure(value: float | None, digits: int = 4) -> str:
    return DASH if value is None else f"{value:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 4) -> str:
    return DASH if value is None else f"{value:+.{digits}f}".replace("-", "−")


def share(value: float | None, digits: int = 0) -> str:
    return DASH if value is None else percent(value, digits)


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def size(size_bytes: int | None) -> str:
    """Of bytes, in units of a thousand."""
    if size_bytes is None:
        return DASH
    left = float(size_bytes)
    for unit in ("B", "KB", "MB"):
        if left < 1000:
            return f"{left:.0f} {unit}" if unit == "B" else f"{left:.1f} {unit}"
        left /= 1000
    return f"{left:.2f} GB"


def points(value: int) -> str:
    """Of a bin: what it adds to the total."""
    return f"{value:+d}".replace("-", "−") if value else "0"


def p_value(value: float | None) -> str:
    """Without its name, for a table."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": number,
    "figure": figure,
    "signed": signed,
    "percent": share,
    "seconds": seconds,
    "size": size,
    "p_value": p_value,
    "points": points,
}
