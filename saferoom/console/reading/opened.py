"""One opened log, and what the auditor trusts it by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from saferoom.audit.evidence.verdict import Verdict, VerdictKind
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import NoteVerifier, split_note
from saferoom.audit.witness.quorum import Quorum
from saferoom.console.reading.sources import LogFile
from saferoom.errors import UsageError, VerificationError


@dataclass(slots=True)
class OpenedLog:
    """One log. `name` stands in addresses; `keys` check it, from the auditor if `pinned`, else its own."""

    number: int
    file: LogFile
    name: str = ""
    origin: str = ""
    keys: tuple[NoteVerifier, ...] = ()
    pinned: bool = False
    quorum: Quorum | None = None
    indexed: int = 0
    note: str = ""
    problem: str = ""
    seen: tuple[str, ...] = ()
    verdict: Verdict | None = None
    checked: float = 0.0
    checked_at: datetime | None = None
    checking: bool = False

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def party(self) -> str:
        """The node whose log it says it is."""
        return self.origin.removeprefix("saferoom/") or self.name


@dataclass(frozen=True, slots=True)
class Reliance:
    """What the auditor brings: verifier keys, checkpoints kept from earlier, the greatest age accepted.

    `quorum`: whose cosignatures count for any log; `quorums`: for a log by its origin, as a contract says.
    `signing`: the signing keys that contracts pin, by contract hash and endpoint, for receipts.
    """

    keys: tuple[NoteVerifier, ...] = ()
    seen: tuple[str, ...] = ()
    max_age_s: float | None = None
    quorum: Quorum | None = None
    quorums: Mapping[str, Quorum] = field(default_factory=dict)
    signing: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        keys: Iterable[str],
        seen: Iterable[str] = (),
        max_age_s: float | None = None,
        *,
        quorum: Quorum | None = None,
        quorums: Mapping[str, Quorum] = MappingProxyType({}),
        signing: Mapping[str, Mapping[str, bytes]] = MappingProxyType({}),
    ) -> Reliance:
        """Raises: UsageError if a key cannot be used."""
        try:
            verifiers = tuple(NoteVerifier.parse(key) for key in dict.fromkeys(keys))
            return cls(verifiers, tuple(seen), max_age_s, quorum, quorums, signing)
        except VerificationError as exc:
            raise UsageError(f"a given verifier key cannot be used: {exc.message}") from exc

    def keys_of(self, origin: str) -> tuple[NoteVerifier, ...]:
        return tuple(key for key in self.keys if key.name == origin)

    def quorum_of(self, origin: str) -> Quorum | None:
        return self.quorum or self.quorums.get(origin)

    def seen_of(self, origin: str) -> tuple[str, ...]:
        """The kept checkpoints that speak of this log."""
        return tuple(note for note in self.seen if note.split("\n", 1)[0] == origin)


SEVERITY = (
    VerdictKind.INVALID,
    VerdictKind.DIVERGED,
    VerdictKind.STALE,
    VerdictKind.CONSISTENT,
    VerdictKind.WITNESSED,
)


def worst(logs: Iterable[OpenedLog]) -> VerdictKind | None:
    """The gravest verdict among the logs; None while one is still to come."""
    kinds = [log.verdict.kind if log.verdict else None for log in logs]
    return None if None in kinds else min((k for k in kinds if k), key=SEVERITY.index, default=None)


def stored_checkpoint(note: str) -> Checkpoint | None:
    """What a checkpoint says, its signatures not checked; None if it cannot be read."""
    try:
        return Checkpoint.parse(split_note(note)[0])
    except VerificationError:
        return None
