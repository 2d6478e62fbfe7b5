"""The recipient's list of enterprises to be scored, and which of them cannot be, and why.

Those are counted in the job's facts and listed in `unscored.csv` beside the scores: id, reason. Both stay
at the recipient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Ids
from saferoom.data.catalogue import Registration
from saferoom.data.csv_file import write_columns
from saferoom.data.dataset import DatasetDescription
from saferoom.data.familiar import new_writings, strangeness, warnings
from saferoom.data.list_file import describe_list, other_columns
from saferoom.data.loading import Reading, look_and_read
from saferoom.data.profile import Writing
from saferoom.data.table import PartyTable
from saferoom.errors import UsageError
from saferoom.ids import normalise_uscc
from saferoom.jobs.context import JobContext
from saferoom.tasks.base import Model
from saferoom.tasks.steps.rows import with_consent

UNSCORED = "unscored.csv"
ID_PROBLEM, NO_CONSENT, NOT_HELD = "id {}", "no consent", "not held by every party"


@dataclass(frozen=True, slots=True)
class Asked:
    """`table`: the rows that can be asked for, in the list's order.

    `left_out`: (ids (m,), reason) of the others. `kept`: by name, the columns (n,) of the list that go along
    beside the scores.
    """

    table: PartyTable
    left_out: tuple[tuple[Ids, str], ...] = ()
    kept: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    def keep(self, positions: NDArray[np.int64]) -> Asked:
        """Only the rows at `positions` (m,) are held by every party."""
        is_held = np.zeros(len(self.table), dtype=np.bool_)
        is_held[positions] = True
        return self._without(is_held, NOT_HELD)

    def with_consent(self, context: JobContext) -> Asked:
        """Only the rows that may be used today, where the contract asks for consent."""
        kept = with_consent(context, self.table)
        return (
            self
            if len(kept) == len(self.table)
            else self._without(np.isin(self.table.ids, kept.ids), NO_CONSENT)
        )

    def counts(self) -> dict[str, int]:
        """How many were left out, by reason."""
        return {reason: len(ids) for ids, reason in self.left_out if len(ids)}

    def save(self, folder: Path) -> None:
        """List them in `unscored.csv`, 0600, if there are any."""
        if self.counts():
            ids = np.concatenate([ids for ids, _ in self.left_out])
            reasons = np.repeat([reason for _, reason in self.left_out], [len(i) for i, _ in self.left_out])
            write_columns(folder / UNSCORED, {"id": ids, "reason": reasons})

    def _without(self, stay: NDArray[np.bool_], reason: str) -> Asked:
        return Asked(
            self.table.take(stay),
            (*self.left_out, (self.table.ids[~stay], reason)),
            {name: column[stay] for name, column in self.kept.items()},
        )


def read_asked(context: JobContext, model: Model) -> Asked:
    """Read the list like the party's data set, its features alone. Raises UsageError, ConfigError.

    How strange it is to the model is told in the job's facts.
    """
    registration, local = context.registration, context.spec.local
    description, reading, written = _read(registration, model, local)
    if "id" in local:
        asked = Asked(reading.table.take(_place_of(reading.table, str(local["id"]), description.id_kind)))
    else:
        kept = other_columns(description, reading.rows) if local.get("keep") else {}
        asked = Asked(reading.table, _rejected(reading), kept)
    context.facts["list"] = _strangeness(asked.table, written, model, registration)
    return asked.with_consent(context)


def count_asked(registration: Registration, model: Model, local: Mapping[str, Any]) -> int:
    """How many scores are asked for: before a job is spent on a list that cannot be read as the job would.

    `local`: `input`, `reading`, and `id` where one enterprise is asked for. Raises UsageError, ConfigError.
    """
    description, reading, _ = _read(registration, model, local)
    if "id" not in local:
        return len(reading.table)
    return len(_place_of(reading.table, str(local["id"]), description.id_kind))


def _read(
    registration: Registration, model: Model, local: Mapping[str, Any]
) -> tuple[DatasetDescription, Reading, Mapping[str, Writing]]:
    types = model.preparation.types
    description = describe_list(
        registration.description, Path(local["input"]), list(types), local.get("reading", {})
    )
    return description, *look_and_read(description, types=types)


def _strangeness(
    table: PartyTable, written: Mapping[str, Writing], model: Model, registration: Registration
) -> dict[str, Any]:
    found = strangeness(table, model.preparation)
    known = {column.name: column.writing for column in registration.columns}
    numbers = [name for name, type_ in model.preparation.types.items() if type_ == "numeric"]
    return {
        "unseen": {each.name: each.unseen for each in found if each.unseen},
        "missing": {each.name: each.missing for each in found if each.missing},
        "warnings": [
            *warnings(found, len(table), model.preparation, registration.gaps),
            *new_writings(written, known, numbers),
        ],
    }


def _rejected(reading: Reading) -> tuple[tuple[Ids, str], ...]:
    by_reason: dict[str, list[bytes]] = {}
    for _, reason, text in reading.rejected:
        by_reason.setdefault(ID_PROBLEM.format(reason), []).append(text.encode())
    return tuple((np.array(ids), reason) for reason, ids in by_reason.items())


def _place_of(table: PartyTable, wanted: str, id_kind: str) -> NDArray[np.int64]:
    code = normalise_uscc(wanted) if id_kind == "uscc" else wanted.strip()
    found = np.flatnonzero(table.ids == code.encode())
    if not len(found):
        raise UsageError("the file does not hold the enterprise asked for", remedy="check its code")
    return found
