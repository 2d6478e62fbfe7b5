"""The random split: exact share, public seed, the same for ever."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from saferoom.data import random_split
from saferoom.errors import UsageError


@pytest.mark.parametrize(
    ("rows", "share", "train"), [(10, 0.7, 7), (1001, 0.5, 500), (0, 0.7, 0), (3, 0.9, 3)]
)
def test_the_share_is_exactly_rounded(rows: int, share: float, train: int) -> None:
    assert random_split(rows, 1, share=share).sum() == train


def test_the_seed_decides_and_nothing_else() -> None:
    np.testing.assert_array_equal(random_split(1000, 5), random_split(1000, 5))
    assert (random_split(1000, 5) != random_split(1000, 6)).sum() > 300


def test_it_is_computed_as_written_down() -> None:
    """By the standard library alone, so that every party and every later version gets the same rows."""
    stream = hashlib.shake_256(b"saferoom split 7").digest(8 * 20)
    draws = [int.from_bytes(stream[8 * row : 8 * row + 8], "little") for row in range(20)]
    train = sorted(range(20), key=draws.__getitem__)[:14]
    assert np.flatnonzero(random_split(20, 7)).tolist() == sorted(train)


def test_rows_train_evenly_over_the_table() -> None:
    parts = random_split(100_000, 3).reshape(10, -1).mean(axis=1)
    assert np.abs(parts - 0.7).max() < 0.02


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(UsageError):
        random_split(10, 0, share=share)
