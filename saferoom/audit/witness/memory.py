"""A witness's memory: one SQLite file, written before anything is answered.

    head     origin, size, note              the newest checkpoint cosigned for each log
    known    origin, size, root, note        every checkpoint cosigned: another root at that size is a fork
    successor    old, new                    origins of logs that were lost, and of those in their place
    alarm    id, time, origin, what, held, offered          two signed heads that cannot both be of one log

`synchronous=FULL`, and every decision is one transaction (`BEGIN IMMEDIATE`): compare and persist are atomic,
even between processes. The notes are public and signed by their logs; the file holds no secret.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import split_note
from saferoom.audit.log.sqlite import make_private_file, refuse_newer
from saferoom.errors import StorageError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS head (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS known (origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,
                                  note TEXT NOT NULL, PRIMARY KEY (origin, size));
CREATE TABLE IF NOT EXISTS alarm (id INTEGER PRIMARY KEY, time REAL NOT NULL, origin TEXT NOT NULL,
                                  what TEXT NOT NULL, held TEXT NOT NULL, offered TEXT NOT NULL,
                                  UNIQUE (origin, held, offered));
CREATE TABLE IF NOT EXISTS successor (old TEXT PRIMARY KEY, new TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Held:
    """The newest checkpoint cosigned for a log, and the note it came in."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A log that showed two histories: the signed note held before, the one offered, what is wrong."""

    time: float
    origin: str
    what: str
    held: str
    offered: str


class WitnessStore:
    """The file. Thread-safe. Every method raises StorageError if the file cannot be read or written."""

    def __init__(self, path: Path | str) -> None:
        """Open, making the file if there is none."""
        self.path = Path(path)
        self._lock = threading.RLock()
        self._is_broken = False
        with self._translated():
            make_private_file(self.path)
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
            refuse_newer(self._db, "the witness's memory")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """One transaction: nobody else decides meanwhile, and what was put down is on the disk at its end."""
        with self._lock:
            with self._translated():
                self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            try:
                with self._translated():
                    self._db.execute("COMMIT")
            except StorageError:
                # Its fate is unknown: what this connection reads may not be what the disk holds.
                self._is_broken = True
                raise

    def held(self, origin: str) -> Held | None:
        """The newest checkpoint cosigned for this log."""
        rows = self._all("SELECT note FROM head WHERE origin = ?", origin)
        return _held(rows[0][0]) if rows else None

    def heads(self) -> list[Held]:
        """The newest checkpoint of every log, by origin."""
        return [_held(note) for (note,) in self._all("SELECT note FROM head ORDER BY origin")]

    def known(self, origin: str, size: int) -> Held | None:
        """The checkpoint of this very size that was cosigned, if one was."""
        rows = self._all("SELECT note FROM known WHERE origin = ? AND size = ?", origin, size)
        return _held(rows[0][0]) if rows else None

    def put(self, checkpoint: Checkpoint, note: str) -> None:
        """Keep a checkpoint as its log's newest."""
        with self._lock, self._translated():
            self._db.execute(
                "INSERT INTO head VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET size = excluded.size, note = excluded.note",
                (checkpoint.origin, checkpoint.size, note),
            )
            self._db.execute(
                "INSERT INTO known VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (checkpoint.origin, checkpoint.size, checkpoint.root, note),
            )

    def put_successor(self, old: str, new: str) -> None:
        """From now on the log `new` stands in the place of the log `old`."""
        with self._lock, self._translated():
            self._db.execute("INSERT OR REPLACE INTO successor VALUES (?, ?)", (old, new))

    def successors(self) -> dict[str, str]:
        """Origins of the logs that succeeded others, by the old one's."""
        return dict(self._all("SELECT old, new FROM successor"))

    def put_alarm(self, alarm: Alarm) -> bool:
        """Keep an alarm; whether it is a new one."""
        with self._lock, self._translated():
            done = self._db.execute(
                "INSERT INTO alarm (time, origin, what, held, offered) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (alarm.time, alarm.origin, alarm.what, alarm.held, alarm.offered),
            )
            return done.rowcount == 1

    def alarms(self) -> list[Alarm]:
        """All alarms, oldest first."""
        return [
            Alarm(*row)
            for row in self._all("SELECT time, origin, what, held, offered FROM alarm ORDER BY id")
        ]

    def close(self) -> None:
        with self._lock, suppress(sqlite3.Error):
            self._db.close()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._lock, self._translated():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._is_broken:
            raise StorageError(
                "the witness's memory failed to be written, so nothing is cosigned",
                step="witness",
                remedy="free space on the disk or repair it, then start the witness or its node again",
            )
        try:
            yield
        except (sqlite3.Error, OSError) as exc:
            name = getattr(exc, "sqlite_errorname", "") or type(exc).__name__
            raise StorageError(
                f"the witness's memory cannot be used ({name})",
                step="witness",
                remedy="free space on the disk or repair it; a witness answers nothing that it cannot keep",
            ) from exc


def _held(note: str) -> Held:
    return Held(Checkpoint.parse(split_note(note)[0]), note)
