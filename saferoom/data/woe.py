"""From a party's table to WOE columns: the preparation of a scorecard, kept with the party's model.

    pre = PreBinned.fit(training rows)     many small bins, without labels
    ... counts of events come from the label holder ...
    WoePreparation.fit(pre, counts)        merged bins with their WOE; columns that say nothing are dropped

A value that training did not see has a bin all the same: every number lies between two edges, a level that
is not listed counts as `other`, a missing value as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.data.table import CategoryColumn, Column, ColumnType, NumericColumn, PartyTable
from saferoom.errors import ConfigError, StorageError
from saferoom.models.scorecard.binning import Bins, CategoryBins, Codes, NumberBins
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.pre_binning import category_bins, quantile_bins, tree_bins
from saferoom.models.scorecard.woe import BinCounts
from saferoom.models.scorecard.woe_column import WoeColumn, fit_column

FORMAT = "saferoom woe 1"

Groups = Codes


@dataclass(frozen=True, slots=True)
class PreBinSettings:
    """`count` pre-bins of ordinary values at most, each with `minimum_rows` of the training rows.

    `specials`: for some columns, the numbers that are codes.
    """

    count: int = 20
    minimum_rows: int = 100
    specials: Mapping[str, Sequence[float]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PreBinned:
    """Pre-bins of every column that has at least two, and why others have none."""

    bins: Mapping[str, Bins]
    dropped: Mapping[str, str]

    @classmethod
    def fit(
        cls, table: PartyTable, settings: PreBinSettings, labels: NDArray[np.float64] | None = None
    ) -> PreBinned:
        """Of the training rows in `table`.

        With `labels` (n,), numbers are cut by a tree, else at quantiles.
        """
        found: dict[str, Bins] = {}
        dropped: dict[str, str] = {}
        for name, column in table.columns.items():
            bins = _pre_bins(name, column, settings, labels)
            if bins is None:
                dropped[name] = "all training rows fall into one bin"
            else:
                found[name] = bins
        return cls(found, dropped)


@dataclass(frozen=True, slots=True, eq=False)
class WoePreparation:
    """WOE columns in the order of the table's columns; `dropped` says why a column gives none."""

    columns: tuple[WoeColumn, ...]
    dropped: Mapping[str, str]

    @classmethod
    def fit(
        cls, pre: PreBinned, counted: Sequence[tuple[Groups, BinCounts]], settings: MergeSettings
    ) -> WoePreparation:
        """`counted`: for each column of `pre`, the counted bin of each pre-bin, and the counts of those."""
        columns, dropped = [], dict(pre.dropped)
        for (name, bins), (groups, counts) in zip(pre.bins.items(), counted, strict=True):
            column = fit_column(name, bins, groups, counts, settings)
            if column is None:
                dropped[name] = "no two bins that are large enough and in order"
            else:
                columns.append(column)
        return cls(tuple(columns), dropped)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns it gives, (d,)."""
        return tuple(column.name for column in self.columns)

    @property
    def types(self) -> dict[str, ColumnType]:
        """The columns a table must have, for `load(dataset, list(types), types=types)`."""
        return {
            column.name: "numeric" if isinstance(column.bins, NumberBins) else "categorical"
            for column in self.columns
        }

    def codes(self, table: PartyTable) -> NDArray[np.int64]:
        """The bin of every row in every column, (n, d), column-major. Raises ConfigError."""
        out = np.empty((len(table), len(self.columns)), dtype=np.int64, order="F")
        for place, column in enumerate(self.columns):
            out[:, place] = assign(column.name, column.bins, table.column(column.name))
        return out

    def transform(self, table: PartyTable) -> NDArray[np.float64]:
        """The WOE of every row, (n, d), column-major. Raises ConfigError."""
        return spread(self.codes(table), [column.woe for column in self.columns])

    def without(self, reasons: Mapping[str, str]) -> WoePreparation:
        """The same, less the columns named in `reasons` (each with why)."""
        kept = tuple(column for column in self.columns if column.name not in reasons)
        return replace(self, columns=kept, dropped={**self.dropped, **reasons})

    def to_dict(self) -> dict[str, Any]:
        """JSON of it; holds edges, category names and counts, so it stays at the party."""
        columns = [column.to_dict() for column in self.columns]
        return {"format": FORMAT, "columns": columns, "dropped": dict(self.dropped)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> WoePreparation:
        """Back from `to_dict`. Raises StorageError if it is not one."""
        if content.get("format") != FORMAT:
            raise StorageError(
                f"the stored preparation is not of the form {FORMAT!r}", remedy="restore the model's file"
            )
        columns = tuple(WoeColumn.from_dict(column) for column in content["columns"])
        return cls(columns, dict(content["dropped"]))


def assign(name: str, bins: Bins, column: Column) -> Codes:
    """The bin of each row, (n,). Raises ConfigError if the column is of another type than its bins."""
    if isinstance(bins, NumberBins) and isinstance(column, NumericColumn):
        return bins.assign(column.values)
    if isinstance(bins, CategoryBins) and isinstance(column, CategoryColumn):
        return bins.assign(column.codes, column.levels)
    expected = "numeric" if isinstance(bins, NumberBins) else "categorical"
    raise ConfigError(
        f"column {name!r} is not {expected}, as it was when the model was trained",
        step="prepare",
        remedy=f"describe it with type: {expected}, and correct cells that do not fit",
    )


def spread(codes: Codes, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """For bins (n, d) and a value for each bin of each column: the values (n, d), column-major."""
    out = np.empty(codes.shape, dtype=values[0].dtype if values else np.float64, order="F")
    for place, each in enumerate(values):
        out[:, place] = each[codes[:, place]]
    return out


def _pre_bins(
    name: str, column: Column, settings: PreBinSettings, labels: NDArray[np.float64] | None
) -> Bins | None:
    count, minimum = settings.count, settings.minimum_rows
    if isinstance(column, CategoryColumn):
        return category_bins(column.codes, column.levels, count=count, minimum_rows=minimum)
    specials = (settings.specials or {}).get(name, ())
    if labels is None:
        return quantile_bins(column.values, count=count, minimum_rows=minimum, specials=specials)
    return tree_bins(column.values, labels, count=count, minimum_rows=minimum, specials=specials)
