"""The closed vocabularies of an event: its types, the life cycle's six stages, outcomes, and buckets.

A new kind of act needs a new word here, and an auditor's tools learn it in the same change. Words are never
renamed: old logs keep them.
"""

from __future__ import annotations

from typing import Literal, get_args

from saferoom.errors import UsageError

Stage = Literal["collection", "transfer", "storage", "use", "sharing", "destruction"]
"""The data life cycle's stages, in their order; `STAGE_TITLES` has the policy's Chinese words."""

Outcome = Literal["allowed", "refused", "failed"]

Direction = Literal["sent", "received", "relayed"]

EventType = Literal[
    "node.started",
    "node.stopped",
    "key.made",
    "key.rotated",
    "key.revoked",
    "party.enrolled",
    "party.joined",
    "party.removed",
    "dataset.registered",
    "dataset.changed",
    "dataset.removed",
    "consent.filtered",
    "contract.drafted",
    "contract.approved",
    "contract.refused",
    "contract.signed",
    "contract.activated",
    "contract.expired",
    "contract.revoked",
    "policy.changed",
    "job.submitted",
    "job.permitted",
    "job.offered",
    "job.accepted",
    "job.refused",
    "job.started",
    "job.checkpointed",
    "job.resumed",
    "job.finished",
    "job.failed",
    "job.cancelled",
    "psi.done",
    "disclosure",
    "transcript",
    "relay.envelope",
    "model.stored",
    "model.exported",
    "model.destroyed",
    "scores.stored",
    "score.batch",
    "score.one",
    "grade.released",
    "report.issued",
    "report.verified",
    "destruction.begun",
    "retention.destroyed",
    "staging.destroyed",
    "salt.destroyed",
    "request.refused",
    "auditor.read",
    "log.recovered",
    "witness.alarm",
]

STAGE_OF: dict[EventType, Stage] = {
    "node.started": "use",
    "node.stopped": "use",
    "key.made": "storage",
    "key.rotated": "storage",
    "key.revoked": "destruction",
    "party.enrolled": "use",
    "party.joined": "use",
    "party.removed": "use",
    "dataset.registered": "collection",
    "dataset.changed": "collection",
    "dataset.removed": "destruction",
    "consent.filtered": "collection",
    "contract.drafted": "use",
    "contract.approved": "use",
    "contract.refused": "use",
    "contract.signed": "use",
    "contract.activated": "use",
    "contract.expired": "use",
    "contract.revoked": "use",
    "policy.changed": "use",
    "job.submitted": "use",
    "job.permitted": "use",
    "job.offered": "use",
    "job.accepted": "use",
    "job.refused": "use",
    "job.started": "use",
    "job.checkpointed": "storage",
    "job.resumed": "use",
    "job.finished": "use",
    "job.failed": "use",
    "job.cancelled": "use",
    "psi.done": "use",
    "disclosure": "sharing",
    "transcript": "transfer",
    "relay.envelope": "transfer",
    "model.stored": "storage",
    "model.exported": "sharing",
    "model.destroyed": "destruction",
    "scores.stored": "storage",
    "score.batch": "use",
    "score.one": "use",
    "grade.released": "sharing",
    "report.issued": "sharing",
    "report.verified": "use",
    "destruction.begun": "destruction",
    "retention.destroyed": "destruction",
    "staging.destroyed": "destruction",
    "salt.destroyed": "destruction",
    "request.refused": "transfer",
    "auditor.read": "use",
    "log.recovered": "storage",
    "witness.alarm": "storage",
}
"""The one stage of each type; entries that name another are refused."""

STAGES: tuple[Stage, ...] = get_args(Stage)
STAGE_TITLES: dict[Stage, dict[str, str]] = {
    "collection": {"en": "collection", "zh": "归集"},
    "transfer": {"en": "transfer", "zh": "传输"},
    "storage": {"en": "storage", "zh": "存储"},
    "use": {"en": "use", "zh": "使用"},
    "sharing": {"en": "sharing", "zh": "共享"},
    "destruction": {"en": "destruction", "zh": "销毁"},
}

EVENT_TYPES: frozenset[str] = frozenset(get_args(EventType))
OUTCOMES: frozenset[str] = frozenset(get_args(Outcome))
DIRECTIONS: frozenset[str] = frozenset(get_args(Direction))

_DECADES = 16


def bucket(count: int) -> str:
    """The decade a count of rows or bytes falls into: `0`, `1-9`, `10-99`, …, `1000000000000000+`.

    Raises: UsageError if count is negative.
    """
    if count < 0:
        raise UsageError("a count is not negative")
    if count == 0:
        return "0"
    digits = len(str(count))
    low = 10 ** (digits - 1)
    return f"{10 ** (_DECADES - 1)}+" if digits >= _DECADES else f"{low}-{low * 10 - 1}"


BUCKETS: frozenset[str] = frozenset([bucket(0), *(bucket(10**power) for power in range(_DECADES))])
