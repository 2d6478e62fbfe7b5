"""Finding entries: by time, party, actor, contract, purpose, data set, stage, outcome, job, subject.

Most entries are put aside by looking for the wanted words in their bytes, which costs a fraction of decoding
them: canonical JSON has one spelling for each value. What is left is decoded and compared field by field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from saferoom.audit.formats.canonical import decode
from saferoom.errors import UsageError

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{3})?)?Z)?")


class Entries(Protocol):
    """Anything that has numbered entries."""

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]: ...


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: all that is given must fit, what is empty fits everything.

    `since` <= time < `until`, as `2026-01-31` or `2026-01-31T08:00:00.000Z`. `party` acts or is spoken with;
    `actor` is an organisation or a pseudonym; `contract` and `session` are beginnings of ids. `subjects` are
    commitments, of which one must be the entry's.
    """

    since: str = ""
    until: str = ""
    types: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    party: str = ""
    actor: str = ""
    contract: str = ""
    purpose: str = ""
    dataset: str = ""
    session: str = ""
    subjects: tuple[str, ...] | None = field(default=None)

    def __post_init__(self) -> None:
        for text in (self.since, self.until):
            if text and not _TIME.fullmatch(text):
                raise UsageError(f"{text!r} is not a time", remedy="write 2026-01-31 or 2026-01-31T08:00:00Z")

    @property
    def is_everything(self) -> bool:
        return self == Query()

    def to_dict(self) -> dict[str, Any]:
        """What was asked for, without what was left open."""
        given = {name: value for name, value in asdict(self).items() if value not in ("", (), None)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that fits: its index, its exact bytes, and what they say."""

    index: int
    data: bytes
    event: dict[str, Any]


def search(source: Entries, query: Query, *, start: int = 0, end: int = 2**62) -> Iterator[Found]:
    """The entries that fit, by index. Raises: VerificationError if one is not canonical; StorageError."""
    words = _needed_words(query)
    for index, data in source.entries(start, end):
        if all(any(word in data for word in choice) for choice in words):
            event = decode(data)
            if fits(event, query):
                yield Found(index, data, event)


def _needed_words(query: Query) -> list[list[bytes]]:
    """For each given field the spellings of which one must stand in an entry's bytes."""
    exact = [query.party, query.actor, query.purpose, query.dataset]
    words = [[json.dumps(text, ensure_ascii=False).encode()] for text in exact if text]
    words += [
        [json.dumps(text, ensure_ascii=False)[:-1].encode()]
        for text in (query.contract, query.session)
        if text
    ]
    for name, choices in (("type", query.types), ("stage", query.stages), ("outcome", query.outcomes)):
        if choices:
            words.append([f'"{name}":"{choice}"'.encode() for choice in choices])
    if query.subjects is not None:
        words.append([subject.encode() for subject in query.subjects])
    return words


def fits(event: dict[str, Any], query: Query) -> bool:
    """Whether an event is what the query asks for."""
    return (
        (not query.since or event["time"] >= query.since)
        and (not query.until or event["time"] < query.until)
        and (not query.types or event["type"] in query.types)
        and (not query.stages or event["stage"] in query.stages)
        and (not query.outcomes or event["outcome"] in query.outcomes)
        and query.party in ("", *_parties(event))
        and query.actor in ("", event.get("actor", {}).get("id"), event.get("actor", {}).get("org"))
        and str(event.get("contract", {}).get("id", "")).startswith(query.contract)
        and query.purpose in ("", event.get("purpose"))
        and query.dataset in ("", event.get("object", {}).get("dataset"))
        and str(event.get("session", {}).get("id", "")).startswith(query.session)
        and (query.subjects is None or event.get("subject_commit") in query.subjects)
    )


def _parties(event: dict[str, Any]) -> tuple[str, ...]:
    """Everybody whom an event names as acting, spoken with, or learning."""
    actor, peer = event.get("actor", {}), event.get("peer", {})
    named = (event["node"], actor.get("org"), actor.get("on_behalf_of"), peer.get("org"), peer.get("to"))
    return tuple(name for name in (*named, event.get("disclosure", {}).get("to")) if name)
