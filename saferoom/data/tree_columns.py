"""From a party's table to the binned columns that trees are grown on.

Fitted on training rows, kept with the model.

A level that training did not see goes where all other levels go; a number beyond the outer edges lies in an
outer bin; a missing value goes where each split sends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from saferoom.data.familiar import Levels
from saferoom.data.table import CategoryColumn, ColumnType, PartyTable
from saferoom.data.woe import assign, listed_levels, with_canonical_levels
from saferoom.errors import StorageError
from saferoom.models.boosting.columns import binned, level_bins, number_bins
from saferoom.models.scorecard.binning import Bins, CategoryBins, NumberBins, bins_from_dict
from saferoom.protocols.bins import BinnedFeature

FORMAT = "saferoom tree columns 1"


@dataclass(frozen=True, slots=True, eq=False)
class TreeColumns:
    """Bins of each column, in the table's order, and how many training rows each holds.

    `dropped` says why other columns have none.
    """

    bins: Mapping[str, Bins]
    rows: Mapping[str, tuple[int, ...]]
    dropped: Mapping[str, str]

    @classmethod
    def fit(cls, table: PartyTable, most: int) -> TreeColumns:
        """At most `most` bins a column, missing values not counted, of the training rows in `table`."""
        found: dict[str, Bins] = {}
        rows: dict[str, tuple[int, ...]] = {}
        dropped: dict[str, str] = {}
        for name, column in table.columns.items():
            bins: Bins | None
            if isinstance(column, CategoryColumn):
                bins = level_bins(column.codes, column.levels, most)
            else:
                bins = number_bins(column.values, most)
            if bins is None:
                dropped[name] = "constant in the training rows"
            else:
                found[name] = bins
                codes = assign(name, bins, column)
                rows[name] = tuple(np.bincount(codes, minlength=bins.size).tolist())
        return cls(found, rows, dropped)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(self.bins)

    @property
    def types(self) -> dict[str, ColumnType]:
        """The columns a table must have, for `load(dataset, list(types), types=types)`."""
        return {
            name: "numeric" if isinstance(bins, NumberBins) else "categorical"
            for name, bins in self.bins.items()
        }

    @property
    def levels(self) -> dict[str, Levels]:
        """What each column of categories held in training."""
        return {
            name: listed_levels(bins, np.array(self.rows[name]))
            for name, bins in self.bins.items()
            if isinstance(bins, CategoryBins)
        }

    def features(self, table: PartyTable) -> list[BinnedFeature]:
        """The columns as bin numbers (n,). Raises ConfigError for one that is missing or of another type."""
        return [binned(bins, assign(name, bins, table.column(name))) for name, bins in self.bins.items()]

    def to_dict(self) -> dict[str, Any]:
        """JSON of it; holds edges, levels and counts, so it stays at the party."""
        columns = {name: {**bins.to_dict(), "rows": self.rows[name]} for name, bins in self.bins.items()}
        return {"format": FORMAT, "columns": columns, "dropped": dict(self.dropped)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TreeColumns:
        """Back from `to_dict`. Raises StorageError if it is not one."""
        if content.get("format") != FORMAT:
            raise StorageError(f"the stored columns are not of the form {FORMAT!r}", remedy="train again")
        columns = {
            str(name): with_canonical_levels(str(name), bins_from_dict(bins))
            for name, bins in content["columns"].items()
        }
        rows = {str(name): tuple(bins["rows"]) for name, bins in content["columns"].items()}
        return cls(columns, rows, dict(content["dropped"]))
