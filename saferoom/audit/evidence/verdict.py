"""Verdicts: what a check of a log found, and what it does not prove.

WITNESSED    everything fits together, and a quorum of the auditor's witnesses cosigned it, lately enough
CONSISTENT   everything fits together, and too few others vouch for it, or the auditor named none
STALE        consistent, but its newest quorum (without witnesses: its newest entry) is older than accepted
DIVERGED     it fits together, but not with a checkpoint that the auditor holds: history was changed
INVALID      it does not fit together, or is not signed by the key the auditor trusts
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from saferoom.audit.witness.quorum import Witnessed


class VerdictKind(Enum):
    """A verdict and the exit code of its own. WITNESSED and CONSISTENT both pass; see `Verdict.exit_code`."""

    WITNESSED = 0
    INVALID = 1
    CONSISTENT = 10
    STALE = 11
    DIVERGED = 12


NOT_PROVED: dict[VerdictKind, str] = {
    VerdictKind.WITNESSED: (
        "Not proved: that everything that was done was logged; compare both ends of every conversation. "
        "Entries after the witnessed size may still be changed."
    ),
    VerdictKind.CONSISTENT: (
        "Not proved: that this is the only version of the log, or that everything that was done was logged; "
        "its owner could have rewritten it before you saw it."
    ),
    VerdictKind.STALE: (
        "Not proved: that nothing was done since; newer entries may be withheld, or witnesses kept away."
    ),
    VerdictKind.DIVERGED: (
        "Not proved: which version is the true one; keep both signed checkpoints as evidence."
    ),
    VerdictKind.INVALID: "Nothing is proved: do not rely on any entry of this log.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of `verify_log`.

    `size`, `root` (hexadecimal) and the times are those recomputed from stored bytes. `faults` says what is
    wrong, at most a hundred findings, without any value of an entry. `key_verified`: the key came from the
    auditor, not from the log. `witnessed`: the newest checkpoint that a quorum of the auditor's witnesses
    cosigned.
    """

    kind: VerdictKind
    origin: str
    size: int
    root: str
    checkpoints: int
    sessions: int
    first_time: str
    last_time: str
    key_verified: bool
    faults: tuple[str, ...] = ()
    witnessed: Witnessed | None = None

    @property
    def ok(self) -> bool:
        """Whether the check passed: WITNESSED or CONSISTENT."""
        return self.kind in (VerdictKind.WITNESSED, VerdictKind.CONSISTENT)

    @property
    def not_proved(self) -> str:
        """What the verdict does not prove; one sentence more if the key is only the log's own word."""
        own_word = " The key is the one the log itself names, so its owner is not proved either."
        return NOT_PROVED[self.kind] + ("" if self.key_verified else own_word)

    def exit_code(self, *, require_witnesses: bool = False) -> int:
        """0 if the check passed.

        An auditor who requires witnesses gets CONSISTENT's own code, 10, as well.
        """
        return 0 if self.ok and not require_witnesses else self.kind.value

    def to_dict(self) -> dict[str, Any]:
        """For `verify.json`."""
        values = asdict(self)
        del values["kind"]
        return {
            "verdict": self.kind.name,
            **values,
            "ok": self.ok,
            "not_proved": self.not_proved,
            "faults": list(self.faults),
            "witnessed": self.witnessed and {**asdict(self.witnessed), "by": list(self.witnessed.by)},
        }
