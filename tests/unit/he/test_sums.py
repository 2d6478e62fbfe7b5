"""Sums by bin: features joined where that is less work, the fullest cell left out where that is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gmpy2 import mpz
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from saferoom.he.products import numbers_of, values_of
from saferoom.he.quickest import products_for
from saferoom.he.sums import DIVISION_COST, CellSums, Group, grouped
from tests.property import examples

PRIME = (mpz(1) << 127) - 1


def features_of(group: Group) -> list[int]:
    return sorted([f for part, _ in group.parts for f in features_of(part)] or [group.feature])


def even(rows: int, count: int, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).permutation(np.arange(rows) % count)


def test_features_are_joined_while_that_saves() -> None:
    counts = [4, 4, 4, 100, 10]
    groups = grouped([even(800, count, seed) for seed, count in enumerate(counts)], counts)
    assert sorted(map(features_of, groups)) == [[0, 1], [2, 4], [3]]
    assert sum(group.cost for group in groups) == 3 * 800 + 2 * 16 + 2 * 40
    few = grouped([even(40, 10, seed) for seed in range(4)], [10] * 4)
    assert len(few) == 4, "in so few rows joining two columns of ten bins costs more than it saves"
    assert grouped([], []) == []


def test_only_cells_that_hold_rows_count() -> None:
    """Twins join whatever their bins: only the diagonal holds rows."""
    column = even(1000, 50)
    (group,) = grouped([column, column], [50, 200])
    assert len(group.sizes) == 50
    assert group.sizes.sum() == 1000


def test_the_fullest_cell_is_left_out_where_that_saves_and_one_group_has_all_rows() -> None:
    rows = 4000
    mostly = [np.where(even(rows, 1000) < 100, even(rows, 700, k + 1), 0) for k in range(3)]
    groups = grouped(mostly, [1000] * 3)
    assert [group.skips for group in groups] == [False, True, True]
    assert all(group.sizes.max() > len(group.sizes) + DIVISION_COST for group in groups if group.skips)
    assert not any(group.skips for group in grouped([even(rows, 500)] * 1, [500]))


columns_of_any_kind = st.lists(
    st.tuples(st.integers(1, 40), st.floats(0.02, 0.98), st.integers(0, 100)), max_size=6
)


@pytest.mark.usefixtures("arithmetic")
@given(kinds=columns_of_any_kind, rows=st.integers(0, 2000), chunk=st.integers(1, 2000), data=st.data())
@examples(40, allow=[HealthCheck.function_scoped_fixture])
def test_sums_of_any_columns(
    kinds: list[tuple[int, float, int]], rows: int, chunk: int, data: st.DataObject
) -> None:
    """Rows are powers of 3: a sum is right where its exponent is."""
    columns, counts = [], [count for count, _, _ in kinds]
    for count, share, seed in kinds:
        drawn = np.random.default_rng(seed).geometric(share, rows)
        columns.append(np.minimum(drawn - 1, count - 1))
    products = products_for(PRIME, 1)
    values = np.random.default_rng(rows).integers(0, 1000, rows)
    numbers = numbers_of(products, [pow(mpz(3), int(value), PRIME) for value in values])
    sums = CellSums(products, columns, counts)
    for start in range(0, rows, max(chunk, rows // 5)):
        part = numbers[start : start + max(chunk, rows // 5)]
        sums.add(part, np.arange(len(part)))
    for column, count, found in zip(columns, counts, sums.finish(), strict=True):
        expected = [pow(mpz(3), int(values[column == place].sum()), PRIME) for place in range(count)]
        assert values_of(products, found) == expected
