"""Preparation against a plain rewriting of the published baseline design, and its traps."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.data import CategoryColumn, NumericColumn, PartyTable, Preparation, PreparationSettings
from saferoom.data.preparation import MISSING
from saferoom.errors import ConfigError, StorageError

Plain = dict[str, list[float] | list[str | None]]


def baseline_design(train: Plain, rows: Plain) -> np.ndarray:
    """Row by row what the baselines do, with lists and numpy only."""
    out: list[np.ndarray] = []
    for name, fitted in train.items():
        given_rows = rows[name]
        if any(isinstance(v, str) or v is None for v in fitted):
            known, asked = (["(missing)" if v is None else v for v in side] for side in (fitted, given_rows))
            out += [np.array([float(v == level) for v in asked]) for level in sorted(set(known))]
            continue
        a, b = np.array(fitted, dtype=float), np.array(given_rows, dtype=float)
        low, high = np.quantile(a[~np.isnan(a)], [0.005, 0.995])
        centre = np.clip(np.median(a[~np.isnan(a)]), low, high)
        gap_a, gap_b = np.isnan(a), np.isnan(b)
        a, b = (np.where(np.isnan(x), centre, np.clip(x, low, high)) for x in (a, b))
        if a.std() > 0:
            out.append((b - a.mean()) / a.std())
        if gap_a.any():
            out.append(gap_b.astype(float))
    return np.column_stack(out) if out else np.empty((len(next(iter(rows.values()))), 0))


def table_of(columns: Plain) -> PartyTable:
    built: dict[str, NumericColumn | CategoryColumn] = {}
    for name, values in columns.items():
        if all(isinstance(v, float) for v in values):
            built[name] = NumericColumn(np.array(values, dtype=float))
        else:
            levels = tuple(sorted({str(v) for v in values if v is not None}))
            codes = [-1 if v is None else levels.index(str(v)) for v in values]
            built[name] = CategoryColumn(np.array(codes, dtype=np.int32), levels)
    count = len(next(iter(columns.values())))
    return PartyTable(np.array([str(i) for i in range(count)], dtype="S8"), built)


def numbers(*values: float) -> PartyTable:
    return table_of({"a": [float(v) for v in values]})


def random_columns(count: int, seed: int) -> Plain:
    random = np.random.default_rng(seed)
    gaps = np.where(random.random(count) < 0.1, np.nan, random.lognormal(size=count))
    trades = random.choice(["food", "steel", "tea", "零售"], count)
    return {
        "heavy": random.standard_cauchy(count).tolist(),
        "gaps": gaps.tolist(),
        "codes": random.integers(0, 4, count).astype(float).tolist(),
        "trade": [None if random.random() < 0.05 else str(t) for t in trades],
        "big": (1e9 + random.normal(size=count)).tolist(),
    }


def test_it_is_the_baseline_design_on_train_and_new_rows() -> None:
    train, fresh = random_columns(3000, 1), random_columns(500, 2)
    preparation = Preparation.fit(table_of(train))
    for rows in (train, fresh):
        matrix = preparation.transform(table_of(rows))
        np.testing.assert_allclose(matrix, baseline_design(train, rows), rtol=0, atol=1e-12)
    assert preparation.column_names == (
        "heavy",
        "gaps",
        "gaps is missing",
        "codes",
        "trade=(missing)",
        "trade=food",
        "trade=steel",
        "trade=tea",
        "trade=零售",
        "big",
    )
    assert preparation.origins == ("heavy", "gaps", "gaps", "codes", *["trade"] * 5, "big")


@given(st.lists(st.one_of(st.just(float("nan")), st.integers(-50, 50).map(float)), min_size=2, max_size=60))
def test_any_column_of_small_numbers_is_as_the_baseline(values: list[float]) -> None:
    if all(np.isnan(values)):
        return
    matrix = Preparation.fit(table_of({"a": values})).transform(table_of({"a": values}))
    np.testing.assert_allclose(matrix, baseline_design({"a": values}, {"a": values}), rtol=0, atol=1e-12)


def test_only_training_rows_are_learnt_from() -> None:
    table = numbers(1, 2, 3, 4, 1000, np.nan)
    mask = np.array([True, True, True, True, False, False])
    by_mask = Preparation.fit(table, mask)
    assert by_mask == Preparation.fit(table.take(mask))
    assert by_mask == Preparation.fit(table, np.array([0, 1, 2, 3]))
    assert by_mask.column_names == ("a",)


def test_json_and_back_gives_the_same_bits() -> None:
    table = table_of(random_columns(1000, 3))
    fitted = Preparation.fit(table)
    back = Preparation.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert back == fitted
    assert back.transform(table).tobytes() == fitted.transform(table).tobytes()


def test_one_row_alone_gets_the_same_bits_as_in_the_table() -> None:
    table = table_of(random_columns(200, 4))
    fitted = Preparation.fit(table)
    whole = fitted.transform(table)
    for row in (0, 7, 199):
        assert fitted.transform(table.take(np.array([row]))).tobytes() == whole[row].tobytes()


@pytest.mark.parametrize("value", [0.1, 0.0, -1e100, 1 / 3])
def test_a_constant_column_is_dropped_whatever_rounding_says(value: float) -> None:
    fitted = Preparation.fit(numbers(*[value] * 1001))
    assert fitted.column_names == ()
    assert "constant" in fitted.dropped["a"]
    assert fitted.transform(numbers(1, 2)).shape == (2, 0)


def test_numbers_too_large_to_standardise_are_refused() -> None:
    with pytest.raises(ConfigError, match="'a' holds numbers too large"):
        Preparation.fit(numbers(1e300, -1e300, 0))


def test_numbers_whose_spread_is_too_small_to_measure_are_constant() -> None:
    assert "constant" in Preparation.fit(numbers(1e-300, 2e-300)).dropped["a"]


def test_a_constant_column_with_gaps_keeps_its_indicator() -> None:
    fitted = Preparation.fit(numbers(5, 5, np.nan, 5))
    assert fitted.column_names == ("a is missing",)
    assert "indicator" in fitted.dropped["a"]
    np.testing.assert_array_equal(fitted.transform(numbers(7, np.nan)), [[0.0], [1.0]])


def test_columns_without_any_value_are_dropped_and_named() -> None:
    table = table_of(
        {"a": [float("nan")] * 3, "b": [None, None, None], "c": ["x", "x", "x"], "d": [1.0, 2.0, 3.0]}
    )
    fitted = Preparation.fit(table)
    assert fitted.column_names == ("d",)
    assert set(fitted.dropped) == {"a", "b", "c"}
    assert fitted.dropped["a"] == fitted.dropped["b"] == "no value in the training rows"


def test_a_gap_only_in_new_rows_becomes_the_median_without_indicator() -> None:
    fitted = Preparation.fit(numbers(1, 2, 3, 4, 5))
    assert fitted.column_names == ("a",)
    np.testing.assert_array_equal(fitted.transform(numbers(np.nan)), fitted.transform(numbers(3)))


def test_unseen_categories_are_all_zero_whatever_the_new_levels() -> None:
    fitted = Preparation.fit(table_of({"a": ["x", "y", "x"]}))
    matrix = fitted.transform(table_of({"a": ["w", "y", None, "x", "z"]}))
    np.testing.assert_array_equal(matrix, [[0, 0], [0, 1], [0, 0], [1, 0], [0, 0]])


def test_too_many_categories_are_refused_with_a_remedy() -> None:
    table = table_of({"a": [f"name {i}" for i in range(11)]})
    with pytest.raises(ConfigError, match="column 'a' has 11 categories") as caught:
        Preparation.fit(table, settings=PreparationSettings(max_categories=10))
    assert "max_categories" in caught.value.remedy
    assert "name 3" not in str(caught.value)


def test_another_type_or_an_absent_column_is_refused_at_scoring() -> None:
    fitted = Preparation.fit(numbers(1, 2, 3))
    with pytest.raises(ConfigError, match="'a' is not numeric"):
        fitted.transform(table_of({"a": ["x", "y"]}))
    with pytest.raises(ConfigError, match="no column 'a'"):
        fitted.transform(table_of({"b": [1.0]}))
    with pytest.raises(ConfigError, match="'a' is not categorical"):
        Preparation.fit(table_of({"a": ["x", "y"]})).transform(numbers(1))


@pytest.mark.parametrize(
    "damage", [{"format": "other"}, {"steps": [{"type": "numeric"}]}, {"settings": {"none": 1}}, {"steps": 5}]
)
def test_a_damaged_file_is_a_storage_error(damage: dict[str, object]) -> None:
    content = {**Preparation.fit(numbers(1, 2, 3)).to_dict(), **damage}
    with pytest.raises(StorageError):
        Preparation.from_dict(content)


def test_levels_of_an_earlier_release_are_read_as_values_are_today() -> None:
    content = _of_levels("True", "False", "1.5", MISSING)
    step = Preparation.from_dict(content).steps[0]
    assert step.outputs == ("flag=1", "flag=0", "flag=1.5", f"flag={MISSING}")
    with pytest.raises(StorageError, match="writings of one value in column 'flag'") as caught:
        Preparation.from_dict(_of_levels("1", "1.0"))
    assert caught.value.remedy == "train again"


def _of_levels(*levels: str) -> dict[str, object]:
    """A stored preparation of one column of categories."""
    column = CategoryColumn(np.array([0, 1], dtype=np.int32), ("a", "b"))
    ids = np.array([b"1", b"2"])
    fitted = Preparation.fit(PartyTable(ids=ids, columns={"flag": column}, label=None, train=None))
    content = fitted.to_dict()
    content["steps"][0]["levels"] = list(levels)
    return content
