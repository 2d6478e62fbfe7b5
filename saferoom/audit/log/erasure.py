"""Destroying files so that neither their names nor their bytes are left where anybody can read them.

    overwrite with zeros, in place  ->  force to the disk  ->  unlink  ->  force the folder to the disk

What no program can reach: blocks that a flash disk, a copying file system or a snapshot has put aside, and
backups. Encrypt the disk that a node's home lies on, and let backups expire with the retention time.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from saferoom.errors import StorageError
from saferoom.files.private import sync_folder

METHOD = "overwrite with zeros, unlink"
_CHUNK = 1 << 20


def wipe_file(path: Path) -> None:
    """Destroy one file; nothing happens if it is not there. A link is removed, not followed.

    Raises: StorageError.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            _overwrite(path)
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise _error(path, exc) from exc


def wipe_tree(folder: Path) -> int:
    """Destroy a folder and every file in it; gives the number of files. 0 if it is not there.

    Whatever can be destroyed is, even where something else cannot. Raises: StorageError, for the first that
    could not.
    """
    if folder.is_symlink() or not folder.is_dir():
        found = int(os.path.lexists(folder))
        wipe_file(folder)
        return found
    wiped, problems = 0, []
    for path in _children(folder):
        try:
            wiped += wipe_tree(path)
        except StorageError as exc:
            problems.append(exc)
    if problems:
        raise problems[0]
    try:
        folder.rmdir()
        sync_folder(folder.parent)
    except OSError as exc:
        raise _error(folder, exc) from exc
    return wiped


def count_files(folder: Path) -> int:
    """How many files lie in a folder, at any depth; 0 if it is not there."""
    return sum(len(names) for _, _, names in os.walk(folder))


def overwrite_open_file(file: int) -> None:
    """Overwrite what an open file holds with zeros, at its present size, and force it to the disk."""
    left = os.fstat(file).st_size
    os.lseek(file, 0, os.SEEK_SET)
    while left > 0:
        left -= os.write(file, bytes(min(left, _CHUNK)))
    os.fsync(file)


def _overwrite(path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        overwrite_open_file(file)
    finally:
        os.close(file)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as exc:
        raise _error(folder, exc) from exc


def _error(path: Path, exc: OSError) -> StorageError:
    return StorageError(
        f"{path.name} cannot be destroyed: {exc.strerror or type(exc).__name__}",
        step="destroy",
        remedy="see who owns it and whether its disk can be written; it is tried again",
    )
