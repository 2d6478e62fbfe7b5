"""Tiles: growing in any steps gives the same tree, and proofs made from them verify."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.audit.formats.merkle import (
    consistency_proof,
    inclusion_proof,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from saferoom.audit.formats.tiles import (
    TileBuilder,
    entries_path,
    entry_bundle,
    split_hashes,
    subtree_from_tiles,
    tile_path,
)
from saferoom.errors import StorageError, UsageError
from tests.property import examples

LEAVES = [sha256(number.to_bytes(4, "big")).digest() for number in range(70_000)]


def grow(size: int, steps: int) -> tuple[TileBuilder, dict[tuple[int, int], bytes]]:
    builder, tiles = TileBuilder(), {}
    for start in range(0, size, steps):
        tiles.update(builder.extend(LEAVES[start : min(size, start + steps)]))
    return builder, tiles


@pytest.fixture(scope="module")
def big() -> tuple[TileBuilder, dict[tuple[int, int], bytes]]:
    return grow(70_000, 999)


@examples(30)
@given(st.integers(0, 1200), st.integers(1, 700))
def test_any_steps_give_the_same_tree(size: int, steps: int) -> None:
    builder, tiles = grow(size, steps)
    assert builder.root() == root_of(LEAVES[:size])
    assert tiles == grow(size, 1)[1]
    again = TileBuilder.load(size, lambda level, number: tiles.get((level, number), b""))
    assert again.peaks() == builder.peaks()
    assert again.extend(LEAVES[size : size + 300]) == builder.extend(LEAVES[size : size + 300])
    assert again.root() == root_of(LEAVES[: size + 300])


def test_proofs_from_three_levels(big: tuple[TileBuilder, dict[tuple[int, int], bytes]]) -> None:
    builder, tiles = big
    assert {level for level, _ in tiles} == {0, 1, 2}
    subtree = subtree_from_tiles(lambda level, number: tiles[level, number])
    for size in (70_000, 65_536, 65_537, 257, 1):
        root = root_of(LEAVES[:size])
        for index in {0, size // 3, size - 1}:
            verify_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, subtree), root)
        proof = consistency_proof(size, 70_000, subtree)
        verify_consistency(size, 70_000, proof, root, builder.root())


def test_a_missing_or_short_tile_is_a_storage_error() -> None:
    with pytest.raises(StorageError):
        TileBuilder.load(300, lambda level, number: b"")
    with pytest.raises(StorageError):
        inclusion_proof(3, 300, subtree_from_tiles(lambda level, number: bytes(64)))


def test_a_tile_with_a_cut_hash_is_refused() -> None:
    assert [len(value) for value in split_hashes(bytes(70))] == [32, 32, 6]
    with pytest.raises(StorageError):
        TileBuilder.load(2, lambda level, number: bytes(70))


def test_paths_and_bundles_of_the_specification() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(1, 0, 5) == "tile/1/000.p/5"
    assert entries_path(273, 112) == "tile/entries/273.p/112"
    assert entry_bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"
    with pytest.raises(UsageError):
        entry_bundle([bytes(65_536)])
