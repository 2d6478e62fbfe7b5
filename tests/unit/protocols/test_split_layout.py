"""Gradients, hessians and events side by side in one plaintext: sums come back field by field."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.protocols.split_layout import SumLayout
from tests.property import examples


@given(
    rows=st.integers(1, 40),
    largest=st.integers(1, 1 << 27),
    events=st.booleans(),
    seed=st.integers(0, 1 << 30),
)
@examples(80)
def test_sums_of_packed_rows_are_sums_of_fields(rows: int, largest: int, events: bool, seed: int) -> None:
    layout = SumLayout.of(rows, largest, events=events)
    rng = np.random.default_rng(seed)
    table = np.stack(
        [
            rng.integers(-largest, largest + 1, rows),
            rng.integers(0, largest + 1, rows),
            rng.integers(0, 2, rows) * events,
        ],
        axis=1,
    )
    total = sum(layout.pack(table)) + layout.offset
    assert 0 <= total < 1 << layout.slot_bits
    assert np.array_equal(layout.unpack([total]), table.sum(axis=0)[None, :])


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_sums_fit(events: bool, sign: int) -> None:
    rows, largest = 100_000, (1 << 20) + 1
    layout = SumLayout.of(rows, largest, events=events)
    most = np.array([[sign * rows * largest, rows * largest, rows * events]])
    (slot,) = layout.pack(most)
    assert 0 <= slot + layout.offset < 1 << layout.slot_bits
    assert np.array_equal(layout.unpack([slot + layout.offset]), most)


def test_bits_are_as_few_as_documented() -> None:
    assert SumLayout.of(100_000, (1 << 20) + 1, events=False).slot_bits == 75
    assert SumLayout.of(100_000, (1 << 20) + 1, events=True).slot_bits == 75 + 17


def test_no_sums_are_an_empty_table() -> None:
    layout = SumLayout.of(10, 5, events=False)
    assert layout.unpack([]).shape == (0, 3)
    assert layout.pack(np.zeros((0, 3), dtype=np.int64)) == []
