"""Ids that a program took for numbers, and moments that a machine's own zone must not move."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saferoom.data import CategoryColumn, DatasetDescription, describe
from saferoom.data.catalogue import Registration, register
from saferoom.data.consent import load_consent
from saferoom.data.loading import read
from saferoom.errors import ConfigError

MakeDataset = Callable[..., DatasetDescription]


def of_ids(folder: Path, ids: Sequence[Any], kind: str = "opaque") -> Registration:
    pq.write_table(pa.table({"id": ids, "a": [float(n) for n in range(len(ids))]}), folder / "t.parquet")
    content = {"name": "t", "id": "id", "id_kind": kind, "source": "t.parquet"}
    return register(describe(content, folder), folder / "home")


def test_whole_numbers_are_read_without_their_point_and_said(tmp_path: Path) -> None:
    found = of_ids(tmp_path, [1001.0, 1002.0, 1003.0])
    assert (found.counts.clean, found.counts.untidy) == (3, 3)
    assert "3 ids are whole numbers written with a point" in found.warnings[0]
    assert read(found.description).table.ids.tolist() == [b"1001", b"1002", b"1003"]


def test_lost_digits_are_left_out_and_the_cause_is_named(tmp_path: Path) -> None:
    found = of_ids(tmp_path, [123456789012345678.0, 223456789012345678.0, 7.0])
    assert (found.counts.clean, found.counts.invalid) == (1, 2)
    assert "2 rows left out: id invalid; t.rejected.csv lists them" in found.warnings
    assert any("their last digits are lost" in warning for warning in found.warnings)
    with pytest.raises(ConfigError, match="their last digits are lost"):
        of_ids(tmp_path, ["9.15101E+17", "9.15101E+17"])


def test_a_spreadsheet_s_marks_are_taken_off_and_said(tmp_path: Path) -> None:
    found = of_ids(tmp_path, ["'00123", '="00124"', "00125"])
    assert read(found.description).table.ids.tolist() == [b"00123", b"00124", b"00125"]
    assert "2 ids stand in a spreadsheet's marks for text" in found.warnings[0]
    assert found.version == of_ids(tmp_path, ["00123", "00124", "00125"]).version


def test_zeros_at_the_end_of_all_long_ids_are_a_spreadsheet_s(tmp_path: Path) -> None:
    found = of_ids(tmp_path, [f"91510100000{n}001000" for n in range(4)])
    assert any("a spreadsheet has cut them" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        ("110108001234567", "15-digit registration numbers (注册号)"),
        ("12345678X", "9 characters, as organisation codes"),
        ("91350100M000100Y4", "16 or 17 characters instead of 18"),
        ("913501000001001.0", "whole numbers written with a point"),
    ],
)
def test_the_cause_of_invalid_codes_is_guessed(
    tmp_path: Path, make_codes: Callable[..., list[str]], bad: str, cause: str
) -> None:
    found = of_ids(tmp_path, [*make_codes(3), bad], "uscc")
    if "." not in bad:
        assert "1 rows left out: id invalid; t.rejected.csv lists them" in found.warnings
        assert any(cause in warning for warning in found.warnings)
    assert bad not in found.model_dump_json()


@pytest.mark.parametrize("kind", ["opaque", "uscc"])
def test_an_id_that_is_no_number_is_missing(
    tmp_path: Path, make_codes: Callable[..., list[str]], kind: str
) -> None:
    known = make_codes(2) if kind == "uscc" else ["a", "b"]
    found = of_ids(tmp_path, [*known, "nan", " NaN ", None], kind)
    assert (found.counts.clean, found.counts.missing, found.counts.invalid) == (2, 3, 0)


def test_an_id_of_a_floating_point_column_that_is_no_number_is_missing(tmp_path: Path) -> None:
    found = of_ids(tmp_path, [1001.0, float("nan"), 1003.0])
    assert (found.counts.clean, found.counts.missing) == (2, 1)
    assert read(found.description).table.ids.tolist() == [b"1001", b"1003"]


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("True", [b"1", b"007", b"7", b"2024-01-05", b"-1"]),
        ("7", [b"1", b"True", b"007", b"2024-01-05", b"-1"]),
        ("2024-01-05T00:00", [b"1", b"True", b"007", b"7", b"2024-01-05", b"-1"]),
        (" －１ ", [b"1", b"True", b"007", b"7", b"2024-01-05"]),
    ],
)
def test_a_word_for_a_gap_takes_no_other_id(tmp_path: Path, word: str, kept: list[bytes]) -> None:
    ids = ["1", "True", "007", "7", "2024-01-05", "-1"]
    pq.write_table(pa.table({"id": ids, "a": [*range(6)]}), tmp_path / "t.parquet")
    content = {
        "name": "t",
        "id": "id",
        "id_kind": "opaque",
        "source": {"kind": "parquet", "path": "t.parquet", "missing": [word]},
    }
    found = register(describe(content, tmp_path), tmp_path / "home")
    assert read(found.description).table.ids.tolist() == kept


def test_a_word_for_a_gap_is_one_in_a_floating_point_column_of_ids_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1001.0, -1.0, 1003.0], "a": [1, 2, 3]}), tmp_path / "t.parquet")
    content = {
        "name": "t",
        "id": "id",
        "id_kind": "opaque",
        "source": {"kind": "parquet", "path": "t.parquet", "missing": ["-1"]},
    }
    found = register(describe(content, tmp_path), tmp_path / "home")
    assert read(found.description).table.ids.tolist() == [b"1001", b"1003"]


ZONES = ("UTC", "Asia/Shanghai", "America/New_York")


@pytest.fixture(params=ZONES)
def machine_s_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_the_machine_s_zone_changes_nothing(tmp_path: Path, machine_s_zone: str) -> None:
    """16:30 UTC is half past midnight of the next day in China."""
    at = pa.array([datetime(2024, 1, 1, 16, 30, tzinfo=UTC)], pa.timestamp("ms", tz="UTC"))
    pq.write_table(pa.table({"id": ["a"], "at": at}), tmp_path / "t.parquet")
    consent = {"id": ["a"], "purpose": ["p"], "valid_from": at, "valid_to": [""], "document_hash": ["h"]}
    pq.write_table(pa.table(consent), tmp_path / "c.parquet")
    content = {"name": "t", "id": "id", "id_kind": "opaque", "source": "t.parquet"}
    content |= {"consent": {"source": "c.parquet"}}  # type: ignore[dict-item]
    found = {}
    for zone in ("+08:00", "UTC"):
        dataset = describe({**content, "time_zone": zone}, tmp_path)
        reading = read(dataset)
        column = reading.table.columns["at"]
        assert isinstance(column, CategoryColumn)
        found[zone] = (column.levels, str(load_consent(dataset).first_day[0]), reading.version)
    assert found["+08:00"][:2] == (("2024-01-02 00:30:00",), "2024-01-02")
    assert found["UTC"][:2] == (("2024-01-01 16:30:00",), "2024-01-01")
    text = "id,at\na,2024-01-02 00:30:00\n"
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    written = read(describe({"name": "t", "id": "id", "id_kind": "opaque", "source": "t.csv"}, tmp_path))
    assert written.version == found["+08:00"][2]
    assert machine_s_zone in ZONES


def test_the_zone_is_the_data_set_s_or_else_the_node_s(tmp_path: Path) -> None:
    content = {"name": "t", "id": "id", "id_kind": "opaque", "source": "t.csv"}
    assert describe(content, tmp_path).time_zone == "+08:00"
    assert describe(content, tmp_path, zone="UTC").time_zone == "UTC"
    assert describe({**content, "time_zone": "Asia/Tokyo"}, tmp_path, zone="UTC").time_zone == "Asia/Tokyo"
    with pytest.raises(ConfigError, match="time_zone"):
        describe({**content, "time_zone": "Moon"}, tmp_path)
