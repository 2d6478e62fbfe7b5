"""The opened logs compared with each other: one job in its request, all of them behind the pages.

What is missing, mismatched, late or forged, and in whose log, `saferoom.audit.reconcile.logs` decides. It
gets only entries that the schema allows; a log that is opened twice is compared once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from saferoom.audit.evidence.verdict import VerdictKind
from saferoom.audit.log.store import Identity
from saferoom.audit.reconcile.findings import Reconciliation
from saferoom.audit.reconcile.logs import reconcile
from saferoom.console.reading.opened import OpenedLog

SigningKeys = Mapping[str, Mapping[str, bytes]]
"""Contract hash (hexadecimal) to the signing keys it pins, by endpoint."""


@dataclass(slots=True)
class _Told:
    """Some entries of one log, as `reconcile` reads them."""

    origin: str
    told: list[tuple[int, bytes]] = field(default_factory=list)

    def identity(self) -> Identity:
        return Identity(0, self.origin, "")

    def entries(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        return (one for one in self.told if start <= one[0] < end)


def compare_job(
    logs: Sequence[OpenedLog], signing: SigningKeys, entries: Iterable[tuple[int, int, bytes]], job: str
) -> Reconciliation:
    """Compare what the logs say of one job. `entries`: (log number, index, bytes) that the schema allows."""
    told = {log.number: _Told(log.origin) for log in _once_each(logs)}
    for number, index, data in entries:
        if number in told:
            told[number].told.append((index, data))
    return reconcile(list(told.values()), keys=signing, job=job)


def compare_all(logs: Sequence[OpenedLog], signing: SigningKeys) -> Reconciliation | None:
    """Compare all logs; None if there are less than two that have a verdict, and not INVALID.

    Raises: StorageError, VerificationError.
    """
    sound = [log for log in _once_each(logs) if log.verdict and log.verdict.kind is not VerdictKind.INVALID]
    if len(sound) < 2:
        return None
    with ExitStack() as stack:
        snapshots = [stack.enter_context(log.file.opened()) for log in sound]
        return reconcile(snapshots, keys=signing)


def _once_each(logs: Iterable[OpenedLog]) -> list[OpenedLog]:
    """The logs that can be read, each origin once."""
    first: dict[str, OpenedLog] = {}
    for log in logs:
        if log.origin and not log.problem:
            first.setdefault(log.origin, log)
    return list(first.values())
