"""Filters over the index: from a page's address to the rows it shows, and back to an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import numpy as np

from saferoom.arrays import Mask
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, milliseconds
from saferoom.errors import UsageError

PAGE_SIZE = 50

_DIRECT = ("type", "stage", "outcome", "purpose", "dataset", "kind", "to", "subject")
"""Filters that are one facet's text."""
_IDS = ("contract", "session")
"""Filters that are an id, or the beginning of one."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. Empty fields match everything; all given ones must match.

    `since` and `until` are days or times in UTC: since <= time < until, where a day as `until` is included.
    `party` is any node or organisation an entry names, `actor` who acted, `log` one log's name.
    """

    log: str = ""
    since: str = ""
    until: str = ""
    party: str = ""
    actor: str = ""
    contract: str = ""
    purpose: str = ""
    dataset: str = ""
    session: str = ""
    type: str = ""
    stage: str = ""
    outcome: str = ""
    kind: str = ""
    to: str = ""
    subject: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Query:
        """From an address's parameters; others are ignored."""
        return cls(**{f.name: params.get(f.name, "").strip() for f in fields(cls)})

    @property
    def given(self) -> dict[str, str]:
        """The filters that are set."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if value}

    def address(self, **more: str | int) -> str:
        """The query as an address's parameters."""
        return urlencode(self.given | {name: str(value) for name, value in more.items()})

    def without(self, name: str) -> Query:
        return replace(self, **{name: ""})


def matching(evidence: Evidence, columns: Columns, query: Query) -> Mask:
    """The rows (n,) that match. Raises: UsageError if a time cannot be read."""
    index = evidence.index
    rows = np.ones(len(columns), np.bool_)
    if query.log:
        log = evidence.log(query.log)
        rows &= columns.log == (log.number if log else -1)
    if query.since:
        rows &= columns.time >= _moment(query.since)
    if query.until:
        rows &= columns.time < _moment(query.until, end_of_day=True)
    for name in _DIRECT:
        value = getattr(query, name)
        if value:
            rows &= index.where(columns, name, value)
    for name in _IDS:
        value = getattr(query, name)
        if value:
            rows &= index.where(columns, name, *(index.names[name].beginning(value) or [value]))
    if query.party:
        rows &= _any_of(evidence, columns, ("party", "org", "on_behalf_of", "peer", "to"), query.party)
    if query.actor:
        rows &= _any_of(evidence, columns, ("actor", "org", "on_behalf_of"), query.actor)
    return rows


def _any_of(evidence: Evidence, columns: Columns, facets: tuple[str, ...], text: str) -> Mask:
    rows = np.zeros(len(columns), np.bool_)
    for facet in facets:
        rows |= evidence.index.where(columns, facet, text)
    return rows


def _moment(text: str, *, end_of_day: bool = False) -> int:
    """Milliseconds since 1970 of a day or a time in UTC."""
    found = milliseconds(text)
    if found < 0:
        raise UsageError(
            f"{text!r} is not a time", step="search", remedy="write 2026-01-31 or 2026-01-31T08:00Z"
        )
    if end_of_day and len(text) == len("2026-01-31"):
        found += timedelta(days=1) // timedelta(milliseconds=1)
    return found


def day(milliseconds_: int) -> str:
    """The day of a time, `2026-01-31`."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds_)).date().isoformat()
