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

from saferoom.audit.entries.vocabulary import Direction, EventType, Outcome, Stage, bucket

EVENT_VERSION = 1
EXACT_DIMENSION = 1000


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
    def of(
        cls,
        dataset: str,
        *,
        rows: int | None = None,
        columns: Iterable[str] = (),
        version_hash: str = "",
        classification: str = "",
    ) -> DataObject:
        """A data set with its row count put into a bucket."""
        rows_bucket = "" if rows is None else bucket(rows)
        return cls(dataset, version_hash, tuple(columns), classification, rows_bucket)


@dataclass(frozen=True, slots=True)
class DisclosureRef:
    """A value let out: its declared kind, who learns it, its shape, the protocol, the assumption made."""

    kind: str
    to: str
    shape: tuple[int | str, ...] = ()
    protocol: str = ""
    assumption: str = ""

    @classmethod
    def of(
        cls, kind: str, to: str, shape: Iterable[int], *, protocol: str = "", assumption: str = ""
    ) -> DisclosureRef:
        """With dimensions of 1,000 and more put into buckets: they are row counts."""
        dims = tuple(d if d < EXACT_DIMENSION else bucket(d) for d in map(int, shape))
        return cls(kind, to, dims, protocol, assumption)


@dataclass(frozen=True, slots=True)
class PeerRef:
    """One direction of a conversation, up to a mark: who, how much, and the transcript as hex SHA-256.

    `org` is the other end; of what the relay saw, the sender, and then `to` is the receiver. `cut` numbers
    the marks of that direction from 0, `phase` is the sender's; both are left out of what no mark covers.
    `receipt` is the sender's signature, kept by the receiver.
    """

    org: str
    direction: Direction
    messages: int | None = None
    bytes_bucket: str = ""
    transcript: str = ""
    to: str = ""
    cut: int | None = None
    phase: str = ""
    receipt: str = ""


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
_FIELDS: dict[type, tuple[str, ...]] = {cls: tuple(f.name for f in fields(cls)) for cls in (Event, *_PARTS)}


def event_dict(event: Event) -> dict[str, Any]:
    """The event as plain values, empty fields left out. The session stays a bare id: the log chains it."""
    return {"v": EVENT_VERSION, **_part_dict(event)}


def _part_dict(part: object) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in _FIELDS[type(part)]:
        value = getattr(part, name)
        # Nothing, an empty text and an empty list are left out; a zero is a value.
        if value or value == 0:
            values[name] = value if type(value) is str else _plain(value)
    return values


def _plain(value: Any) -> Any:
    if type(value) in _FIELDS:
        return _part_dict(value)
    return [_plain(item) for item in value] if type(value) is tuple else value
