"""Salted commitments to subjects, and the salts that can be erased.

    subject_commit = SHA256(salt32 ‖ value)          in the entry, for ever
    salt32                                           here, in a file of its own, until it is erased

Whoever holds a salt and a value can show that an entry is about it. Without the salt nobody can, not even
by trying every possible code. The file holds salts and commitments only, no values. Erased salts are
overwritten in the file (`secure_delete`) and in its rollback journal, and it is checked that none fits any
more; file systems and backups may keep older copies: see `erasure`.

The salts must never lie in the log's own file, which auditors copy.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from saferoom.audit.log.erasure import overwrite_open_file
from saferoom.audit.log.sqlite import make_private_file, refuse_newer
from saferoom.errors import StorageError
from saferoom.ids import is_valid_uscc, normalise_uscc

SALT_BYTES = 32
FILE = "the file of salts"

_ROWS = "SELECT commitment, salt FROM salt"


def subject_value(text: str) -> str:
    """The one spelling of a subject: an enterprise code normalised, anything else without outer spaces."""
    code = normalise_uscc(text)
    return code if is_valid_uscc(code) else text.strip()


def subject_commitment(salt: bytes, value: str) -> str:
    """Lower-case hexadecimal SHA256(salt ‖ UTF-8 value)."""
    return sha256(salt + value.encode()).hexdigest()


def is_about(commitment: str, salt: bytes, value: str) -> bool:
    """Whether an entry's `subject_commit` is about a subject, shown by the salt kept for it."""
    return hmac.compare_digest(commitment, subject_commitment(salt, subject_value(value)))


def find_commitments(salts: Path, value: str) -> list[str]:
    """Every commitment to a subject whose salt is kept in the file `salts`, which is only read.

    Tries each salt: about a second for a million. Without the file there are none. Raises: StorageError.
    """
    if not salts.exists():
        return []
    address = f"{salts.absolute().as_uri()}?mode=ro"
    with _translated("read"), closing(sqlite3.connect(address, uri=True)) as db:
        refuse_newer(db, FILE)
        return _fitting(db.execute(_ROWS).fetchall(), value)


class SaltStore:
    """The erasable salts of one node. Safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        """Open or make the file, readable by its owner alone. Raises: StorageError."""
        self._path = Path(path)
        self._lock = threading.Lock()
        with _translated("opened"):
            make_private_file(self._path)
            self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            refuse_newer(self._db, FILE)
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA synchronous = FULL")
            # The journal of a deletion holds the deleted salts: it is kept, so that it can be overwritten.
            self._db.execute("PRAGMA journal_mode = PERSIST")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS salt (commitment BLOB PRIMARY KEY, salt BLOB NOT NULL)"
            )
            self._overwrite_journal()

    def commit(self, value: str) -> str:
        """A fresh commitment to a subject, its salt kept before this returns. Raises: StorageError."""
        salt = os.urandom(SALT_BYTES)
        commitment = subject_commitment(salt, subject_value(value))
        with _translated("written"), self._lock:
            self._db.execute("INSERT INTO salt VALUES (?, ?)", (bytes.fromhex(commitment), salt))
        return commitment

    def find(self, value: str) -> list[str]:
        """Every kept commitment to a subject. As `find_commitments`. Raises: StorageError."""
        with _translated("read"), self._lock:
            return _fitting(self._db.execute(_ROWS).fetchall(), value)

    def salt_of(self, commitment: str) -> bytes | None:
        """The salt of a commitment, to hand to an auditor with the value; None if it was erased."""
        with _translated("read"), self._lock:
            found = self._db.execute(
                "SELECT salt FROM salt WHERE commitment = ?", (bytes.fromhex(commitment),)
            ).fetchone()
        return bytes(found[0]) if found else None

    def erase(self, value: str) -> int:
        """Destroy the salts of a subject, so that its entries are unlinked; gives how many.

        Raises: StorageError, also if a salt still fits afterwards.
        """
        found = self.find(value)
        with _translated("written"), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "DELETE FROM salt WHERE commitment = ?", ((bytes.fromhex(c),) for c in found)
            )
            self._db.execute("COMMIT")
            self._overwrite_journal()
        if self.find(value):
            raise _error("still hold salts that were to be erased")
        return len(found)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> SaltStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _overwrite_journal(self) -> None:
        """Zeros over what a deletion left in the journal; nobody else may be using it meanwhile."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            file = os.open(self._path.with_name(self._path.name + "-journal"), os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        else:
            try:
                overwrite_open_file(file)
            finally:
                os.close(file)
        finally:
            self._db.execute("COMMIT")


def _fitting(rows: list[tuple[bytes, bytes]], value: str) -> list[str]:
    spelled = subject_value(value)
    return [c.hex() for c, salt in rows if hmac.compare_digest(c.hex(), subject_commitment(salt, spelled))]


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        raise _error(f"cannot be {what}") from exc


def _error(what: str) -> StorageError:
    return StorageError(
        f"the salts of the audit log {what}",
        step="subject commitment",
        remedy="check that the folder exists, is writable and has space",
    )
