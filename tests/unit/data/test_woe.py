"""WOE columns of a table: fitted on counts, kept to the last bit, defined for values never seen."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from saferoom.data.table import CategoryColumn, NumericColumn, PartyTable
from saferoom.data.woe import PreBinned, PreBinSettings, WoePreparation, assign, repeated
from saferoom.errors import ConfigError, StorageError
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.woe import BinCounts

Array = np.ndarray[Any, Any]
ROWS = 3000


def table(seed: int = 0) -> tuple[PartyTable, Array]:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=ROWS)
    number = np.round(hidden + rng.normal(size=ROWS) / 2, 3)
    number[rng.random(ROWS) < 0.1] = np.nan
    coded = np.where(rng.random(ROWS) < 0.2, -99.0, hidden)
    levels = ("east", "north", "west")
    region = np.digitize(hidden, [-0.5, 0.7]).astype(np.int32)
    y = (rng.random(ROWS) < 1 / (1 + np.exp(1 + 1.5 * hidden))).astype(float)
    columns = {
        "number": NumericColumn(number),
        "coded": NumericColumn(coded),
        "flat": NumericColumn(np.ones(ROWS)),
        "region": CategoryColumn(region, levels),
    }
    return PartyTable(np.arange(ROWS).astype("S18"), columns), y


def fitted(rows: PartyTable, y: Array, **changes: Any) -> WoePreparation:
    pre = PreBinned.fit(rows, PreBinSettings(specials={"coded": (-99.0,)}, **changes))
    counted = []
    for name, bins in pre.bins.items():
        codes = assign(name, bins, rows.column(name))
        events = np.bincount(codes, y, bins.size).astype(np.int64)
        counted.append((np.arange(bins.size), BinCounts(np.bincount(codes, minlength=bins.size), events)))
    return WoePreparation.fit(pre, counted, MergeSettings(minimum_rows=150, minimum_events=10))


def test_every_row_gets_the_woe_of_its_bin() -> None:
    rows, y = table()
    found = fitted(rows, y)
    assert found.column_names == ("number", "coded", "region")
    assert found.dropped == {"flat": "all training rows hold one and the same value"}
    out, codes = found.transform(rows), found.codes(rows)
    for place, column in enumerate(found.columns):
        for number in range(column.bins.size):
            mine = codes[:, place] == number
            goods, bads = (y[mine] == 0).sum() / (y == 0).sum(), y[mine].sum() / y.sum()
            assert out[mine, place] == pytest.approx(np.log(goods / bads))
            assert column.counts.rows[number] == mine.sum() >= 100
    assert all(np.corrcoef(out[:, place], y)[0, 1] < 0 for place in range(3))


def test_gaps_and_special_codes_have_bins_of_their_own() -> None:
    rows, y = table()
    found = fitted(rows, y)
    number, coded, _ = found.columns
    assert number.bins.names()[-1] == "missing"
    assert coded.bins.names()[-1] == "special -99 or missing" or "special -99" in coded.bins.names()
    gaps = np.isnan(rows.numeric("number"))
    assert set(found.codes(rows)[gaps, 0].tolist()) == {number.bins.size - 1}


def test_values_never_seen_have_a_bin() -> None:
    rows, y = table()
    found = fitted(rows, y)
    strange = PartyTable(
        np.array([b"x", b"y"]),
        {
            "number": NumericColumn(np.array([1e300, -np.inf])),
            "coded": NumericColumn(np.array([np.nan, 4.0])),
            "region": CategoryColumn(np.array([0, -1], dtype=np.int32), ("moon",)),
        },
    )
    assert np.isfinite(found.transform(strange)).all()


def test_it_survives_json_to_the_last_bit() -> None:
    rows, y = table()
    found = fitted(rows, y)
    again = WoePreparation.from_dict(json.loads(json.dumps(found.to_dict())))
    assert np.array_equal(again.transform(rows), found.transform(rows))
    assert (again.types, again.dropped) == (found.types, found.dropped)
    with pytest.raises(StorageError):
        WoePreparation.from_dict({**found.to_dict(), "format": "other"})


def test_a_column_of_another_type_is_refused_by_name() -> None:
    rows, y = table()
    found = fitted(rows, y)
    wrong = PartyTable(rows.ids, {**rows.columns, "region": NumericColumn(np.zeros(ROWS))})
    with pytest.raises(ConfigError, match="'region' is not categorical"):
        found.transform(wrong)


def test_columns_can_be_left_out_with_a_reason() -> None:
    rows, y = table()
    fewer = fitted(rows, y).without({"coded": "weak"})
    assert fewer.column_names == ("number", "region")
    assert fewer.dropped["coded"] == "weak"
    assert fewer.transform(rows).shape == (ROWS, 2)


def test_with_labels_numbers_are_cut_by_a_tree() -> None:
    rows, y = table()
    settings = PreBinSettings()
    by_tree, by_quantile = PreBinned.fit(rows, settings, y), PreBinned.fit(rows, settings)
    assert by_tree.bins["number"] != by_quantile.bins["number"]
    assert by_tree.bins["region"] == by_quantile.bins["region"]


def test_columns_that_repeat_another_are_found_and_named() -> None:
    """Before they are counted: differences of two such columns tell of few rows. And by WOE after that."""
    rows, y = table()
    number = rows.numeric("number")
    near = np.where(np.arange(ROWS) % 300 == 0, 5.0, number * 2 + 1)
    down = np.where(np.isnan(number), np.nan, -(number**3))
    more = {"copy": NumericColumn(near), "upside_down": NumericColumn(down), "other": NumericColumn(near**2)}
    wide = PartyTable(rows.ids, {**rows.columns, **more})
    pre = PreBinned.fit(wide, PreBinSettings()).without_repeated(wide)
    assert pre.dropped["copy"] == "it repeats column 'number'"
    assert pre.dropped["upside_down"] == "it repeats column 'number'"
    assert {"number", "coded", "region", "other"} <= set(pre.bins)
    found = fitted(wide, y)
    assert repeated(found, wide)["upside_down"] == "it repeats column 'number'"
    assert not {"coded", "region", "other"} & set(repeated(found, wide))


def test_why_a_column_has_no_bins_is_said_truly() -> None:
    values = np.r_[np.zeros(ROWS - 10), np.ones(10)]
    rows = PartyTable(
        np.arange(ROWS).astype("S18"),
        {
            "few": NumericColumn(values),
            "empty": NumericColumn(np.full(ROWS, np.nan)),
            "codes": NumericColumn(np.where(np.arange(ROWS) % 2, -1.0, -2.0)),
        },
    )
    pre = PreBinned.fit(rows, PreBinSettings(specials={"codes": (-1.0, -2.0)}))
    assert set(pre.bins) == {"codes"}
    assert pre.dropped == {
        "few": "apart from one value, or group of values, it has fewer than 50 training rows",
        "empty": "all training rows hold one and the same value",
    }
