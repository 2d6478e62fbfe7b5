"""Private files: 0600, written whole or not at all, refused when others may read them.

    a temporary file, 0600 from its creation  ->  force to the disk  ->  put in place in one step
                                              ->  force the folder to the disk

Whoever writes has it on the disk when the call returns.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from saferoom.errors import ConfigError, StorageError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private_folder(folder: Path) -> None:
    """Make `folder` (0700) and its parents. Raises StorageError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as exc:
        raise StorageError(f"the folder {folder} cannot be made: {exc.strerror}") from exc


def write_private(path: Path, content: bytes | str, *, replace: bool = False) -> None:
    """Write `content` to `path` with mode 0600, on disk when this returns; a crash leaves old or new, whole.

    Text is written as UTF-8. A link at `path` is replaced, never followed. Raises ConfigError if something is
    there and `replace` is False, StorageError if it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _write_new(temporary, content.encode() if isinstance(content, str) else content)
        _put_in_place(temporary, path, replace)
        sync_folder(path.parent)
    except FileExistsError as exc:
        raise ConfigError(
            f"{path} is there already and is not overwritten", remedy="move it away, or name another folder"
        ) from exc
    except OSError as exc:
        raise _unwritten(path, exc) from exc
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_output(path: Path, content: bytes | str) -> None:
    """`write_private` to a place that was asked for: over what is there, in folders made where missing.

    Raises StorageError.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise _unwritten(path, exc) from exc
    write_private(path, content, replace=True)


def sync_folder(folder: Path) -> None:
    """Force the names inside `folder` to the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_private(path: Path) -> bytes:
    """Content of a file that only its owner may touch, in a folder that only its owner may enter.

    Raises ConfigError if it is missing, unreadable, not a regular file, or open to others.
    """
    try:
        check_closed_to_others(path.parent, "700")
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            _check_mode(path, os.fstat(file.fileno()), "600")
            return file.read()
    except FileNotFoundError as exc:
        raise ConfigError(
            f"{path} is missing", remedy="make the node's keys with `party init` or `coordinator init`"
        ) from exc
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc


def check_closed_to_others(path: Path, mode: str) -> None:
    """Raise ConfigError if group or others have any right on `path`."""
    _check_mode(path, path.stat(), mode)


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        temporary.replace(path)
    else:
        os.link(temporary, path)  # unlike rename, fails if the name is taken


def _unwritten(path: Path, exc: OSError) -> StorageError:
    return StorageError(
        f"{path} cannot be written: {exc.strerror}", remedy="check free space and permissions"
    )


def _check_mode(path: Path, status: os.stat_result, mode: str) -> None:
    if stat.S_IMODE(status.st_mode) & OTHERS:
        raise ConfigError(
            f"{path} is open to other users of this machine (mode {stat.S_IMODE(status.st_mode):o})",
            remedy=f"chmod {mode} {path}; if others could have read it, make new keys",
        )
