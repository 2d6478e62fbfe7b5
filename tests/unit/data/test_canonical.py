"""One canonical text a value, and what usual writings say where a type is named."""

from __future__ import annotations

from datetime import UTC, date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.data.canonical import canonical, tidy
from saferoom.data.usual import days_of, usual_boolean, usual_moment, usual_number, writings
from saferoom.data.zone import time_zone, today_in
from tests.property import examples

CHINA = time_zone("+08:00")


@pytest.mark.parametrize(
    ("writings_of_it", "text"),
    [
        (["1", "1.0", "1.00", "1.", " 1 ", "１", "1e+00", "true", "True", "TRUE"], "1"),
        (["0", "-0", "0.0", "-0.0", "false", "False"], "0"),
        (["0.5", ".5", "0.50", "5e-01"], "0.5"),
        (["0.00001", "1e-05", "1.0E-05"], "0.00001"),
        (["915101000000000000", "9.15101E+17"], "915101000000000000"),
        (["2024-01-02", "2024-01-02 00:00:00", "2024-01-02T00:00", "2024-01-01T16:00:00Z"], "2024-01-02"),
        (["2024-01-02 08:30:00", "2024-01-02 00:30:00+00", "2024-01-02T08:30+08:00"], "2024-01-02 08:30:00"),
        (["2024-01-02 08:30:00.12", "2024-01-02 08:30:00.120000"], "2024-01-02 08:30:00.12"),
        (["(一)", "（一）", " （一） ", "\ufeff(一)", "\u3000(一)\u00a0"], "(一)"),
        (["a\nb", "a\r\nb"], "a\nb"),
        (["", " ", "nan", "NaN", "\u3000"], ""),
    ],
)
def test_all_writings_of_a_value_have_one_text(writings_of_it: list[str], text: str) -> None:
    assert {canonical(each, CHINA) for each in writings_of_it} == {text}


@pytest.mark.parametrize("code", ["007", "1E5", "12e3", "+5", "1_000", "0x1F", "2024-13-01", "Nan", "1.2.3"])
def test_codes_stay_as_they_stand(code: str) -> None:
    assert canonical(code, CHINA) == code


@given(st.text(max_size=20) | st.floats().map(repr) | st.datetimes().map(str))
@examples(300)
def test_the_canonical_text_of_a_canonical_text_is_itself(text: str) -> None:
    once = canonical(text, CHINA)
    assert canonical(once, CHINA) == once
    assert tidy(once) == once


@given(st.floats(allow_nan=False, allow_infinity=False))
@examples(200)
def test_no_number_loses_a_bit(number: float) -> None:
    assert float(canonical(repr(number), UTC)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.5", 1234.5),
        ("12,345,678", 12345678.0),
        ("12 %", 0.12),
        ("３.２‰", 0.0032),
        ("￥1,200", 1200.0),
        ("¥-5", -5.0),
        ("1200元", 1200.0),
        ("RMB 3.5万", 35000.0),
        ("2亿", 2e8),
        ("(450)", -450.0),
        ("−5", -5.0),
        ("1e5", 1e5),
        ("TRUE", 1.0),
    ],
)
def test_usual_writings_of_numbers(text: str, number: float) -> None:
    assert usual_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "1,5",
        "0,001",
        "012,345",
        "00,100.5",
        "1,23,456",
        "1.234,5",
        "$5",
        "5%元",
        "1 234",
        "N/A",
        "",
        "--5",
        "5万%",
    ],
)
def test_what_may_mean_two_numbers_means_none(text: str) -> None:
    assert usual_number(text) is None


def test_writings_are_named() -> None:
    assert list(writings("￥１,200")) == ["full-width characters", "thousand separators", "yuan"]
    assert list(writings("-3.5e2")) == []


@pytest.mark.parametrize(
    "text",
    ["2024-01-05", "2024/1/5", "2024.1.5", "2024年1月5日", "20240105", "２０２４-1-5", "2024-01-04T16:00Z"],
)
def test_usual_writings_of_dates(text: str) -> None:
    moment = usual_moment(text, CHINA)
    assert moment == "2024-01-05"
    assert days_of(moment) == float((date(2024, 1, 5) - date(1970, 1, 1)).days)


@pytest.mark.parametrize("text", ["05/01/2024", "5.1.24", "2024-02-30", "20241305", "soon"])
def test_what_may_mean_two_days_means_none(text: str) -> None:
    assert usual_moment(text, CHINA) is None


def test_a_moment_keeps_its_share_of_the_day() -> None:
    assert days_of(str(usual_moment("2024年1月5日 18:00", CHINA))) == 19727.75


def test_yes_and_no() -> None:
    yes = [usual_boolean(text, CHINA) for text in ("是", "Yes", "Y", "TRUE", "1.0", "有")]
    no = [usual_boolean(text, CHINA) for text in ("否", "no", "N", "false", "0", "无")]
    np.testing.assert_array_equal(yes + no, [1.0] * 6 + [0.0] * 6)
    assert usual_boolean("maybe", CHINA) is None


def test_zones_are_named_by_offset_or_place() -> None:
    for name in ("+08:00", "UTC", "Asia/Shanghai", "-05:30"):
        assert today_in(name)
    for wrong in ("+8", "+25:00", "Mars/Olympus", "", "+08:75"):
        with pytest.raises(ValueError, match="no known time zone"):
            time_zone(wrong)
