"""Charts that can be read: a line for each name, intervals over bars."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from saferoom.report.charts import GRADE_COLOURS, MOST_BARS, grade_chart, iv_chart
from saferoom.report.content import CardBin, CardFeature
from saferoom.report.texts import words
from saferoom.scoring.grade_table import grade_table
from saferoom.scoring.grade_tests import judge
from saferoom.scoring.standard import standard_scheme

SAY = words("en").__getitem__


def features(count: int) -> list[CardFeature]:
    bins = (CardBin("a", 1.0, 0.05, 0.0, 0),)
    return [
        CardFeature(f"a_rather_long_name_of_column_{place}", 0.01 * place, -1.0, None, bins)
        for place in range(count)
    ]


@pytest.mark.parametrize("count", [1, 22, 60])
def test_every_column_has_its_label_at_a_height_of_its_own(count: int) -> None:
    drawing = ElementTree.fromstring(str(iv_chart(features(count), SAY)))
    names = [
        text for text in drawing.iter() if text.tag.endswith("text") and text.get("text-anchor") == "end"
    ]
    heights = sorted(float(text.get("y", "")) for text in names)
    assert len(names) == count
    assert all(after - before >= 14 for before, after in pairwise(heights))
    bottom = float(drawing.get("viewBox", "").split()[3])
    assert all(0 < height < bottom for height in heights)


def test_the_highest_information_value_comes_first_and_far_too_many_are_cut() -> None:
    drawing = str(iv_chart(features(MOST_BARS + 5), SAY))
    values = [float(value) for value in re.findall(r">(\d\.\d{3})</text>", drawing)]
    assert values == sorted(values, reverse=True)
    assert len(values) == MOST_BARS


def test_grades_have_their_interval_over_the_bar_and_the_promise_behind_it() -> None:
    scheme = standard_scheme()
    table = grade_table(scheme.names, np.repeat([1, 2, 3], 100), None, np.tile([0, 0, 0, 1], 75))
    plain = judge(scheme, table).to_plain(table)["grades"]
    drawing = str(grade_chart(table, {one["name"]: one for one in plain}, SAY))
    assert drawing.count('fill-opacity="0.2"') == 4  # promises, of the empty grade too
    assert drawing.count('stroke="#1f2933"') == 3 * 3
    assert ">none</text>" in drawing
    assert drawing.count("25.0%") == 3
    bare = str(grade_chart(table, {}, SAY))
    assert 'stroke="#1f2933"' not in bare


def test_no_grade_is_green() -> None:
    for colour in GRADE_COLOURS:
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        assert green <= max(red, blue)
