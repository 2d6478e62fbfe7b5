"""Quorums: how many of which witnesses must vouch for one checkpoint.

The keys come from the contract or the auditor, never from the log. Two versions of a log can both reach a
quorum only if 2·needed − witnesses of the witnesses lie: a quorum of more than half leaves no room for two
without a liar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from saferoom.audit.formats.note import COSIGNATURE_V1, NoteVerifier, parse_signature_line
from saferoom.audit.log.store import Cosignature
from saferoom.errors import UsageError, VerificationError

WITNESS_SUFFIX = "/witness"
CLOCK_SKEW_S = 300
"""A cosignature from further in the future than this does not count."""


def witness_name(origin: str) -> str:
    """The name under which the owner of the log `origin` cosigns the logs of others."""
    return origin + WITNESS_SUFFIX


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The newest checkpoint that a quorum cosigned.

    `time_s`, seconds since 1970: at least `needed` witnesses saw it then or later. `by`: their names, sorted.
    """

    size: int
    time_s: int
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quorum:
    """`needed` of `witnesses` (cosignature keys, type 04); `max_age_s`: how old the quorum may get."""

    needed: int
    witnesses: tuple[NoteVerifier, ...]
    max_age_s: float | None = None

    def __post_init__(self) -> None:
        if any(witness.kind != COSIGNATURE_V1 for witness in self.witnesses):
            raise UsageError("a witness's key is of type 04 (cosignature/v1)")
        if len({witness.public_key for witness in self.witnesses}) != len(self.witnesses):
            raise UsageError("the same witness key counts once in a quorum")
        if not 1 <= self.needed <= len(self.witnesses):
            raise UsageError(f"a quorum is 1 to {len(self.witnesses)} of {len(self.witnesses)} witnesses")

    @classmethod
    def of_keys(cls, needed: int, keys: Iterable[str], max_age_s: float | None = None) -> Quorum:
        """From verifier keys as text. Raises: UsageError."""
        try:
            return cls(needed, tuple(NoteVerifier.parse(key) for key in keys), max_age_s)
        except VerificationError as exc:
            raise UsageError(f"a given witness key cannot be used: {exc.message}") from exc

    def cosigned(self, text: str, lines: Iterable[str], *, now_s: float | None = None) -> dict[str, int]:
        """Which of the witnesses cosigned a checkpoint's `text`, and when: seconds by witness name.

        Lines of other keys are ignored, and so are times beyond `now_s`. The owner of the log vouches for it
        with every checkpoint, so its cosignature never counts, whoever gave its key.

        Raises: VerificationError if a witness's line is malformed or wrong.
        """
        origin = text.partition("\n")[0]
        known = {(witness.name, witness.key_id): witness for witness in self.witnesses}
        times: dict[str, int] = {}
        for line in lines:
            name, key_id, signature = parse_signature_line(line)
            if (witness := known.get((name, key_id))) is None or name in (origin, witness_name(origin)):
                continue
            time_s = witness.check(text, signature) or 0
            if now_s is None or time_s <= now_s + CLOCK_SKEW_S:
                times[name] = max(time_s, times.get(name, 0))
        return times

    def reached(self, size: int, times: Mapping[str, int]) -> Witnessed | None:
        """What `cosigned` found for the checkpoint of `size`, if it is enough."""
        if len(times) < self.needed:
            return None
        return Witnessed(size, sorted(times.values(), reverse=True)[self.needed - 1], tuple(sorted(times)))


def cosignature(size: int, line: str) -> Cosignature:
    """How a witness's line on the checkpoint of `size` is stored. Raises: VerificationError."""
    name, key_id, _ = parse_signature_line(line)
    return Cosignature(size, f"{name}+{key_id.hex()}", line.removesuffix("\n"))


class CosignedLog(Protocol):
    """What `newest_witnessed` reads."""

    def last_cosigned_sizes(self, limit: int) -> list[int]: ...

    def cosignatures_of(self, size: int) -> list[Cosignature]: ...

    def checkpoint(self, size: int) -> str: ...


LOOKED_BACK = 50


def newest_witnessed(reader: CosignedLog, quorum: Quorum, *, now_s: float | None = None) -> Witnessed | None:
    """The newest quorum among the last checkpoints that anybody cosigned: quick, for a page or a status line.

    Checks the witnesses' signatures and not the tree. Raises: StorageError, VerificationError.
    """
    for size in reader.last_cosigned_sizes(LOOKED_BACK):
        text = reader.checkpoint(size).partition("\n\n")[0] + "\n"
        lines = [item.line for item in reader.cosignatures_of(size)]
        if found := quorum.reached(size, quorum.cosigned(text, lines, now_s=now_s)):
            return found
    return None
