"""A log as the files of C2SP tlog-tiles, for tools that read those: one by one, or all into a folder.

    checkpoint                   the newest signed checkpoint, with the cosignatures it has
    tile/<L>/<N>[.p/<W>]         256 hashes of level L, or the first W of an unfinished tile
    tile/entries/<N>[.p/<W>]     the entries under the level-0 tile of that number

N is written in groups of three digits, all but the last marked with an x. What a log holds is its owner's:
nothing is served to anybody by itself.

Source: c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from saferoom.audit.formats.merkle import HASH_BYTES
from saferoom.audit.formats.tiles import TILE_WIDTH, entries_path, entry_bundle, tile_path
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.errors import StorageError

CHECKPOINT = "checkpoint"
_PATH = re.compile(r"tile/(?:(entries)|([0-9]{1,2}))/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LEVELS = 8


class TlogFiles:
    """The files of one log, made from its database as they are asked for. Raises StorageError throughout."""

    def __init__(self, reader: SqliteReader) -> None:
        self._reader = reader

    def get(self, path: str) -> bytes | None:
        """The file at a path, None if the log has none there."""
        if path == CHECKPOINT:
            return self._checkpoint()
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        entries, level, groups, partial = found.groups()
        number, width = (
            int(groups.replace("/x", "").replace("x", "").replace("/", "")),
            int(partial or TILE_WIDTH),
        )
        own = entries_path(number, width) if entries else tile_path(int(level), number, width)
        if own != path or (partial and width >= TILE_WIDTH):
            return None
        return self._entries(number, width) if entries else self._tile(int(level), number, width)

    def paths(self) -> Iterator[str]:
        """Every file of the log as it stands, full tiles and the unfinished one of each level."""
        size = self._reader.head().size
        for level in range(_LEVELS):
            full, width = divmod(size >> (8 * level), TILE_WIDTH)
            yield from (tile_path(level, number) for number in range(full))
            if width:
                yield tile_path(level, full, width)
        full, width = divmod(size, TILE_WIDTH)
        yield from (entries_path(number) for number in range(full))
        if width:
            yield entries_path(full, width)
        yield CHECKPOINT

    def _checkpoint(self) -> bytes:
        head = self._reader.head()
        lines = "".join(f"{item.line}\n" for item in self._reader.cosignatures_of(head.size))
        return (head.checkpoint + lines).encode()

    def _tile(self, level: int, number: int, width: int) -> bytes | None:
        hashes = self._reader.tile(level, number)[: width * HASH_BYTES]
        return hashes if len(hashes) == width * HASH_BYTES else None

    def _entries(self, number: int, width: int) -> bytes | None:
        first = number * TILE_WIDTH
        rows = [data for _, data in self._reader.entries(first, first + width)]
        return entry_bundle(rows) if len(rows) == width else None


def export_tiles(path: Path | str, folder: Path | str) -> int:
    """Write the log at `path`, live or not, as tlog-tiles files into a new folder; gives their number.

    Raises: StorageError, also if the folder exists.
    """
    reader, folder, count = SqliteReader(path), Path(folder), 0
    try:
        folder.mkdir(parents=True)
        reader.hold()
        files = TlogFiles(reader)
        for name in files.paths():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files.get(name) or b"")
            count += 1
    except OSError as exc:
        raise StorageError(
            f"the log cannot be written as tiles ({type(exc).__name__})",
            step="export the audit log",
            remedy="name a folder that does not exist yet, on a disk with space",
        ) from exc
    finally:
        reader.close()
    return count
