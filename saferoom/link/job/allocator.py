"""glibc's allocator, told to keep what it is given back: frames of a megabyte come and go all the time.

Left alone it returns each freed megabyte to the kernel and asks for it again; moving frames then costs
several times as much processor time.
"""

from __future__ import annotations

import ctypes
import logging

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
TRIM_BYTES, MMAP_BYTES = 256 << 20, 64 << 20

_log = logging.getLogger(__name__)


def keep_freed_memory() -> None:
    """Call once, early, in every process that moves frames. Does nothing where there is no glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        _log.debug("no mallopt here: moving frames may be slower")
        return
    mallopt(_M_TRIM_THRESHOLD, TRIM_BYTES)
    mallopt(_M_MMAP_THRESHOLD, MMAP_BYTES)
