"""Just enough SVG for the report's charts: elements with escaped attributes, and a frame with two axes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

INK, MUTED, GRID = "#1f2933", "#5f6c7b", "#e4e9ef"
FONT_SIZE = 12


def element(tag: str, *children: Markup | str, **attributes: str | float) -> Markup:
    """`<tag …>children</tag>`; `_` in attribute names becomes `-`, all text is escaped."""
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for name, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup(f"<{tag}{pairs}>") + inside + Markup(f"</{tag}>")  # noqa: S704 - tag and pairs are escaped


def picture(width: int, height: int, description: str, *children: Markup) -> Markup:
    """A whole drawing that scales to its column and says in words what it shows."""
    return element(
        "svg",
        element("title", description),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        role="img",
        font_size=FONT_SIZE,
    )


def label(
    x: float, y: float, words: str, *, anchor: str = "middle", fill: str = MUTED, **more: str
) -> Markup:
    return element("text", words, x=x, y=y, text_anchor=anchor, fill=fill, **more)


def line(points: Sequence[tuple[float, float]], colour: str, *, width: float = 2, dash: str = "") -> Markup:
    """A polyline through points given in drawing units."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    more = {"stroke_dasharray": dash} if dash else {}
    return element(
        "polyline",
        points=path,
        fill="none",
        stroke=colour,
        stroke_width=width,
        stroke_linejoin="round",
        **more,
    )


def legend(x: float, y: float, entries: Sequence[tuple[str, str]]) -> list[Markup]:
    """Coloured squares with words, in one row from (x, y)."""
    drawn = []
    for words, colour in entries:
        drawn.append(element("rect", x=x, y=y - 9, width=10, height=10, rx=2, fill=colour))
        drawn.append(label(x + 15, y, words, anchor="start", fill=INK))
        x += 15 + _width(words) + 18
    return drawn


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, within [low, high]."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [place * step for place in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, named `name`, ticks written by `write`; without ticks if `write` is None."""

    low: float
    high: float
    name: str
    write: Callable[[float], str] | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A plotting area with axes inside a drawing of `width` by `height` units."""

    x: Axis
    y: Axis
    width: int = 480
    height: int = 320
    left: int = 60
    right: int = 22
    top: int = 34
    bottom: int = 44

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Drawing units of a point."""
        across = (x - self.x.low) / (self.x.high - self.x.low)
        up = (y - self.y.low) / (self.y.high - self.y.low)
        right, floor = self.width - self.right, self.height - self.bottom
        return self.left + across * (right - self.left), floor - up * (floor - self.top)

    def axes(self) -> list[Markup]:
        """Grid lines, tick labels and the axes' names."""
        drawn = []
        left, floor = self.at(self.x.low, self.y.low)
        right, top = self.at(self.x.high, self.y.high)
        for tick in nice_ticks(self.y.low, self.y.high) if self.y.write else ():
            _, y = self.at(self.x.low, tick)
            drawn.append(line([(left, y), (right, y)], GRID, width=1))
            drawn.append(
                label(left - 6, y + 4, self.y.write(tick), anchor="end") if self.y.write else Markup("")
            )
        for tick in nice_ticks(self.x.low, self.x.high) if self.x.write else ():
            x, _ = self.at(tick, self.y.low)
            drawn.append(label(x, floor + 16, self.x.write(tick)) if self.x.write else Markup(""))
        drawn.append(line([(left, floor), (right, floor)], MUTED, width=1))
        drawn.append(label((left + right) / 2, self.height - 8, self.x.name))
        middle = (top + floor) / 2
        drawn.append(label(14, middle, self.y.name, transform=f"rotate(-90 14 {middle:.1f})"))
        return drawn

    def curve(self, xs: Sequence[float], ys: Sequence[float], colour: str, **style: str | float) -> Markup:
        """A line through points given in the axes' units."""
        points = [self.at(x, y) for x, y in zip(xs, ys, strict=True)]
        return line(points, colour, width=float(style.get("width", 2)), dash=str(style.get("dash", "")))

    def bar(self, x_from: float, x_to: float, y: float, colour: str, **style: str | float) -> Markup:
        """A bar from the floor to `y`."""
        left, top = self.at(x_from, y)
        right, floor = self.at(x_to, self.y.low)
        return element(
            "rect",
            x=left,
            y=top,
            width=max(right - left, 0),
            height=max(floor - top, 0),
            fill=colour,
            **style,
        )


def _text(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def _width(words: str) -> float:
    return sum(FONT_SIZE if unicodedata.east_asian_width(c) in "WF" else FONT_SIZE * 0.56 for c in words)
