"""Where a log may lie: a node's database, an exported folder, an evidence bundle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from saferoom.audit.evidence.bundle_reader import BundleReader, bundle_readers, is_bundle
from saferoom.audit.log.export import FolderReader
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.errors import UsageError

Reader = SqliteReader | FolderReader
Source = Reader | BundleReader


def open_log(path: Path) -> Reader:
    """The log in a database or an exported folder. Raises: UsageError, StorageError."""
    if not path.exists():
        raise UsageError(f"there is no log at {path}", step="open a log", remedy="check the path")
    if path.is_dir():
        return FolderReader(path)
    if is_bundle(path):
        raise UsageError(
            "an evidence bundle is no log of its own",
            step="open a log",
            remedy="use `saferoom audit verify`, `search` or `reconcile`, which read bundles",
        )
    reader = SqliteReader(path)
    reader.hold()
    return reader


def open_sources(path: Path) -> Sequence[Source]:
    """The log in a database or an exported folder, or every log of a bundle.

    Raises: UsageError, StorageError; VerificationError if a bundle's files are not its manifest's.
    """
    return bundle_readers(path) if is_bundle(path) else [open_log(path)]


def size_of(source: Source) -> int:
    """How many entries the newest checkpoint covers."""
    if isinstance(source, BundleReader):
        return source.size()
    return max((size for size, _ in source.checkpoints()), default=0)


def is_whole(source: Source) -> bool:
    """Whether all entries are there; not so in a bundle's selection."""
    return not isinstance(source, BundleReader) or source.is_complete


@contextmanager
def opened_logs(paths: Sequence[Path]) -> Iterator[list[Reader]]:
    """Several logs for the length of a `with`."""
    with ExitStack() as stack:
        readers = []
        for path in paths:
            readers.append(open_log(path))
            stack.callback(readers[-1].close)
        yield readers
