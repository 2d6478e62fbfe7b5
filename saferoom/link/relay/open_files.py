"""How many files, and so connections, this process may have open at once."""

from __future__ import annotations

import logging
import resource

_log = logging.getLogger(__name__)


def allow_open_files(wanted: int) -> bool:
    """Raise this process's limit to `wanted` if it is lower; whether the limit is that high now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return True
    most = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        _log.warning("this process may open %d files only; set LimitNOFILE=%d or more", most, wanted)
    return most >= wanted
