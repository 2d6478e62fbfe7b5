"""The six stages of the data under one contract: the number and the newest entries of each, what is held.

What belongs to a contract without naming it, such as the registration of its data sets, and what became of
what its jobs left, `saferoom.audit.evidence.lifecycle` knows. It is given only the few entries that can
matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saferoom.arrays import Mask
from saferoom.audit.entries.vocabulary import EVENTS
from saferoom.audit.evidence.lifecycle import Holding, lifecycle
from saferoom.console.reading.entries import ShownEntry, load_rows
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.index import Columns, newest_first, oldest_first
from saferoom.console.words import STAGES

SHOWN = 15
MAX_TOLD = 5000
_ON_DATA = tuple(word for word in EVENTS if word.startswith("dataset."))
_TELLING = (
    *_ON_DATA,
    "contract.approved",
    "model.stored",
    "scores.stored",
    "model.exported",
    "model.destroyed",
    "destruction.begun",
    "retention.destroyed",
    "staging.destroyed",
)
"""The types from which it follows which data sets are meant, and what is held."""


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage. `first` in milliseconds since 1970, -1 if there is no entry; `entries`: the newest ones."""

    stage: str
    count: int
    refused: int
    failed: int
    first: int
    entries: list[ShownEntry]


@dataclass(frozen=True, slots=True)
class ContractLife:
    """Always six stages, in order; what jobs left, and what became of it."""

    stages: list[StageLine]
    holdings: tuple[Holding, ...]


def life_of(evidence: Evidence, columns: Columns, contract: str) -> ContractLife:
    """The life of the data under a contract."""
    index = evidence.index
    of_contract = index.where(columns, "contract", contract)
    telling = _told(evidence, columns, of_contract)
    told = [(entry.index, entry.data) for entry in telling if entry.event]
    life = lifecycle(contract, told)
    places = {(line.node, line.index) for stage in life.stages for line in stage.lines}
    rows = of_contract | _rows_of(columns, [e for e in telling if (e.event.get("node"), e.index) in places])
    stages = [
        _stage(evidence, columns, stage, rows & index.where(columns, "stage", stage)) for stage in STAGES
    ]
    return ContractLife(stages, life.holdings)


def _told(evidence: Evidence, columns: Columns, of_contract: Mask) -> list[ShownEntry]:
    """The contract's entries that tell of data sets and holdings, and what was done to any data set."""
    index = evidence.index
    on_data = index.where(columns, "type", *_ON_DATA)
    rows = (of_contract & index.where(columns, "type", *_TELLING)) | on_data
    return load_rows(evidence, columns, [int(row) for row in oldest_first(columns, rows)[-MAX_TOLD:]])


def _rows_of(columns: Columns, entries: Sequence[ShownEntry]) -> Mask:
    rows = np.zeros(len(columns), np.bool_)
    for number in {entry.log.number for entry in entries}:
        indices = [entry.index for entry in entries if entry.log.number == number]
        rows |= (columns.log == number) & np.isin(columns.entry, indices)
    return rows


def _stage(evidence: Evidence, columns: Columns, stage: str, rows: Mask) -> StageLine:
    outcomes = evidence.index.counts(columns, "outcome", rows)
    newest = newest_first(columns, rows)
    return StageLine(
        stage,
        len(newest),
        outcomes.get("refused", 0),
        outcomes.get("failed", 0),
        int(columns.time[newest].min()) if len(newest) else -1,
        load_rows(evidence, columns, [int(row) for row in newest[:SHOWN]]),
    )
