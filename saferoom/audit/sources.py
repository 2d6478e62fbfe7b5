"""Where a log may lie: a node's database, an exported folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from saferoom.audit.export import FolderReader
from saferoom.audit.sqlite import SqliteReader
from saferoom.errors import UsageError

Reader = SqliteReader | FolderReader


def open_log(path: Path) -> Reader:
    """The log in a database or an exported folder. Raises: UsageError, StorageError."""
    if not path.exists():
        raise UsageError(f"there is no log at {path}", step="open a log", remedy="check the path")
    if path.is_dir():
        return FolderReader(path)
    reader = SqliteReader(path)
    reader.hold()
    return reader


@contextmanager
def opened_logs(paths: Sequence[Path]) -> Iterator[list[Reader]]:
    """Several logs for the length of a `with`."""
    with ExitStack() as stack:
        readers = []
        for path in paths:
            readers.append(open_log(path))
            stack.callback(readers[-1].close)
        yield readers
