"""The allow-list: which fields an entry may hold, and what each may look like.

The same check stands before every append and in the verifier. A field that is not named here is refused, so
is a text that is too long, holds control characters, or looks like an enterprise code. Messages name
fields, never values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from saferoom.audit.entries.events import EVENT_VERSION
from saferoom.audit.entries.identifiers import looks_like_enterprise_code
from saferoom.audit.entries.vocabulary import BUCKETS, DIRECTIONS, EVENT_TYPES, EVENTS, OUTCOMES, STAGES
from saferoom.errors import UsageError

Check = Callable[[object], bool]

NAME_CHARS = 128
TEXT_CHARS = 500
MAX_COLUMNS = 2000
MAX_ITEMS = 64
MAX_COUNT = 2**53 - 1

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TIME = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@lru_cache(maxsize=4096)
def _is_clean(text: str) -> bool:
    """Neither control characters nor an enterprise code. Kept, because names come again and again."""
    return _CONTROL.search(text) is None and not looks_like_enterprise_code(text)


def _text(limit: int) -> Check:
    return lambda value: type(value) is str and 0 < len(value) <= limit and _is_clean(value)


def _matching(pattern: re.Pattern[str]) -> Check:
    return lambda value: type(value) is str and pattern.fullmatch(value) is not None


def _one_of(known: Iterable[str]) -> Check:
    words = frozenset(known)
    return lambda value: type(value) is str and value in words


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _list_of(item: Check, limit: int) -> Check:
    return lambda value: type(value) is list and 0 < len(value) <= limit and all(map(item, value))


def _dimension(value: object) -> bool:
    return _count(value) or (type(value) is str and value in BUCKETS)


def _object_of(required: dict[str, Check], optional: dict[str, Check]) -> Check:
    known, needed = required | optional, required.keys()

    def fits(value: object) -> bool:
        if type(value) is not dict or not value or not needed <= value.keys():
            return False
        for name, item in value.items():
            check = known.get(name)
            if check is None or not check(item):
                return False
        return True

    return fits


_name = _text(NAME_CHARS)
_long = _text(TEXT_CHARS)
_hash = _matching(_HASH)
_bucket = _one_of(BUCKETS)

REQUIRED: dict[str, Check] = {
    "v": lambda value: type(value) is int and value == EVENT_VERSION,
    "event_id": _matching(_EVENT_ID),
    "type": _one_of(EVENT_TYPES),
    "stage": _one_of(STAGES),
    "time": _matching(_TIME),
    "node": _name,
    "software": _name,
    "outcome": _one_of(OUTCOMES),
}
OPTIONAL: dict[str, Check] = {
    "reason": _long,
    "actor": _object_of(
        {"org": _name},
        dict.fromkeys(("id", "role", "auth", "cert_fingerprint", "on_behalf_of"), _name),
    ),
    "contract": _object_of({"id": _name}, {"hash": _name}),
    "purpose": _long,
    "legal_basis": _long,
    "consent_ref": _name,
    "approvals": _list_of(_name, MAX_ITEMS),
    "object": _object_of(
        {},
        {
            "dataset": _name,
            "version_hash": _name,
            "columns": _list_of(_name, MAX_COLUMNS),
            "classification": _name,
            "rows_bucket": _bucket,
        },
    ),
    "disclosure": _object_of(
        {"kind": _name, "to": _name},
        {"shape": _list_of(_dimension, MAX_ITEMS), "protocol": _name, "assumption": _long},
    ),
    "peer": _object_of(
        {"org": _name, "direction": _one_of(DIRECTIONS)},
        {
            "to": _name,
            "cut": _count,
            "phase": _name,
            "messages": _count,
            "bytes_bucket": _bucket,
            "transcript": _hash,
            "receipt": _matching(_SIGNATURE),
        },
    ),
    "session": _object_of({"id": _name, "seq": _count, "prev_hash": _hash}, {}),
    "subject_commit": _hash,
    "model": _object_of({"id": _name}, {"version": _name}),
    "deletion": _object_of({"method": _name}, {"scope": _long, "check": _long}),
    "anchors": _list_of(
        _object_of({"origin": _name, "size": _count, "root": _hash}, {}),
        MAX_ITEMS,
    ),
}
_ALL = REQUIRED | OPTIONAL


def fault(event: Mapping[str, object]) -> str:
    """What is wrong with an event, in words without values; empty if nothing is."""
    if not REQUIRED.keys() <= event.keys():
        return f"the field {min(REQUIRED.keys() - event.keys())!r} is missing"
    for name, value in event.items():
        check = _ALL.get(name)
        if check is None:
            return "there is a field that the schema does not name"
        if not check(value):
            return f"the field {name!r} is not what the schema allows there"
    if event["stage"] != EVENTS[str(event["type"])].stage:
        return "the field 'stage' is not the stage of this type"
    return ""


def check_event(event: Mapping[str, object]) -> None:
    """Refuse an event that the schema does not allow. Raises: UsageError."""
    wrong = fault(event)
    if wrong:
        raise UsageError(
            f"the event cannot be logged: {wrong}",
            step="append to the audit log",
            remedy="see docs/protocols/audit.md for the fields; identifiers of enterprises never go in",
        )
