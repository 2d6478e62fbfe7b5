"""The step between split and training of a scorecard: every party turns its columns into WOE columns.

    pre-bins, locally  ->  events of each bin, counted under encryption  ->  merged bins and WOE, locally

No edge, category or row count leaves the party; `protocols/label_counts.py` says what the label holder and
the others learn of the counts.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from saferoom.data.table import PartyTable
from saferoom.data.woe import PreBinned, PreBinSettings, WoePreparation, assign
from saferoom.errors import ConfigError
from saferoom.he.keys import Encryption
from saferoom.jobs.context import JobContext
from saferoom.kinds.scorecard import ScorecardParams
from saferoom.models.scorecard.merging import MergeSettings
from saferoom.models.scorecard.woe import BinCounts
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums
from saferoom.protocols.label_counts import count_events


def bin_columns(
    context: JobContext, train: PartyTable, labels: NDArray[np.float64] | None, params: ScorecardParams
) -> WoePreparation:
    """WOE columns of the training rows in `train`; `labels` (n,) at the label holder.

    Raises ConfigError at a feature holder that is left without a column.
    """
    contract = context.contract
    minimums = Minimums(contract.minimum_bin_rows, contract.minimum_bin_events)
    pre = PreBinned.fit(
        train,
        PreBinSettings(params.pre_bins, minimums.rows, _specials(context)),
        labels if params.pre_binning == "tree" else None,
    )
    features = [
        BinnedFeature(assign(name, bins, train.column(name)), bins.size, bins.ordered)
        for name, bins in pre.bins.items()
    ]
    with context.session.scope("bin"):
        counted = count_events(
            context.session,
            contract.label_holder,
            len(train),
            minimums,
            labels=labels,
            features=features,
            encryption=Encryption(params.scheme, params.key_bits),
            progress=partial(context.progress, "bin"),
        )
    settings = MergeSettings(
        max_bins=params.max_bins,
        minimum_rows=max(minimums.rows, math.ceil(params.min_bin_share * len(train))),
        minimum_events=minimums.events,
        trend=params.trend,
    )
    found = WoePreparation.fit(pre, [_counts(one) for one in counted], settings)
    weak = [column.name for column in found.columns if column.iv < params.min_iv]
    found = found.without(dict.fromkeys(weak, "its information value is below the contract's minimum"))
    if not found.columns and context.me != contract.label_holder:
        raise ConfigError(
            "no column is left after binning",
            step="bin",
            remedy="bring columns that go with the label, or agree on a lower min_iv or minimum_bin_rows",
        )
    context.facts["dropped_columns"] = len(found.dropped)
    return found


def _counts(one: FeatureCounts) -> tuple[NDArray[np.int64], BinCounts]:
    return one.merged, BinCounts(one.rows, one.events[:, 0])


def _specials(context: JobContext) -> dict[str, tuple[float, ...]]:
    """The special codes that this party's data set describes, by column."""
    described = context.registration.description.columns or ()
    return {column.name: column.special for column in described if column.special}
