"""The six stages of the data under one contract: how many entries, and the newest of each."""

from __future__ import annotations

from dataclasses import dataclass

from saferoom.console.entries import ShownEntry, load_rows
from saferoom.console.evidence import Evidence
from saferoom.console.index import Columns, newest_first
from saferoom.console.words import STAGES

SHOWN = 15


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage. `first` in milliseconds since 1970, -1 if there is no entry; `entries`: the newest ones."""

    stage: str
    count: int
    refused: int
    failed: int
    first: int
    entries: list[ShownEntry]


def stages_of(evidence: Evidence, columns: Columns, contract: str) -> list[StageLine]:
    """All six stages, in order, empty ones too."""
    index, lines = evidence.index, []
    of_contract = index.where(columns, "contract", contract)
    for stage in STAGES:
        rows = of_contract & index.where(columns, "stage", stage)
        outcomes = index.counts(columns, "outcome", rows)
        newest = newest_first(columns, rows)
        lines.append(
            StageLine(
                stage,
                len(newest),
                outcomes.get("refused", 0),
                outcomes.get("failed", 0),
                int(columns.time[newest].min()) if len(newest) else -1,
                load_rows(evidence, columns, [int(row) for row in newest[:SHOWN]]),
            )
        )
    return lines
