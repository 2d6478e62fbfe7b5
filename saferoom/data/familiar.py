"""How far a list is from what a model was trained on: unknown values, gaps, new writings. Counts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from saferoom.data.profile import Writing
from saferoom.data.table import CategoryColumn, PartyTable

FAR_UNSEEN, FAR_MISSING = 0.05, 0.2
"""Shares of a list's rows, above those of training, from which a word is due."""
FEWEST = 20
"""Of fewer rows the share of gaps says nothing."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a column that a model tells apart, and what share of the training rows held others."""

    listed: frozenset[str]
    others: float = 0.0


class HasLevels(Protocol):
    """A preparation that knows its columns' levels."""

    @property
    def levels(self) -> Mapping[str, Levels]:
        """Of the columns of categories."""


@dataclass(frozen=True, slots=True)
class Strangeness:
    """Of one column of a list: rows with a value that the model does not know, and rows without a value."""

    name: str
    unseen: int
    missing: int


def strangeness(table: PartyTable, preparation: HasLevels) -> list[Strangeness]:
    """Of each column of the list."""
    levels = preparation.levels
    found = []
    for name, column in table.columns.items():
        unseen = 0
        if isinstance(column, CategoryColumn) and name in levels:
            is_new = np.array([level not in levels[name].listed for level in column.levels] + [False])
            unseen = int(np.count_nonzero(is_new[column.codes]))
        found.append(Strangeness(name, unseen, column.missing))
    return found


def warnings(
    found: Sequence[Strangeness], rows: int, preparation: HasLevels, gaps: Mapping[str, float]
) -> Iterator[str]:
    """What should be looked at before these scores are used. `rows`: of the list; `gaps`: usual shares."""
    for each in found:
        others = preparation.levels.get(each.name, Levels(frozenset())).others
        if each.unseen / rows > others + FAR_UNSEEN:
            yield (
                f"column {each.name!r}: {each.unseen} of {rows} rows hold a value that the model does not "
                "know; compare how the list and the data set are written"
            )
        if rows >= FEWEST and each.missing / rows > gaps.get(each.name, 0.0) + FAR_MISSING:
            yield (
                f"column {each.name!r}: {each.missing} of {rows} rows have no value, "
                f"against {gaps.get(each.name, 0.0):.0%} in the registered data"
            )


def new_writings(
    written: Mapping[str, Writing], known: Mapping[str, Writing | None], numbers: Sequence[str]
) -> Iterator[str]:
    """Of the columns of `numbers`: ways to write them in a list that the registered data do not have."""
    for name in numbers:
        before, now = known.get(name), written.get(name)
        fresh = sorted({*(now.forms if now else ())} - {*(before.forms if before else ())})
        if now and fresh:
            yield (
                f"column {name!r}: {now.unusual} of {now.known} numbers are written unusually, first in row "
                f"{now.first_row['unusual']}, and no number in the registered data with {', '.join(fresh)}; "
                "check that they are read as they are meant"
            )
