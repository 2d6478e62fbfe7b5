"""Results, handed to people where they asked for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from saferoom.errors import StorageError


def hand_out(result: Path, target: str) -> str:
    """Where a result lies, once it is copied to `target` with the mode it has here; "" leaves it here alone.

    Raises StorageError if it cannot be copied.
    """
    if not target:
        return str(result)
    try:
        shutil.copy(result, target)
    except OSError as error:
        raise StorageError(
            f"cannot write {target}: {error.strerror}",
            step="copy",
            remedy="name another file; the result is kept",
        ) from error
    return target
