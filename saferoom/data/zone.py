"""The one time zone of a data set: what a moment is called there, and which day it is."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_ZONE = "+08:00"
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


def time_zone(name: str) -> tzinfo:
    """The zone called so: an offset (+08:00), `UTC`, or a place (Asia/Shanghai). Raises ValueError."""
    if name in ("UTC", "Z"):
        return UTC
    if offset := _OFFSET.fullmatch(name):
        return timezone(_shift(offset[1], int(offset[2]), int(offset[3] or 0)))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no known time zone; examples: +08:00, UTC, Asia/Shanghai") from None


def known_zone(name: str) -> str:
    """The same name, if it is one. Raises ValueError."""
    time_zone(name)
    return name


def today_in(name: str) -> date:
    """Which day it is there."""
    return datetime.now(time_zone(name)).date()


def _shift(sign: str, hours: int, minutes: int) -> timedelta:
    if hours > 14 or minutes > 59:
        raise ValueError("is no known time zone; examples: +08:00, UTC, Asia/Shanghai")
    shift = timedelta(hours=hours, minutes=minutes)
    return -shift if sign == "-" else shift
