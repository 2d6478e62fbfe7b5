"""Salted commitments to subjects, and the salts that can be erased.

    subject_commit = SHA256(salt32 ‖ value)          in the entry, for ever
    salt32                                           here, in a file of its own, until it is erased

Whoever holds a salt and a value can show that an entry is about it. Without the salt nobody can, not even
by trying every possible code. The file holds salts and commitments only, no values; erasing overwrites
(`secure_delete`), though file systems and backups may keep older copies: erase those too.

The salts must never lie in the log's own file, which auditors copy.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from saferoom.audit.sqlite import make_private_file
from saferoom.errors import StorageError

SALT_BYTES = 32


def subject_commitment(salt: bytes, value: str) -> str:
    """Lower-case hexadecimal SHA256(salt ‖ UTF-8 value)."""
    return sha256(salt + value.encode()).hexdigest()


class SaltStore:
    """The erasable salts of one node. Safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        """Open or make the file, readable by its owner alone. Raises: StorageError."""
        self._path = Path(path)
        self._lock = threading.Lock()
        try:
            make_private_file(self._path)
            self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS salt (commitment BLOB PRIMARY KEY, salt BLOB NOT NULL)"
            )
        except (sqlite3.Error, OSError) as exc:
            raise self._error("cannot be opened") from exc

    def commit(self, value: str) -> str:
        """A fresh commitment to `value`, its salt kept before this returns. Raises: StorageError."""
        salt = os.urandom(SALT_BYTES)
        commitment = subject_commitment(salt, value)
        try:
            with self._lock:
                self._db.execute("INSERT INTO salt VALUES (?, ?)", (bytes.fromhex(commitment), salt))
        except sqlite3.Error as exc:
            raise self._error("cannot be written") from exc
        return commitment

    def find(self, value: str) -> list[str]:
        """Every kept commitment to `value`.

        Tries each salt: about a second for a million. Raises: StorageError.
        """
        return [commitment.hex() for commitment, salt in self._rows() if self._fits(salt, value, commitment)]

    def erase(self, value: str) -> int:
        """Destroy the salts of `value`, so that its entries are unlinked; gives how many.

        Raises: StorageError.
        """
        found = self.find(value)
        try:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(
                    "DELETE FROM salt WHERE commitment = ?", ((bytes.fromhex(c),) for c in found)
                )
                self._db.execute("COMMIT")
        except sqlite3.Error as exc:
            raise self._error("cannot be written") from exc
        return len(found)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> SaltStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self) -> list[tuple[bytes, bytes]]:
        try:
            with self._lock:
                return self._db.execute("SELECT commitment, salt FROM salt").fetchall()
        except sqlite3.Error as exc:
            raise self._error("cannot be read") from exc

    @staticmethod
    def _fits(salt: bytes, value: str, commitment: bytes) -> bool:
        return hmac.compare_digest(bytes.fromhex(subject_commitment(salt, value)), commitment)

    def _error(self, what: str) -> StorageError:
        return StorageError(
            f"the salts of the audit log {what}",
            step="subject commitment",
            remedy="check that the folder exists, is writable and has space",
        )
