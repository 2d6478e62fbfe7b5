"""The step between split and training of a scorecard: every party turns its columns into WOE columns.

    pre-bins, locally  ->  events of each bin, counted under encryption  ->  merged bins and WOE, locally

No edge, category or row count leaves the party; `protocols/label_counts.py` says what the label holder and
the others learn of the counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import I64
from saferoom.data.table import PartyTable
from saferoom.data.woe import PreBinned, PreBinSettings, WoePreparation, repeated
from saferoom.errors import ConfigError
from saferoom.he.keys import Encryption
from saferoom.jobs.context import JobContext
from saferoom.kinds.scorecard import OWN_BIN_ROWS, ScorecardParams, minimum_bin_rows
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.woe import BinCounts
from saferoom.protocols.bins import FeatureCounts, Minimums, count_own
from saferoom.protocols.label_counts import count_events


def bin_columns(
    context: JobContext, train: PartyTable, labels: NDArray[np.float64] | None, params: ScorecardParams
) -> WoePreparation:
    """WOE columns of the training rows in `train`; `labels` (n,) at the label holder.

    Raises ConfigError at a feature holder that is left without a column.
    """
    contract = context.contract
    minimums = Minimums(minimum_bin_rows(contract, len(train)), contract.minimum_bin_events)
    least = minimums.rows if labels is None else OWN_BIN_ROWS
    pre = PreBinned.fit(
        train,
        PreBinSettings(params.pre_bins, least, context.registration.description.special_codes),
        labels if params.pre_binning == "tree" else None,
    ).without_repeated(train)
    with context.session.scope("bin"):
        counted = count_events(
            context.session,
            contract.label_holder,
            len(train),
            minimums,
            labels=labels,
            features=pre.features(train),
            encryption=Encryption(params.scheme, params.key_bits),
            progress=partial(context.progress, "bin"),
        )
    found = WoePreparation.fit(
        pre, [_counts(one) for one in counted], merge_settings(params, len(train), least)
    )
    weak = [column.name for column in found.columns if column.iv < params.min_iv]
    found = found.without(dict.fromkeys(weak, "its information value is below the contract's minimum"))
    found = found.without(repeated(found, train))
    if not found.columns and context.me != contract.label_holder:
        raise ConfigError(
            "no column is left after binning",
            step="bin",
            remedy="bring columns that go with the label, or agree on a lower min_iv or minimum_bin_rows",
        )
    context.facts["dropped_columns"] = len(found.dropped)
    return found


def merge_settings(params: ScorecardParams, rows: int, least: int) -> MergeSettings:
    """What final bins must be; `least`: rows that a bin is counted from on."""
    return MergeSettings(
        max_bins=params.max_bins,
        minimum_rows=max(least, math.ceil(params.min_bin_share * rows)),
        trend=params.trend,
        lone_rows=least,
    )


def _counts(one: FeatureCounts) -> tuple[NDArray[np.int64], BinCounts]:
    return one.merged, BinCounts(one.rows, one.events[:, 0], one.estimated)


def bin_plainly(
    train: PartyTable, labels: I64, params: ScorecardParams, specials: Mapping[str, Sequence[float]]
) -> WoePreparation:
    """What a party would bin that had the labels (n,) in the clear, and no minimum."""
    pre = PreBinned.fit(train, PreBinSettings(params.pre_bins, 1, specials)).without_repeated(train)
    counted = count_own(pre.features(train), labels)
    return WoePreparation.fit(pre, [_counts(one) for one in counted], merge_settings(params, len(train), 1))
