"""One event: what a node says it did, or refused to do.

    Event ── actor         who asked: organisation, pseudonym, role, how authenticated
          ├─ contract      under which contract
          ├─ object        on which data set and columns, how many rows (a bucket)
          ├─ disclosure    what was let out, to whom, in which shape
          ├─ peer          what was said to or heard from whom: count, bucket, transcript digest
          ├─ model         which model
          ├─ deletion      what was destroyed, how, how checked
          └─ anchors       checkpoints of other logs last seen

Everything empty is left out of the entry. The log itself adds `session{id, seq, prev_hash}`: give it the
session's id. Never an enterprise code, never a plain hash of one: see `commitments`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from saferoom.audit.vocabulary import Direction, EventType, Outcome, Stage, bucket

EVENT_VERSION = 1
EXACT_DIMENSION = 1000
_EMPTY = (None, "", ())


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked for the act. `id` is a pseudonym; the register of names stays at the node."""

    org: str
    id: str = ""
    role: str = ""
    auth: str = ""
    cert_fingerprint: str = ""
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class ContractRef:
    """A contract by its id and the lower-case hexadecimal SHA-256 of its canonical form."""

    id: str
    hash: str = ""


@dataclass(frozen=True, slots=True)
class DataObject:
    """The data acted on. `rows_bucket` comes from `bucket(rows)`."""

    dataset: str = ""
    version_hash: str = ""
    columns: tuple[str, ...] = ()
    classification: str = ""
    rows_bucket: str = ""

    @classmethod
    def of(cls, dataset: str, *, rows: int | None = None, **more: Any) -> DataObject:
        """A data set with its row count put into a bucket."""
        return cls(dataset, rows_bucket="" if rows is None else bucket(rows), **more)


@dataclass(frozen=True, slots=True)
class DisclosureRef:
    """A value let out: its declared kind, who learns it, its shape, the protocol, the assumption made."""

    kind: str
    to: str
    shape: tuple[int | str, ...] = ()
    protocol: str = ""
    assumption: str = ""

    @classmethod
    def of(cls, kind: str, to: str, shape: Iterable[int], **more: str) -> DisclosureRef:
        """With dimensions of 1,000 and more put into buckets: they are row counts."""
        dims = tuple(d if d < EXACT_DIMENSION else bucket(d) for d in map(int, shape))
        return cls(kind, to, dims, **more)


@dataclass(frozen=True, slots=True)
class PeerRef:
    """One direction of a conversation: messages counted, bytes in a bucket, transcript as a SHA-256 in hex."""

    org: str
    direction: Direction
    messages: int | None = None
    bytes_bucket: str = ""
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class ModelRef:
    id: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was destroyed: by which method, what it covered, and how it was checked."""

    method: str
    scope: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Another log's checkpoint as last seen; `root` is lower-case hexadecimal."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry before it is written.

    `time` is UTC, `2026-01-31T08:00:00.000Z`; `session` is a session's id.
    """

    event_id: str
    type: EventType
    stage: Stage
    time: str
    node: str
    software: str
    outcome: Outcome
    reason: str = ""
    actor: Actor | None = None
    contract: ContractRef | None = None
    purpose: str = ""
    legal_basis: str = ""
    consent_ref: str = ""
    approvals: tuple[str, ...] = ()
    object: DataObject | None = None
    disclosure: DisclosureRef | None = None
    peer: PeerRef | None = None
    session: str = ""
    subject_commit: str = ""
    model: ModelRef | None = None
    deletion: Deletion | None = None
    anchors: tuple[Anchor, ...] = ()


_PARTS = (Actor, ContractRef, DataObject, DisclosureRef, PeerRef, ModelRef, Deletion, Anchor)
FIELDS: dict[type, tuple[str, ...]] = {cls: tuple(f.name for f in fields(cls)) for cls in (Event, *_PARTS)}


def event_dict(event: Event) -> dict[str, Any]:
    """The event as plain values, empty fields left out. The session stays a bare id: the log chains it."""
    return {"v": EVENT_VERSION, **_part_dict(event)}


def _part_dict(part: object) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in FIELDS[type(part)]:
        value = getattr(part, name)
        if value in _EMPTY:
            continue
        if type(value) in FIELDS:
            value = _part_dict(value)
        elif type(value) is tuple:
            value = [_part_dict(item) if type(item) in FIELDS else item for item in value]
        values[name] = value
    return values
