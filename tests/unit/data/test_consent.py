"""The consent filter: purposes, days, untidy codes, and rows that are no consent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from saferoom.data import DatasetDescription, PartyTable, keep_consented, load, load_consent
from saferoom.data.consent import ConsentCounts
from saferoom.errors import ConfigError

MakeDataset = Callable[..., DatasetDescription]
HEADER = "id,purpose,valid_from,valid_to,document_hash\n"


def consented(
    make_dataset: MakeDataset, folder: Path, rows: str, on: date, purpose: str = "credit"
) -> tuple[list[str], ConsentCounts]:
    (folder / "consent.csv").write_text(HEADER + rows, encoding="utf-8")
    dataset = make_dataset("id,a\n1,1\n2,2\n3,3\n", consent={"source": "consent.csv"})
    table, counts = keep_consented(load(dataset), load_consent(dataset), purpose, on)
    return [i.decode() for i in table.ids], counts


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_without_a_zone_are_days_of_the_data_set_s(
    make_dataset: MakeDataset, tmp_path: Path, unit: str
) -> None:
    first = pa.array([datetime(2024, 1, 1, 23, 30)], pa.timestamp(unit))
    last = pa.array([None], pa.timestamp(unit))
    columns = {"id": ["1"], "purpose": ["credit"], "valid_from": first, "valid_to": last}
    pq.write_table(pa.table({**columns, "document_hash": ["h"]}), tmp_path / "consent.parquet")
    book = load_consent(make_dataset("id,a\n1,1\n", consent={"source": "consent.parquet"}))
    assert (str(book.first_day[0]), str(book.last_day[0]), book.unusable) == ("2024-01-01", "NaT", 0)


@pytest.mark.parametrize(
    ("on", "kept"),
    [
        (date(2023, 12, 31), []),
        (date(2024, 1, 1), ["1"]),
        (date(2024, 6, 30), ["1", "3"]),
        (date(2024, 12, 31), ["1", "3"]),
        (date(2025, 1, 1), ["3"]),
    ],
)
def test_first_and_last_day_count_and_no_last_day_is_open(
    make_dataset: MakeDataset, tmp_path: Path, on: date, kept: list[str]
) -> None:
    rows = "1,credit,2024-01-01,2024-12-31,ab\n3,credit,2024-02-01,,cd\n2,marketing,2020-01-01,,ef\n"
    ids, counts = consented(make_dataset, tmp_path, rows, on)
    assert ids == kept
    assert counts == ConsentCounts(3, len(kept), without=1, expired_or_early=2 - len(kept), unusable=0)


def test_one_of_several_consents_suffices(make_dataset: MakeDataset, tmp_path: Path) -> None:
    rows = "1,credit,2020-01-01,2020-12-31,ab\n1,credit,2024-01-01,2024-12-31,ab\n"
    assert consented(make_dataset, tmp_path, rows, date(2024, 5, 5))[0] == ["1"]
    assert consented(make_dataset, tmp_path, rows, date(2022, 5, 5))[0] == []


@pytest.mark.parametrize(
    "row",
    [
        ",credit,2024-01-01,,ab",
        "1,,2024-01-01,,ab",
        "1,credit,,,ab",
        "1,credit,2024-01-01,,",
        "1,credit,soon,,ab",
        "1,credit,2024-01-01,never,ab",
        "1,credit,2024-13-01,,ab",
        "1,credit,2024-01-01,2023-01-01,ab",
    ],
)
def test_incomplete_or_unreadable_rows_are_no_consent(
    make_dataset: MakeDataset, tmp_path: Path, row: str
) -> None:
    ids, counts = consented(make_dataset, tmp_path, row + "\n", date(2024, 5, 5))
    assert ids == []
    assert counts == ConsentCounts(3, 0, without=3, expired_or_early=0, unusable=1)


def test_codes_of_both_tables_are_normalised(
    make_dataset: MakeDataset, tmp_path: Path, make_codes: Callable[..., list[str]]
) -> None:
    code, other = make_codes(2)
    rows = f" {code.lower()} ,credit,2024-01-01,,ab\n"
    (tmp_path / "consent.csv").write_text(HEADER.replace("id", "USCC", 1) + rows, encoding="utf-8")
    consent = {"source": "consent.csv", "id": "USCC"}
    dataset = make_dataset(f"id,a\n{code},1\n{other},2\n", id_kind="uscc", consent=consent)
    table: PartyTable = keep_consented(load(dataset), load_consent(dataset), "credit", date(2024, 5, 5))[0]
    assert [i.decode() for i in table.ids] == [code]


def test_no_consent_table_is_a_clear_refusal(make_dataset: MakeDataset) -> None:
    with pytest.raises(ConfigError, match="no consent table is described"):
        load_consent(make_dataset("id,a\n1,2\n"))


def test_a_consent_table_without_its_columns_is_refused(make_dataset: MakeDataset, tmp_path: Path) -> None:
    (tmp_path / "consent.csv").write_text("id,purpose\n1,credit\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="'valid_from', 'valid_to', 'document_hash'"):
        load_consent(make_dataset("id,a\n1,2\n", consent={"source": "consent.csv"}))


def test_an_empty_consent_table_leaves_nobody(make_dataset: MakeDataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rows"):
        consented(make_dataset, tmp_path, "", date(2024, 5, 5))
