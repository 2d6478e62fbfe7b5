"""The section on data quality: every row accounted for, every left-out column with its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from saferoom.data.preparation import Preparation
from saferoom.data.table import NumericColumn, PartyTable
from saferoom.report.content import DataQuality, PartyFacts, ReportData
from saferoom.report.data_quality import COLUMNS_SHOWN, column_lines, other_lines, row_lines
from saferoom.report.reason_texts import bin_name, reason
from saferoom.report.render import render_report
from tests.report_folder import drawn, report_of
from tests.unit.report.page_text import text_of

IDS = {"missing": 4, "invalid": 1, "conflicting": 0, "repeated": 3}
QUALITY = DataQuality("bank", rows=1000, aligned=900, ids=IDS, without_consent=20)


def test_rows_add_up_from_what_was_read_to_what_all_parties_hold() -> None:
    lines = {line.key: line.rows for line in row_lines(QUALITY)}
    assert lines == {
        "rows_read": 1028,
        "ids_missing": 4,
        "ids_invalid": 1,
        "ids_repeated": 3,
        "rows_valid": 1020,
        "rows_without_consent": 20,
        "rows_consented": 1000,
        "rows_in_common": 900,
    }
    assert [line.share for line in row_lines(QUALITY)][-1] == 0.9


def test_without_consents_nothing_is_said_of_them() -> None:
    keys = [line.key for line in row_lines(DataQuality("bank", rows=10, aligned=0))]
    assert keys == ["rows_read", "rows_valid", "rows_in_common"]


def test_columns_that_are_left_out_come_first_then_those_with_most_gaps() -> None:
    quality = DataQuality(
        "bank",
        rows=10,
        aligned=10,
        gaps={"a": 0.0, "b": 0.5, "c": 0.0},
        dropped={"c": "its coefficient has the wrong sign"},
    )
    assert [line.name for line in column_lines(quality, "en")] == ["c", "b", "a"]
    assert column_lines(quality, "zh")[0].why == "系数符号相反"


def test_of_others_only_what_this_party_knows() -> None:
    parties = [PartyFacts("bank", "label_holder", columns=3), PartyFacts("tax", "feature_holder", columns=5)]
    (line,) = other_lines(DataQuality("bank", rows=1, aligned=1), parties)
    assert (line.party, line.in_contract, line.in_model, line.vif) == ("tax", 5, None, ())
    known = DataQuality("bank", rows=1, aligned=1, columns_in_model={"bank": 3, "tax": 4})
    assert other_lines(known, parties)[0].in_model == 4


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_shows_what_quality_json_and_the_contract_hold(tmp_path: Path, lang: str) -> None:
    y, pd, alone = drawn(400, shift=-1.0)
    text = text_of(render_report(report_of(tmp_path, y, pd, alone, trained_on=200), lang))
    for shown in ("2024-12-31", "90 days past due within a year", "1,028", "−4", "−20", "90.0%", "12.5%"):
        assert shown in text
    assert "1.50, 2.50" in text
    left_out = {
        "zh": ("copy––否：与列“age”重复", "否：训练行中取值不变"),
        "en": ("copy––no: it repeats column 'age'", "no: constant in the training rows"),
    }
    assert all(words in text for words in left_out[lang])


def test_what_nobody_stated_is_said() -> None:
    page = render_report(ReportData(title="t", quality=DataQuality("bank", rows=10, aligned=9)), "en")
    assert "not stated (as_of: of the data set)" in page
    assert "The contract asks for no consents." in page


def test_many_columns_are_cut_but_for_those_left_out() -> None:
    gaps = {f"c{place}": 0.0 for place in range(COLUMNS_SHOWN + 30)}
    quality = DataQuality(
        "bank", rows=10, aligned=9, gaps=gaps, dropped={"c80": "constant in the training rows"}
    )
    text = text_of(render_report(ReportData(title="t", quality=quality), "en"))
    assert "c80" in text
    assert "30 more columns are in the model" in text


def test_every_reason_of_a_preparation_has_its_chinese() -> None:
    rows = 60
    columns = {
        "gone": NumericColumn(np.full(rows, np.nan)),
        "same": NumericColumn(np.ones(rows)),
        "gaps": NumericColumn(np.where(np.arange(rows) % 2, 1.0, np.nan)),
    }
    table = PartyTable(ids=np.array([b"x"] * rows), columns=columns)
    dropped = Preparation.fit(table).dropped
    assert set(dropped) == {"gone", "same", "gaps"}
    for why in dropped.values():
        assert reason(why, "zh") != why == reason(why, "en")


@pytest.mark.parametrize(
    "why",
    [
        "apart from one value, or group of values, it has fewer than 50 training rows",
        "its variance inflation factor is above the contract's max_vif",
        "its information value is below the contract's minimum",
        "no two bins with enough training rows or defaults are left",
    ],
)
def test_reasons_of_scorecards_have_their_chinese(why: str) -> None:
    assert not any(letter in reason(why, "zh").replace("max_vif", "") for letter in "abcdefghi")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("missing", "缺失"),
        ("(3, inf) or missing", "(3, inf)或缺失"),
        ("special -99 or special 96 or missing", "特殊值 -99或特殊值 96或缺失"),
        ("retail or other", "retail或其他"),
        ("'missing' or other causes", "'missing' or other causes"),
    ],
)
def test_special_bins_have_their_chinese(english: str, chinese: str) -> None:
    assert bin_name(english, "zh") == chinese
    assert bin_name(english, "en") == english


def test_a_reason_of_a_newer_version_is_shown_as_it_stands() -> None:
    assert reason("something new", "zh") == "something new"
