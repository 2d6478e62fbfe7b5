"""The drawing helpers: escaping, round ticks, places inside the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.report.svg import Axis, Frame, element, label, nice_ticks


def test_text_and_attributes_are_escaped() -> None:
    assert str(element("text", "a<b", fill='"red"')) == '<text fill="&#34;red&#34;">a&lt;b</text>'
    assert "a&amp;b" in str(label(1, 2, "a&b"))


def test_attribute_names_and_numbers_are_written_short() -> None:
    assert (
        str(element("rect", stroke_width=2.0, x=1.26, class_="k"))
        == '<rect stroke-width="2" x="1.3" class="k"></rect>'
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 0.07, [0, 0.02, 0.04, 0.06]), (380, 720, [400, 500, 600, 700])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(expected)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_inside_and_are_few(low: float, span: float) -> None:
    ticks = nice_ticks(low, low + span)
    assert len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


def test_corners_of_the_data_are_corners_of_the_frame() -> None:
    frame = Frame(Axis(2, 4, "x", str), Axis(0, 10, "y", str))
    assert frame.at(2, 0) == (frame.left, frame.height - frame.bottom)
    assert frame.at(4, 10) == (frame.width - frame.right, frame.top)
