"""The recorder: how a node writes down each act, in one line.

    record = Recorder(log, node="bank", software="saferoom 0.1.0 sha256:…")
    record.record("dataset.registered", object=DataObject.of("loans", rows=30_000))
    record.record("job.refused", outcome="refused", reason=str(error), contract=ContractRef("c-7", digest))

Write first, act after: when `record` returns, the entry is on the disk. When it raises StorageError, do not
act.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from saferoom.audit.entries.events import (
    Actor,
    Anchor,
    ContractRef,
    DataObject,
    Deletion,
    DisclosureRef,
    Event,
    ModelRef,
    PeerRef,
)
from saferoom.audit.entries.identifiers import looks_like_enterprise_code
from saferoom.audit.entries.schema import TEXT_CHARS
from saferoom.audit.entries.vocabulary import STAGE_OF, EventType, Outcome
from saferoom.audit.log.audit_log import AuditLog, Receipt

_WITHHELD = "(withheld: the text looked as if it held an enterprise code)"


def safe_reason(text: str) -> str:
    """A text fit for `reason`: one line of at most 500 characters, withheld if it seems to hold a code."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if looks_like_enterprise_code(line):
        return _WITHHELD
    return line if len(line) <= TEXT_CHARS else line[: TEXT_CHARS - 1] + "…"


class Recorder:
    """Fills in what every event of a node has: version, id, time, node, software, and who acts."""

    def __init__(self, log: AuditLog, *, node: str, software: str, actor: Actor | None = None) -> None:
        """`software` names the program and the digest it was installed from.

        `actor` acts unless another is named.
        """
        self.log = log
        self.node = node
        self.software = software
        self.actor = actor or Actor(org=node, role="node")

    def record(
        self,
        type: EventType,  # noqa: A002 - the entry's own word
        outcome: Outcome = "allowed",
        **fields: Any,
    ) -> Receipt:
        """Write one event, made by `event`, and wait until it is durable.

        Raises: UsageError if a field is not allowed; StorageError if the log cannot be written: then do not
        act.
        """
        return self.log.append(self.event(type, outcome, **fields))

    def event(
        self,
        type: EventType,  # noqa: A002 - the entry's own word
        outcome: Outcome = "allowed",
        *,
        reason: str = "",
        actor: Actor | None = None,
        contract: ContractRef | None = None,
        purpose: str = "",
        legal_basis: str = "",
        consent_ref: str = "",
        approvals: Iterable[str] = (),
        object: DataObject | None = None,  # noqa: A002 - the entry's own word
        disclosure: DisclosureRef | None = None,
        peer: PeerRef | None = None,
        session: str = "",
        subject_commit: str = "",
        model: ModelRef | None = None,
        deletion: Deletion | None = None,
        anchors: Iterable[Anchor] = (),
    ) -> Event:
        """One event, not written yet. Its stage is that of the type."""
        return Event(
            event_id=secrets.token_hex(16),
            type=type,
            stage=STAGE_OF.get(type, "use"),  # the schema refuses the type if it is unknown
            time=self._now(),
            node=self.node,
            software=self.software,
            outcome=outcome,
            reason=safe_reason(reason),
            actor=actor or self.actor,
            contract=contract,
            purpose=purpose,
            legal_basis=legal_basis,
            consent_ref=consent_ref,
            approvals=tuple(approvals),
            object=object,
            disclosure=disclosure,
            peer=peer,
            session=session,
            subject_commit=subject_commit,
            model=model,
            deletion=deletion,
            anchors=tuple(anchors),
        )

    def _now(self) -> str:
        return (
            self.log.clock().astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        )
