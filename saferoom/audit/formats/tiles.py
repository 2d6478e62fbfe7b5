"""Tiles: the tree's hashes in blocks of 256, as C2SP tlog-tiles serves them and as the store keeps them.

    level 0   tile n = the leaf hashes 256·n .. 256·n+255, 32 bytes each
    level 1   tile n = the roots of the level-0 tiles 256·n .. 256·n+255, and so on upwards
    partial   the last tile of a level holds fewer than 256 hashes; full tiles never change

The partial tiles together are the tree's right edge, so a tree goes on growing from at most one tile a
level, and any proof is made from two or three tiles.

Source: c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from saferoom.audit.formats.merkle import HASH_BYTES, RightEdge, Subtree, fold, root_of
from saferoom.errors import StorageError, UsageError

TILE_WIDTH = 256
_HEIGHT = 8
MAX_ENTRY_BYTES = 0xFFFF

ReadTile = Callable[[int, int], bytes]
"""`read_tile(level, number)`: a tile's bytes, full or partial; empty if there is none."""


class TileBuilder:
    """A growing tree that says which tiles changed."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[int] = []
        self._partial: list[list[bytes]] = []
        self._edges: list[RightEdge] = []

    @classmethod
    def load(cls, size: int, read_tile: ReadTile) -> TileBuilder:
        """Go on from the stored partial tiles of a tree of `size` leaves. Raises: StorageError."""
        builder = cls()
        builder.size = size
        level = 0
        while size >> (_HEIGHT * level):
            number, width = divmod(size >> (_HEIGHT * level), TILE_WIDTH)
            hashes = split_hashes(read_tile(level, number)) if width else []
            if len(hashes) != width:
                raise StorageError(
                    f"tile {number} of level {level} should hold {width} hashes and holds {len(hashes)}",
                    step="open the audit log",
                    remedy="run `saferoom audit verify`; restore the newest copy that it accepts",
                )
            builder._full.append(number)
            builder._partial.append(hashes)
            builder._edges.append(RightEdge(hashes))
            level += 1
        return builder

    def extend(self, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
        """Append leaf hashes; gives the bytes of every tile that is new or longer, by (level, number)."""
        changed: dict[tuple[int, int], bytes] = {}
        self.size += len(leaves)
        level, hashes = 0, list(leaves)
        while hashes:
            hashes = self._extend_level(level, hashes, changed)
            level += 1
        return changed

    def _extend_level(
        self, level: int, hashes: list[bytes], changed: dict[tuple[int, int], bytes]
    ) -> list[bytes]:
        """Append to one level; gives the roots of the tiles that became full, for the level above."""
        if level == len(self._full):
            self._full.append(0)
            self._partial.append([])
            self._edges.append(RightEdge())
        roots = []
        tile, edge = self._partial[level], self._edges[level]
        for value in hashes:
            tile.append(value)
            edge.append(value)
            if len(tile) == TILE_WIDTH:
                changed[level, self._full[level]] = b"".join(tile)
                roots.append(edge.root())
                tile, edge = [], RightEdge()
                self._full[level] += 1
        self._partial[level], self._edges[level] = tile, edge
        if tile:
            changed[level, self._full[level]] = b"".join(tile)
        return roots

    def peaks(self) -> list[bytes]:
        """The right edge: the complete subtrees, largest first."""
        return [peak for edge in reversed(self._edges) for peak in edge.peaks]

    def root(self) -> bytes:
        """The root of all leaves so far."""
        return fold(self.peaks())


def split_hashes(tile: bytes) -> list[bytes]:
    """A tile's hashes; a trailing piece shorter than a hash is kept, so that no length check can miss it."""
    return [tile[start : start + HASH_BYTES] for start in range(0, len(tile), HASH_BYTES)]


def subtree_from_tiles(read_tile: ReadTile) -> Subtree:
    """The `subtree(start, end)` that proofs are made from, reading each tile once: for one proof."""
    read_tile = lru_cache(maxsize=None)(read_tile)

    def complete(start: int, height: int) -> bytes:
        level, inside = divmod(height, _HEIGHT)
        number, offset = divmod(start >> (_HEIGHT * level), TILE_WIDTH)
        first = offset * HASH_BYTES
        last = first + (HASH_BYTES << inside)
        tile = read_tile(level, number)
        if len(tile) < last:
            raise StorageError(f"tile {number} of level {level} is missing or too short", step="make a proof")
        return root_of(split_hashes(tile[first:last]))

    def subtree(start: int, end: int) -> bytes:
        peaks = []
        while start < end:
            height = (end - start).bit_length() - 1
            peaks.append(complete(start, height))
            start += 1 << height
        return fold(peaks)

    return subtree


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """The tile's path: `tile/0/x001/x234/067`, with `.p/<width>` for a partial one."""
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{_thousands(number)}{partial}"


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """The path of a bundle of entries, the level-0 tile's twin."""
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/entries/{_thousands(number)}{partial}"


def _thousands(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries with a two-byte big-endian length before each.

    Raises: UsageError for an entry over 65,535 bytes.
    """
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise UsageError(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
