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

from saferoom.audit.entries.vocabulary import Meaning
from saferoom.audit.witness.quorum import Witnessed


class VerdictKind(Enum):
    """A verdict and the exit code of its own. WITNESSED and CONSISTENT both pass; see `Verdict.exit_code`."""

    WITNESSED = 0
    INVALID = 1
    CONSISTENT = 10
    STALE = 11
    DIVERGED = 12


@dataclass(frozen=True, slots=True)
class VerdictMeaning:
    """What a verdict says to a reader, and what it does not prove."""

    says: Meaning
    not_proved: Meaning


VERDICTS: dict[VerdictKind, VerdictMeaning] = {
    VerdictKind.WITNESSED: VerdictMeaning(
        Meaning("见证方已为这段历史作证", "Others vouch for this history"),
        Meaning(
            "未能证明：发生过的一切都已入账；请对照每次会话两端的日志。见证范围之后的条目仍可能被改动。",
            "Not proved: that everything that was done was logged; compare both ends of every conversation. "
            "Entries after the witnessed size may still be changed.",
        ),
    ),
    VerdictKind.CONSISTENT: VerdictMeaning(
        Meaning("自洽，但除所有者外无人作证", "It fits together; nobody else vouches for it"),
        Meaning(
            "未能证明：这是日志的唯一版本，或发生过的一切都已入账；在您看到之前，其所有者可能已改写过日志。",
            "Not proved: that this is the only version of the log, or that everything that was done was "
            "logged; its owner could have rewritten it before you saw it.",
        ),
    ),
    VerdictKind.STALE: VerdictMeaning(
        Meaning("自洽，但作证的时间已过久", "It fits together, but what vouches for it is too old"),
        Meaning(
            "未能证明：此后没有发生过任何事；更新的条目可能被扣留，或见证方被阻隔在外。",
            "Not proved: that nothing was done since; newer entries may be withheld, or witnesses kept away.",
        ),
    ),
    VerdictKind.DIVERGED: VerdictMeaning(
        Meaning("与您持有的检查点矛盾", "It contradicts a checkpoint that you hold"),
        Meaning(
            "未能证明：哪个版本是真实的；请将两份签名检查点一并留作证据。",
            "Not proved: which version is the true one; keep both signed checkpoints as evidence.",
        ),
    ),
    VerdictKind.INVALID: VerdictMeaning(
        Meaning("不自洽，或由其他密钥签名", "It does not fit together, or another key signed it"),
        Meaning(
            "什么也没有证明：请勿采信本日志的任何条目。",
            "Nothing is proved: do not rely on any entry of this log.",
        ),
    ),
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
        return VERDICTS[self.kind].not_proved.en + ("" if self.key_verified else own_word)

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
