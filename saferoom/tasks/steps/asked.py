"""The recipient's list of enterprises to be scored, and which of them cannot be, and why.

Those are counted in the job's facts and listed in `unscored.csv` beside the scores: id, reason. Both stay
at the recipient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Ids
from saferoom.data.catalogue import Registration
from saferoom.data.csv_file import write_columns
from saferoom.data.loading import load, read
from saferoom.data.table import PartyTable
from saferoom.errors import UsageError
from saferoom.ids import normalise_uscc
from saferoom.jobs.context import JobContext
from saferoom.tasks.base import Model
from saferoom.tasks.steps.rows import list_description, with_consent

UNSCORED = "unscored.csv"
ID_PROBLEM, NO_CONSENT, NOT_HELD = "id {}", "no consent", "not held by every party"


@dataclass(frozen=True, slots=True)
class Asked:
    """`table`: the rows that can be asked for. `left_out`: (ids (m,), reason) of the others."""

    table: PartyTable
    left_out: tuple[tuple[Ids, str], ...] = ()

    def keep(self, positions: NDArray[np.int64]) -> Asked:
        """Only the rows at `positions` (m,) are held by every party."""
        gone = np.ones(len(self.table), dtype=np.bool_)
        gone[positions] = False
        return self._without(self.table.take(positions), self.table.ids[gone], NOT_HELD)

    def with_consent(self, context: JobContext) -> Asked:
        """Only the rows that may be used today, where the contract asks for consent."""
        kept = with_consent(context, self.table)
        if len(kept) == len(self.table):
            return self
        return self._without(kept, np.setdiff1d(self.table.ids, kept.ids), NO_CONSENT)

    def counts(self) -> dict[str, int]:
        """How many were left out, by reason."""
        return {reason: len(ids) for ids, reason in self.left_out if len(ids)}

    def save(self, folder: Path) -> None:
        """List them in `unscored.csv`, 0600, if there are any."""
        if self.counts():
            ids = np.concatenate([ids for ids, _ in self.left_out])
            reasons = np.repeat([reason for _, reason in self.left_out], [len(i) for i, _ in self.left_out])
            write_columns(folder / UNSCORED, {"id": ids, "reason": reasons})

    def _without(self, kept: PartyTable, ids: Ids, reason: str) -> Asked:
        return replace(self, table=kept, left_out=(*self.left_out, (ids, reason)))


def read_asked(context: JobContext, model: Model) -> Asked:
    """Read the list like the party's data set, its features alone. Raises UsageError, ConfigError."""
    registration = context.registration
    features, local = list(model.preparation.types), context.spec.local
    description = list_description(registration, Path(local["input"]), features)
    reading = read(description, features, types=model.preparation.types)
    if "id" in local:
        asked = Asked(reading.table.take(_place_of(reading.table, str(local["id"]), description.id_kind)))
    else:
        by_reason: dict[str, list[bytes]] = {}
        for _, reason, text in reading.rejected:
            by_reason.setdefault(ID_PROBLEM.format(reason), []).append(text.encode())
        asked = Asked(reading.table, tuple((np.array(ids), reason) for reason, ids in by_reason.items()))
    return asked.with_consent(context)


def check_holds(registration: Registration, file: Path, wanted: str) -> None:
    """Raise UsageError if the list does not hold the enterprise asked for: before a job is spent on it."""
    description = list_description(registration, file, [])
    _place_of(load(description, []), wanted, description.id_kind)


def _place_of(table: PartyTable, wanted: str, id_kind: str) -> NDArray[np.int64]:
    code = normalise_uscc(wanted) if id_kind == "uscc" else wanted.strip()
    found = np.flatnonzero(table.ids == code.encode())
    if not len(found):
        raise UsageError("the file does not hold the enterprise asked for", remedy="check its code")
    return found
