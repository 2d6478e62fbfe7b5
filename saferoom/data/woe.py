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

from saferoom.data.canonical import canonical_levels
from saferoom.data.familiar import Levels
from saferoom.data.table import CategoryColumn, Column, ColumnType, NumericColumn, PartyTable
from saferoom.errors import ConfigError, StorageError
from saferoom.models.scorecard.binning import Bins, CategoryBins, Codes, NumberBins
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.pre_binning import category_bins, quantile_bins, tree_bins, usual_count
from saferoom.models.scorecard.woe import BinCounts
from saferoom.models.scorecard.woe_column import WoeColumn, fit_column
from saferoom.protocols.bins import BinnedFeature, numbered

FORMAT = "saferoom woe 1"

Groups = Codes

_SAME_ROWS, _SAME_WOE = 0.99, 0.99


@dataclass(frozen=True, slots=True)
class PreBinSettings:
    """`count` pre-bins of ordinary values at most, each with `minimum_rows` of the training rows.

    Without a count it follows the number of rows. `specials`: for some columns, the numbers that are codes.
    """

    count: int | None = None
    minimum_rows: int = 50
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
                dropped[name] = _why_no_bins(column, settings)
            else:
                found[name] = bins
        return cls(found, dropped)

    def features(self, table: PartyTable) -> list[BinnedFeature]:
        """What is counted: each column of the training rows as bin numbers."""
        return [
            BinnedFeature(assign(name, bins, table.column(name)), bins.size, bins.ordered)
            for name, bins in self.bins.items()
        ]

    def without_repeated(self, table: PartyTable) -> PreBinned:
        """The same, less the columns that part the rows as an earlier one does, but for a few.

        Their counts would tell of those few rows, and nothing else that is new.
        """
        repeats: dict[str, str] = {}
        seen: dict[str, BinnedFeature] = {}
        for name, feature in zip(self.bins, self.features(table), strict=True):
            earlier = next((one for one, other in seen.items() if _alike(feature, other)), None)
            if earlier is None:
                seen[name] = feature
            else:
                repeats[name] = _repeats(earlier)
        kept = {name: bins for name, bins in self.bins.items() if name not in repeats}
        return PreBinned(kept, {**self.dropped, **repeats})


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
                dropped[name] = "no two bins with enough training rows or defaults are left"
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

    @property
    def levels(self) -> dict[str, Levels]:
        """What each column of categories held in training."""
        return {
            column.name: listed_levels(column.bins, column.counts.rows)
            for column in self.columns
            if isinstance(column.bins, CategoryBins)
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
        columns = [WoeColumn.from_dict(column) for column in content["columns"]]
        columns = [replace(each, bins=with_canonical_levels(each.name, each.bins)) for each in columns]
        return cls(tuple(columns), dict(content["dropped"]))


def repeated(found: WoePreparation, table: PartyTable) -> dict[str, str]:
    """Columns whose WOE goes with that of an earlier one almost without exception, and which."""
    woe = found.transform(table)
    woe = woe - woe.mean(axis=0)
    woe /= np.maximum(np.sqrt((woe**2).sum(axis=0)), 1e-300)
    alike = woe.T @ woe > _SAME_WOE
    names, repeats = found.column_names, dict[str, str]()
    for place, name in enumerate(names):
        earlier = next(
            (one for one in np.flatnonzero(alike[place, :place]) if names[one] not in repeats), None
        )
        if earlier is not None:
            repeats[name] = _repeats(names[earlier])
    return repeats


def _alike(one: BinnedFeature, other: BinnedFeature) -> bool:
    """Whether two columns say the same of nearly all rows: numbers by their order, the rest by their bins."""
    if not one.ordered or not other.ordered:
        first, second = (numbered(column.bins.astype(np.int64)) for column in (one, other))
        return bool(np.mean(first == second) > _SAME_ROWS)
    both = (one.bins < one.ordered) & (other.bins < other.ordered)
    if np.mean(both == ((one.bins < one.ordered) | (other.bins < other.ordered))) <= _SAME_ROWS:
        return False
    first, second = (column.bins[both] - column.bins[both].mean() for column in (one, other))
    spread = float(np.sqrt((first**2).sum() * (second**2).sum())) if both.any() else 0.0
    if not spread:  # codes and gaps alone
        return bool(np.mean(one.bins == other.bins) > _SAME_ROWS)
    return bool(abs(first @ second) > _SAME_WOE * spread)


def _repeats(earlier: str) -> str:
    return f"it repeats column {earlier!r}"


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


def listed_levels(bins: CategoryBins, rows: NDArray[np.int64]) -> Levels:
    """The levels with a bin of their own or a named share in one; `rows` (bins,) of training lay in each."""
    alone = bins.other not in (*bins.levels.values(), bins.missing)
    held = alone and bins.other < len(rows)
    return Levels(frozenset(bins.levels), float(rows[bins.other] / max(rows.sum(), 1)) if held else 0.0)


def with_canonical_levels(column: str, bins: Bins) -> Bins:
    """Bins whose levels are written as they are read today. Raises StorageError: see `canonical_levels`."""
    if isinstance(bins, NumberBins):
        return bins
    levels = canonical_levels(column, bins.levels)
    return replace(bins, levels=dict(zip(levels, bins.levels.values(), strict=True)))


def spread(codes: Codes, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """For bins (n, d) and a value for each bin of each column: the values (n, d), column-major."""
    out = np.empty(codes.shape, dtype=values[0].dtype if values else np.float64, order="F")
    for place, each in enumerate(values):
        out[:, place] = each[codes[:, place]]
    return out


def _pre_bins(
    name: str, column: Column, settings: PreBinSettings, labels: NDArray[np.float64] | None
) -> Bins | None:
    minimum = settings.minimum_rows
    if isinstance(column, CategoryColumn):
        return category_bins(column.codes, column.levels, minimum_rows=minimum)
    count = settings.count or usual_count(len(column.values), minimum)
    specials = (settings.specials or {}).get(name, ())
    if labels is None:
        return quantile_bins(column.values, count=count, minimum_rows=minimum, specials=specials)
    return tree_bins(column.values, labels, count=count, minimum_rows=minimum, specials=specials)


def _why_no_bins(column: Column, settings: PreBinSettings) -> str:
    """In words, why a column has no two bins."""
    held = column.codes if isinstance(column, CategoryColumn) else column.values
    if len(np.unique(held)) < 2:  # all missing values are one
        return "all training rows hold one and the same value"
    return (
        f"apart from one value, or group of values, it has fewer than {settings.minimum_rows} training rows"
    )
