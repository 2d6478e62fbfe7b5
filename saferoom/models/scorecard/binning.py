"""Bins of one column: which bin every value falls into, for numbers and for categories.

    numbers      ordered bins, each closed on the right: edges[i-1] < value <= edges[i]
                 + a bin for each special code (a number that means something else, such as -1)
                 + the bin of missing values
    categories   a bin for each listed level; `missing` and `other` are the bins of what is not listed

Pre-bins are made without labels (`pre_binning`), then merged by the counts of goods and bads
(`merging`); `regrouped` turns pre-bins into final bins. Nothing here knows a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.errors import StorageError

Codes: TypeAlias = NDArray[np.int64]

MISSING, OTHER = "missing", "all other levels"


@dataclass(frozen=True, slots=True)
class NumberBins:
    """Bins of a numeric column: `edges` rise; `specials` gives each special code its bin.

    The ordered bins are 0 … len(edges); `size` counts all bins. `missing` and specials may lie in ordered
    bins after merging, if they were too few for bins of their own.
    """

    edges: tuple[float, ...]
    specials: Mapping[float, int]
    missing: int

    @property
    def ordered(self) -> int:
        """How many bins hold ordinary numbers; they come first."""
        return len(self.edges) + 1

    @property
    def size(self) -> int:
        return max(self.ordered, self.missing + 1, *(bin_ + 1 for bin_ in self.specials.values()))

    def assign(self, values: F64) -> Codes:
        """(n,) numbers, NaN = missing -> (n,) bins, 0 … size - 1."""
        codes = np.searchsorted(np.asarray(self.edges), values, side="left").astype(np.int64)
        for special, bin_ in self.specials.items():
            codes[values == special] = bin_
        codes[np.isnan(values)] = self.missing
        return codes

    def regrouped(self, groups: Codes) -> NumberBins:
        """The bins after merging.

        `groups` (size,) is the new bin of each, contiguous over the ordered ones.
        """
        keep = np.flatnonzero(np.diff(groups[: self.ordered]))
        return NumberBins(
            tuple(self.edges[place] for place in keep),
            {special: int(groups[bin_]) for special, bin_ in self.specials.items()},
            int(groups[self.missing]),
        )

    def names(self, *, had_missing: bool = True) -> tuple[str, ...]:
        """What to call each bin in a table: (size,). Without missing values, none speaks of them."""
        low = ["-inf", *(f"{edge:.6g}" for edge in self.edges)]
        high = [*(f"{edge:.6g}" for edge in self.edges), "inf"]
        names = [f"({a}, {b}]" for a, b in zip(low, high, strict=True)]
        names[-1] = f"({low[-1]}, inf)"
        for special, bin_ in self.specials.items():
            _add_name(names, bin_, f"special {special:g}")
        if had_missing:
            _add_name(names, self.missing, MISSING)
        return tuple(names)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; `bins_from_dict` reads them back."""
        specials = [[special, bin_] for special, bin_ in self.specials.items()]
        return {"type": "numeric", "edges": list(self.edges), "specials": specials, "missing": self.missing}


@dataclass(frozen=True, slots=True)
class CategoryBins:
    """Bins of a categorical column: the bin of each of `levels`, of missing values, of every other level."""

    levels: Mapping[str, int]
    missing: int
    other: int

    @property
    def ordered(self) -> int:
        """Categories have no order of their own."""
        return 0

    @property
    def size(self) -> int:
        return 1 + max(self.missing, self.other, *self.levels.values())

    def assign(self, codes: NDArray[np.integer[Any]], levels: tuple[str, ...]) -> Codes:
        """(n,) positions in `levels`, -1 = missing -> (n,) bins, 0 … size - 1."""
        # One more entry, last: codes of -1 find it there.
        target = [self.levels.get(level, self.other) for level in levels]
        found: Codes = np.array([*target, self.missing], dtype=np.int64)[codes]
        return found

    def regrouped(self, groups: Codes) -> CategoryBins:
        """The bins after merging: `groups` (size,) is the new bin of each."""
        levels = {level: int(groups[bin_]) for level, bin_ in self.levels.items()}
        return CategoryBins(levels, int(groups[self.missing]), int(groups[self.other]))

    def names(self, *, had_missing: bool = True) -> tuple[str, ...]:
        """What to call each bin in a table: (size,). Without missing values, none speaks of them."""
        names = [""] * self.size
        for level, bin_ in self.levels.items():
            _add_name(names, bin_, f"'{level}'" if level in (MISSING, OTHER) else level)
        _add_name(names, self.other, OTHER)
        if had_missing:
            _add_name(names, self.missing, MISSING)
        return tuple(names)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; `bins_from_dict` reads them back."""
        return {
            "type": "categorical",
            "levels": dict(self.levels),
            "missing": self.missing,
            "other": self.other,
        }


Bins: TypeAlias = NumberBins | CategoryBins


def bins_from_dict(content: Mapping[str, Any]) -> Bins:
    """Back from `to_dict`. Raises StorageError if it is neither."""
    try:
        if content["type"] == "numeric":
            specials = {float(special): int(bin_) for special, bin_ in content["specials"]}
            return NumberBins(
                tuple(float(edge) for edge in content["edges"]), specials, int(content["missing"])
            )
        levels = {str(level): int(bin_) for level, bin_ in content["levels"].items()}
        return CategoryBins(levels, int(content["missing"]), int(content["other"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise StorageError("stored bins cannot be read", remedy="restore the model's file") from exc


def _add_name(names: list[str], bin_: int, name: str) -> None:
    names.extend([""] * (bin_ + 1 - len(names)))
    names[bin_] = f"{names[bin_]} or {name}" if names[bin_] else name
