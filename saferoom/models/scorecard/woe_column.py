"""One column of a scorecard: its final bins, what was counted in them, and the WOE of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from saferoom.arrays import F64
from saferoom.errors import StorageError
from saferoom.models.scorecard.binning import Bins, Codes, bins_from_dict
from saferoom.models.scorecard.merging import MergeSettings, merge_bins
from saferoom.models.scorecard.woe import BinCounts


@dataclass(frozen=True, slots=True, eq=False)
class WoeColumn:
    """`counts` are of the training rows: they stay with the party that holds the column."""

    name: str
    bins: Bins
    counts: BinCounts

    @property
    def woe(self) -> F64:
        """(b,) weights of evidence, one a bin."""
        return self.counts.woe()

    @property
    def iv(self) -> float:
        """The column's information value."""
        return self.counts.iv()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; `from_dict` gives the same WOE to the last bit."""
        return {
            "name": self.name,
            "bins": self.bins.to_dict(),
            "rows": self.counts.rows.tolist(),
            "events": self.counts.events.tolist(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> WoeColumn:
        """Back from `to_dict`. Raises StorageError."""
        try:
            counts = BinCounts(*(np.array(content[key], dtype=np.int64) for key in ("rows", "events")))
            column = cls(str(content["name"]), bins_from_dict(content["bins"]), counts)
        except (KeyError, TypeError, ValueError) as exc:
            raise StorageError(
                "a stored WOE column cannot be read", remedy="restore the model's file"
            ) from exc
        if not len(counts.rows) == len(counts.events) == column.bins.size:
            raise StorageError("a stored WOE column does not fit its bins", remedy="restore the model's file")
        return column


def fit_column(
    name: str, pre_bins: Bins, groups: Codes, counts: BinCounts, settings: MergeSettings
) -> WoeColumn | None:
    """Merge counted pre-bins into final ones; None if one bin is left.

    `groups` (pre_bins.size,): which counted bin each pre-bin went into; `counts` (g,) of those.
    """
    counted = pre_bins.regrouped(groups)
    merged = merge_bins(counts, counted.ordered, settings)
    if not merged.any():
        return None
    return WoeColumn(name, counted.regrouped(merged), counts.grouped(merged))
