"""Rows that stay with the workers: sums of all of them, and of any subset, as often as asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.errors import PeerError, ShapeError, UsageError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.kept_rows import KeptRows
from saferoom.he.vectors import encrypt_vector
from saferoom.he.workers import Workers
from tests.he_keys import key_for

ROWS = 150


@pytest.fixture(scope="module", params=[0, 2])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    with Workers(request.param) as ready:
        yield ready


@pytest.fixture(scope="module")
def values() -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(-1000, 1000, ROWS)


@pytest.fixture(scope="module")
def encrypted(values: NDArray[np.int64]) -> Ciphertexts:
    with Workers(0) as own:
        return encrypt_vector(key_for(), values.tolist(), own)


def columns_of(counts: list[int]) -> list[NDArray[Any]]:
    rng = np.random.default_rng(len(counts))
    return [np.minimum(rng.geometric(0.3, ROWS) - 1, count - 1) for count in counts]


def kept(columns: list[NDArray[Any]], counts: list[int], rows: Ciphertexts, workers: Workers) -> KeptRows:
    sums = KeptRows(key_for().public, columns, counts, workers)
    for start in range(0, len(rows), 60):
        sums.add(rows[start : start + 60])
    return sums


def plain_sums(sums: list[list[mpz]]) -> list[list[int]]:
    key, offset = key_for(), 1 << 40
    raised, modulus = key.public.without_noise(offset), key.public.modulus
    plains = (key.decrypt_all([number * raised % modulus for number in bins]) for bins in sums)
    return [[int(plain) - offset for plain in bins] for bins in plains]


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("counts", [[], [1], [3, 4], [2, 3, 4, 30], [200, 1]])
def test_all_rows_and_subsets(
    workers: Workers, values: NDArray[np.int64], encrypted: Ciphertexts, counts: list[int]
) -> None:
    columns = columns_of(counts)
    sums = kept(columns, counts, encrypted, workers)
    subsets = [np.arange(ROWS), np.arange(0, ROWS, 3), np.array([149, 0, 7]), np.array([5]), np.arange(0)]
    found = [sums.all(), *(sums.of(rows.astype(np.int32)) for rows in [*subsets[1:], *subsets])]
    for rows, sums_found in zip([*subsets, *subsets], found, strict=True):
        expected = [
            np.bincount(column[rows], values[rows], count).astype(int).tolist()
            for column, count in zip(columns, counts, strict=True)
        ]
        assert plain_sums(sums_found) == expected
        for column, count, bins in zip(columns, counts, sums_found, strict=True):
            empty = np.bincount(column[rows], minlength=count) == 0
            assert [number == 1 for number in bins] == empty.tolist()


def test_new_rows_take_the_place_of_old_ones(workers: Workers, encrypted: Ciphertexts) -> None:
    for rows in (encrypted[:100], encrypted[100:]):
        zeros = np.zeros(len(rows), dtype=np.int64)
        sums = kept([zeros], [1], rows, workers)
        sums.all()
        assert sums.of(np.array([1], np.int32)) == [[rows.numbers()[1]]]


def test_bad_rows_are_refused(workers: Workers, encrypted: Ciphertexts) -> None:
    zeros, width = np.zeros(2, dtype=np.int64), encrypted.value.shape[1]
    for bad in (mpz(0), key_for().public.n, key_for().first.prime):
        with pytest.raises(PeerError):
            kept([zeros], [1], Ciphertexts.of([encrypted.numbers()[0], bad], width), workers).all()
    with pytest.raises(PeerError):
        kept([], [], Ciphertexts.of([mpz(0)], width), workers).all()


def test_misuse_is_refused(workers: Workers, encrypted: Ciphertexts) -> None:
    zeros = np.zeros(3, dtype=np.int64)
    sums = kept([zeros], [1], encrypted[:2], workers)
    with pytest.raises(ShapeError):
        sums.all()
    with pytest.raises(UsageError, match="come before"):
        sums.of(np.array([0], np.int32))
    sums = kept([zeros], [1], encrypted[:3], workers)
    sums.all()
    for position in (-1, 3):
        with pytest.raises(UsageError, match="not there"):
            sums.of(np.array([position], np.int32))
