"""What comparing logs found: findings with who is at fault, and the flows that were compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

FindingKind = Literal["missing", "mismatched", "late", "forged"]
FINDINGS_EXIT = 13

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit.

    `by` is whose log is at fault; "a or b" where the given logs cannot tell. `entries` are the (origin,
    index) that show it.
    """

    kind: FindingKind
    by: str
    job: str
    contract: str
    what: str
    why: str
    entries: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a conversation up to one mark, and where its three entries stand."""

    job: str
    sender: str
    receiver: str
    cut: int
    phase: str
    messages: tuple[int, int]
    """Numbers of the first and the last message since the mark before, counted from 1."""
    sent: Place | None
    received: Place | None
    relayed: Place | None
    state: Literal["matched", "unmatched", "not compared"]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Everything that was compared. `notes` say what could not be, and why."""

    logs: tuple[str, ...]
    jobs: int
    findings: tuple[Finding, ...]
    flows: tuple[Flow, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def not_proved(self) -> str:
        return (
            "Not proved: what none of these logs saw. "
            "Two ends that hide what they said outside the relay leave no trace."
        )

    def exit_code(self) -> int:
        return 0 if self.ok else FINDINGS_EXIT

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        return {"ok": self.ok, **values, "not_proved": self.not_proved}
