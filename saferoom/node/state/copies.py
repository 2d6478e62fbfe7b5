"""Copies of a node's state, kept beside it when its tables are changed: `state-<version>-<time>.db`, 0600.

A copy holds what its state held, results in the rows of jobs too. What is destroyed in the state is
destroyed in its copies (`State.forget_results`).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from saferoom.audit.log.erasure import wipe_file
from saferoom.errors import StorageError
from saferoom.files.private import sync_folder


def copies_of(state: Path) -> list[Path]:
    """The whole copies that lie beside a state, oldest first within a version."""
    return sorted(state.parent.glob(f"{state.stem}-*.db"))


def copy_state(state: Path, version: str, now: datetime) -> Path:
    """Copy the state, whole and checked, before it leaves `version`; returns the copy. Raises StorageError.

    Nobody may be writing to the state meanwhile.
    """
    target = state.with_name(f"{state.stem}-{version}-{now:%Y%m%dT%H%M%SZ}.db")
    part = target.with_suffix(".part")
    _drop_parts(state)
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _fill(part, state)
        part.rename(target)
        sync_folder(target.parent)
    except (sqlite3.Error, OSError) as error:
        _drop_parts(state)
        raise StorageError(
            f"the state cannot be copied ({type(error).__name__}), so it is left as it is",
            step="copy the state",
            remedy="free disk space; if the state is damaged, put the newest backup of the home back",
        ) from error
    return target


def _fill(part: Path, state: Path) -> None:
    """SQLite's own copy: without free pages, and with what still stands in the write-ahead log."""
    with closing(sqlite3.connect(state, isolation_level=None)) as database:
        database.execute("VACUUM INTO ?", (str(part),))
    with closing(sqlite3.connect(part)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError("the copy is damaged")
    file = os.open(part, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _drop_parts(state: Path) -> None:
    """What a copy that was broken off has left."""
    for part in state.parent.glob(f"{state.stem}-*.part"):
        wipe_file(part)
