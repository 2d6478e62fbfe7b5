"""Weights of rows: read with the label, checked, part of the version, and never a feature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saferoom.data import DatasetDescription, load, register
from saferoom.data.loading import read
from saferoom.errors import ConfigError

MakeDataset = Callable[..., DatasetDescription]
TEXT = "id,y,w,a\n1,0,0.5,7\n2,1,64,8\n3,0,1e-3,9\n"


def test_weights_stand_beside_the_label(make_dataset: MakeDataset) -> None:
    table = load(make_dataset(TEXT, label="y", weight="w"))
    assert list(table.columns) == ["a"]
    assert table.weight is not None
    assert table.weight.dtype == np.float64
    assert table.weight.tolist() == [0.5, 64.0, 0.001]
    taken = table.take(np.array([2, 0])).weight
    assert taken is not None
    assert taken.tolist() == [0.001, 0.5]
    assert table.select(["a"]).weight is table.weight


def test_without_the_key_a_weight_is_a_column_like_any(make_dataset: MakeDataset) -> None:
    table = load(make_dataset(TEXT, label="y"))
    assert table.weight is None
    assert table.take(np.array([0])).weight is None
    assert list(table.columns) == ["w", "a"]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("", "is empty in 1 rows, first in row 3"),
        ("nan", "is empty in 1 rows, first in row 3"),
        ("0", "is not above 0 in 1 rows, first in row 3"),
        ("-4711", "is not above 0 in 1 rows, first in row 3"),
        ("64.4711", "is above 64 in 1 rows, first in row 3"),
        ("inf", "holds an infinite number, first in row 3"),
        ("x4711", "should be numeric, but row 3 holds something else"),
    ],
)
def test_a_weight_that_cannot_be_one_is_refused(make_dataset: MakeDataset, wrong: str, what: str) -> None:
    dataset = make_dataset(TEXT.replace("1e-3", wrong), label="y", weight="w")
    with pytest.raises(ConfigError) as caught:
        load(dataset)
    assert what in caught.value.message
    assert "'w'" in caught.value.message
    assert caught.value.party == "bank"
    assert caught.value.remedy
    assert "4711" not in str(caught.value)


def test_a_weight_column_that_is_not_there(make_dataset: MakeDataset) -> None:
    with pytest.raises(ConfigError, match="no column 'v'"):
        load(make_dataset(TEXT, label="y", weight="v"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"weight": "w"}, "goes with a label"),
        ({"label": "y", "weight": "y"}, "named twice: y"),
        ({"label": "y", "weight": "w", "columns": ["w", "a"]}, "named twice: w"),
    ],
)
def test_a_description_gives_each_column_one_place(
    make_dataset: MakeDataset, keys: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        make_dataset(TEXT, **keys)


def test_weights_are_part_of_the_version(make_dataset: MakeDataset) -> None:
    weighted = read(make_dataset(TEXT, label="y", weight="w", columns=["a"])).version
    assert read(make_dataset(TEXT, label="y", columns=["a"])).version != weighted
    changed = TEXT.replace("0.5", "0.25")
    assert read(make_dataset(changed, label="y", weight="w", columns=["a"])).version != weighted


def test_rows_that_differ_in_their_weight_conflict(make_dataset: MakeDataset) -> None:
    reading = read(make_dataset(TEXT + "3,0,2,9\n1,0,0.5,7\n", label="y", weight="w"))
    assert [i.decode() for i in reading.table.ids] == ["1", "2"]
    assert (reading.counts.conflicting, reading.counts.repeated) == (2, 1)
    assert reading.table.weight is not None
    assert reading.table.weight.tolist() == [0.5, 64.0]


def test_equal_weights_are_warned_of(make_dataset: MakeDataset, tmp_path: Path) -> None:
    same = make_dataset("id,y,w\n1,0,2\n2,1,2\n", label="y", weight="w")
    assert any("'w' is the same in every row" in text for text in register(same, tmp_path / "h").warnings)
    other = register(make_dataset(TEXT, label="y", weight="w"), tmp_path / "h")
    assert not any("weight" in text for text in other.warnings)
