"""The log in one SQLite file.

    log          one row: format version, origin, verifier key
    head         one row: size, root, right edge, newest signed checkpoint
    entry        idx, data          exact canonical bytes
    tile         level, number, hashes          level 0 holds the leaf hashes
    checkpoint   size, note          every checkpoint that was ever signed
    session      id, seq, leaf          the last entry of each session
    cosignature  size, witness, line    each witness's newest word on each checkpoint

Format 1 had no cosignatures. It is read as it is, and gets the table when its node opens it for writing.

Write-ahead log, `synchronous=FULL`: COMMIT returns after fsync. Only the writer's connection writes or
folds the WAL back; readers open read only. The writer holds an exclusive `flock` on `<path>.lock` for its
lifetime, so a second one is refused, in this process and in any other on this machine.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from saferoom.audit.log.store import Batch, Cosignature, Head, Identity, SessionHead
from saferoom.errors import StorageError, VerificationError
from saferoom.files.private import sync_folder

FORMAT_VERSION = 2
_WITHOUT_COSIGNATURES = 1
READ_VERSIONS = (_WITHOUT_COSIGNATURES, FORMAT_VERSION)
_CHUNK = 1000
_ROWS = 250
_LOWEST = -(2**63)
_READ_REMEDY = "check the path, and that this user may read the file; else restore a copy"
_WRITE_REMEDY = (
    "free space on the disk or repair it, then close and open the log again; until then nothing may be done"
)

_SCHEMA = """
CREATE TABLE log (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, origin TEXT NOT NULL,
                  verifier_key TEXT NOT NULL);
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root BLOB NOT NULL,
                   edge BLOB NOT NULL, checkpoint TEXT NOT NULL);
CREATE TABLE entry (idx INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE tile (level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
                   PRIMARY KEY (level, number));
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE session (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, leaf BLOB NOT NULL);
"""
_COSIGNATURE = """
CREATE TABLE cosignature (size INTEGER NOT NULL, witness TEXT NOT NULL, line TEXT NOT NULL,
                          PRIMARY KEY (size, witness));
"""
_SCHEMA_QUERY = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"


@contextmanager
def _translated(what: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        name = getattr(exc, "sqlite_errorname", "") or type(exc).__name__
        raise StorageError(
            f"the audit log cannot be {what} ({name})", step="audit log", remedy=remedy
        ) from exc


class SqliteReader:
    """Read-only access to a log file, live or lying in evidence. Safe to use from several threads."""

    def __init__(self, path: Path | str, *, live: bool = False) -> None:
        """Open.

        Leaves nothing beside a file that has no write-ahead log, unless `live`. Raises: StorageError.
        """
        path = Path(path).absolute()
        # Without a WAL nobody writes: `immutable` then keeps SQLite from making files beside the evidence.
        quiet = "" if live or path.with_name(path.name + "-wal").exists() else "&immutable=1"
        self._lock = threading.Lock()
        with _translated("read", _READ_REMEDY):
            self._db = sqlite3.connect(
                f"{path.as_uri()}?mode=ro{quiet}", uri=True, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA query_only = ON")
            self._db.execute("SELECT 1 FROM sqlite_schema").fetchall()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with _translated("read", _READ_REMEDY), self._lock:
            return self._db.execute(sql, values).fetchall()

    def hold(self) -> None:
        """Read one unchanging state from now on, however much is appended meanwhile. Raises: StorageError."""
        self._all("BEGIN")

    def identity(self) -> Identity:
        tables = _spelled(self._all(_SCHEMA_QUERY))
        if _table_that_says_which_log() not in tables:
            raise VerificationError("the database's tables are not those of an audit log", step="audit log")
        rows = self._all("SELECT version, origin, verifier_key FROM log")
        if len(rows) != 1 or not _typed(rows[0], int, str, str):
            raise VerificationError("the log does not say which log it is", step="audit log")
        if rows[0][0] not in READ_VERSIONS:
            raise VerificationError(
                f"the log has format {rows[0][0]}; this program reads formats {_WITHOUT_COSIGNATURES} and"
                f" {FORMAT_VERSION}",
                step="audit log",
                remedy="read it with the SafeRoom that wrote it, or a newer one",
            )
        if tables != _own_schema(rows[0][0]):
            raise VerificationError("the database's tables are not those of an audit log", step="audit log")
        return Identity(*rows[0])

    def head(self) -> Head:
        rows = self._all("SELECT size, root, edge, checkpoint FROM head")
        if len(rows) != 1 or not _typed(rows[0], int, bytes, bytes, str):
            raise VerificationError("the log has no head, or one of a wrong form", step="audit log")
        return Head(*rows[0])

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        while rows := self._all(
            "SELECT idx, data FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?", start, end, _CHUNK
        ):
            for row in rows:
                yield _checked("an entry", row, int, bytes)
            start = rows[-1][0] + 1

    def tile(self, level: int, number: int) -> bytes:
        rows = self._all("SELECT hashes FROM tile WHERE level = ? AND number = ?", level, number)
        return _checked("a tile", rows[0], bytes)[0] if rows else b""

    def tiles(self) -> Iterator[tuple[int, int, bytes]]:
        # One level and number after the other, so that no reader's transaction stays open while a writer
        # works.
        level, number = _LOWEST, _LOWEST
        while rows := self._all(
            "SELECT level, number, hashes FROM tile WHERE (level, number) > (?, ?)"
            " ORDER BY level, number LIMIT 100",
            level,
            number,
        ):
            for row in rows:
                yield _checked("a tile", row, int, int, bytes)
            level, number = rows[-1][:2]

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        size = _LOWEST
        while rows := self._all(
            "SELECT size, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?", size, _CHUNK
        ):
            for row in rows:
                yield _checked("a checkpoint", row, int, str)
            size = rows[-1][0]

    def checkpoint(self, size: int) -> str:
        rows = self._all("SELECT note FROM checkpoint WHERE size = ?", size)
        return str(_checked("a checkpoint", rows[0], str)[0]) if rows else ""

    def cosignatures(self, start: int = _LOWEST) -> Iterator[Cosignature]:
        if not self._all("SELECT 1 FROM sqlite_schema WHERE name = 'cosignature'"):
            return
        at, witness = start, ""
        while rows := self._all(
            "SELECT size, witness, line FROM cosignature WHERE (size, witness) > (?, ?)"
            " ORDER BY size, witness LIMIT ?",
            at,
            witness,
            _CHUNK,
        ):
            for row in rows:
                yield Cosignature(*_checked("a cosignature", row, int, str, str))
            at, witness = rows[-1][:2]

    def cosignatures_of(self, size: int) -> list[Cosignature]:
        """Those of the checkpoint of `size` entries. Raises: StorageError."""
        return list(takewhile(lambda item: item.size == size, self.cosignatures(size)))

    def last_cosigned_sizes(self, limit: int) -> list[int]:
        """The newest sizes that anybody cosigned, newest first."""
        if not self._all("SELECT 1 FROM sqlite_schema WHERE name = 'cosignature'"):
            return []
        rows = self._all("SELECT DISTINCT size FROM cosignature ORDER BY size DESC LIMIT ?", limit)
        return [_checked("a cosignature", row, int)[0] for row in rows]

    def session(self, session: str) -> SessionHead | None:
        rows = self._all("SELECT seq, leaf FROM session WHERE id = ?", session)
        return SessionHead(*_checked("a session", rows[0], int, bytes)) if rows else None

    def sessions(self) -> Iterator[tuple[str, SessionHead]]:
        for row in self._all("SELECT id, seq, leaf FROM session ORDER BY id"):
            name, seq, leaf = _checked("a session", row, str, int, bytes)
            yield name, SessionHead(seq, leaf)

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()


def _spelled(rows: list[Any]) -> list[str]:
    """Rows of the schema table without regard to line breaks."""
    return [" ".join(" ".join(map(str, row)).split()) for row in rows]


def _own_schema(version: int) -> list[str]:
    """What the schema table holds in a log of this format: no other table, index, view or trigger."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA if version == _WITHOUT_COSIGNATURES else _SCHEMA + _COSIGNATURE)
        return _spelled(db.execute(_SCHEMA_QUERY).fetchall())


def _table_that_says_which_log() -> str:
    """The row of the schema table for `log`, which is the same in every format."""
    return next(row for row in _own_schema(FORMAT_VERSION) if row.startswith("table log log "))


def _typed(row: Any, *kinds: type) -> bool:
    return all(type(value) is kind for value, kind in zip(row, kinds, strict=True))


def _checked(what: str, row: Any, *kinds: type) -> Any:
    """SQLite stores any type in any column: a row of other types was not written by us."""
    if not _typed(row, *kinds):
        raise VerificationError(f"{what} in the database has a wrong type", step="audit log")
    return row


class SqliteWriter:
    """The one writer of a log file."""

    def __init__(self, path: Path | str) -> None:
        """Take the lock and open, making the file if there is none. Raises: StorageError."""
        self.path = Path(path)
        self._lock_fd = _take_lock(self.path)
        try:
            with _translated("opened for writing", _WRITE_REMEDY):
                make_private_file(self.path)
                self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA trusted_schema = OFF")
        except BaseException:
            os.close(self._lock_fd)
            raise

    def is_empty(self) -> bool:
        """Whether nothing was ever written: no table stands. Raises: StorageError."""
        with _translated("read", _READ_REMEDY):
            return not self._db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()

    def create(self, identity: Identity, head: Head) -> None:
        """Write an empty log. Raises: StorageError."""
        with _translated("written", _WRITE_REMEDY):
            self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}{_COSIGNATURE}")
            self._db.execute(
                "INSERT INTO log VALUES (1, ?, ?, ?)",
                (identity.version, identity.origin, identity.verifier_key),
            )
            self._db.execute(
                "INSERT INTO head VALUES (1, ?, ?, ?, ?)", (head.size, head.root, head.edge, head.checkpoint)
            )
            self._db.execute("INSERT INTO checkpoint VALUES (?, ?)", (head.size, head.checkpoint))
            self._db.execute("COMMIT")
            # The file's own name must survive a power cut too.
            sync_folder(self.path.parent)

    def bring_up_to_date(self) -> None:
        """Give a log of format 1 its table of cosignatures. Raises: StorageError."""
        with _translated("written", _WRITE_REMEDY):
            rows = self._db.execute("SELECT version FROM log").fetchall()
            if rows == [(_WITHOUT_COSIGNATURES,)]:
                self._db.executescript(f"BEGIN IMMEDIATE;{_COSIGNATURE}")
                self._db.execute("UPDATE log SET version = ?", (FORMAT_VERSION,))
                self._db.execute("COMMIT")

    def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction and wait for the disk. Raises: StorageError."""
        with _translated("written", _WRITE_REMEDY):
            self._db.execute("BEGIN IMMEDIATE")
            self._swap_head(batch)
            if batch.entries:
                self._insert(batch)
            self._db.executemany(
                "INSERT INTO cosignature VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET line = excluded.line",
                ((item.size, item.witness, item.line) for item in batch.cosignatures),
            )
            self._db.execute("COMMIT")

    def _swap_head(self, batch: Batch) -> None:
        before, after = batch.before, batch.after
        swapped = self._db.execute(
            "UPDATE head SET size = ?, root = ?, edge = ?, checkpoint = ?"
            " WHERE id = 1 AND size = ? AND root = ?",
            (after.size, after.root, after.edge, after.checkpoint, before.size, before.root),
        )
        if swapped.rowcount != 1:
            raise StorageError(
                "somebody else changed the audit log's head",
                step="audit log",
                remedy="find the other writer, run `saferoom audit verify`, then open the log again",
            )

    def _insert(self, batch: Batch) -> None:
        for first in range(0, len(batch.entries), _ROWS):
            self._insert_entries(batch.before.size + first, batch.entries[first : first + _ROWS])
        self._db.executemany(
            "INSERT INTO tile VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hashes = excluded.hashes",
            ((level, number, hashes) for (level, number), hashes in batch.tiles.items()),
        )
        self._db.execute("INSERT INTO checkpoint VALUES (?, ?)", (batch.after.size, batch.after.checkpoint))
        self._db.executemany(
            "INSERT INTO session VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET seq = excluded.seq, leaf = excluded.leaf",
            ((name, head.seq, head.leaf) for name, head in batch.sessions.items()),
        )

    def _insert_entries(self, first: int, entries: Sequence[bytes]) -> None:
        # One statement for many rows: `executemany` gives up Python's global lock at every row, and each time
        # waits milliseconds for the busy threads that append.
        rows = ",".join(["(?,?)"] * len(entries))
        values = [value for row in enumerate(entries, first) for value in row]
        self._db.execute(f"INSERT INTO entry VALUES {rows}", values)  # noqa: S608 - nothing but question marks

    def close(self) -> None:
        """Let go of the file and the lock. Never raises: a log that failed can always be closed."""
        with suppress(sqlite3.Error):
            self._db.close()
        if self._lock_fd >= 0:
            # Unlocked by name: a process forked meanwhile holds the same lock through its own copy.
            fcntl.flock(self._lock_fd, fcntl.LOCK_UN)
            os.close(self._lock_fd)
            self._lock_fd = -1


def refuse_newer(database: sqlite3.Connection, what: str) -> None:
    """Raise StorageError if one of the files beside a log was written in a format that came later.

    `witness.db` and `salts.db` have had one format so far, which is SQLite's `user_version` 0. Whoever
    changes it counts that number up.
    """
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found != 0:
        raise StorageError(
            f"{what} has format {found}; this program knows format 0",
            remedy="install the newer SafeRoom again that wrote it (docs/upgrading.md)",
        )


def format_beside_log(path: Path) -> int:
    """The format of `witness.db` or `salts.db`, which is only read. Raises StorageError as `refuse_newer`."""
    with (
        _translated("read", _READ_REMEDY),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        refuse_newer(database, path.name)
    return 0


def make_private_file(path: Path) -> None:
    """Make an empty file for its owner alone, unless it is there. Raises: OSError.

    A file that is there is not even opened: closing it would drop the locks SQLite holds on it in this
    process.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _take_lock(path: Path) -> int:
    with _translated("opened for writing", _WRITE_REMEDY):
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(lock)
        raise StorageError(
            "another writer has the audit log open; a log has one writer",
            step="audit log",
            remedy="stop the other node process that uses this folder",
        ) from exc
    return lock


@contextmanager
def without_writer(path: Path) -> Iterator[None]:
    """Nobody opens the log for writing meanwhile. Raises StorageError if a process has it open."""
    lock = _take_lock(path)
    try:
        yield
    finally:
        os.close(lock)


def check_no_writer(path: Path) -> None:
    """Raise StorageError if a process has the log open for writing."""
    with without_writer(path):
        pass


def copy_log(path: Path | str, target: Path | str) -> None:
    """Copy a log, live or not, into one file without a write-ahead log; `target` must not exist.

    Raises: StorageError.
    """
    target = Path(target)
    reader = SqliteReader(path)
    try:
        with _translated("copied", _WRITE_REMEDY):
            os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            copy = sqlite3.connect(target, isolation_level=None)
            try:
                reader._db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            finally:
                copy.close()
    finally:
        reader.close()
