"""A party's columns as trees see them: in bins, made without labels, each party on its own training rows.

Numbers are cut near their quantiles, each value that fills a bin alone gets one, and missing values have a
bin of their own. If bins held equally many rows, the sums of the first tree, whose hessians are all equal,
would tell columns with gaps from others, and which candidates are of one of them. Every frequent level of a
category has a bin; the others share one. A tree may be grown on some of the columns, which a public seed
draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.sizes import columns_drawn
from saferoom.models.scorecard.binning import CategoryBins, NumberBins
from saferoom.models.scorecard.edges import between
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates
from saferoom.ring.prg import SEED_BYTES, Stream
from saferoom.ring.public import public_order

UNEVEN = 0.5
"""Of a bin, that a cut may lie beside its quantile: so far that cuts may lie anywhere."""


def number_bins(values: F64, most: int) -> NumberBins | None:
    """At most `most` ordered bins of values (n,), NaN = missing; None if all known values are equal."""
    known = np.sort(values[~np.isnan(values)])
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) < 2 and len(known) == len(values):
        return None
    edges = distinct[:-1] if len(distinct) <= most else _edges(known, distinct, counts, most)
    return NumberBins(tuple(between(known, edges.tolist())), {}, len(edges) + 1)


def level_bins(codes: NDArray[np.integer[Any]], levels: Sequence[str], most: int) -> CategoryBins | None:
    """A bin for each of the `most` most frequent levels at most; missing is a level; None if there is one."""
    rows = np.bincount(codes[codes >= 0], minlength=len(levels))
    by_rows = [place for place in np.argsort(-rows, kind="stable").tolist() if rows[place]]
    frequent = sorted(by_rows[: most - 1] if len(by_rows) > most else by_rows)
    bins = {levels[place]: number for number, place in enumerate(frequent)}
    found = CategoryBins(bins, len(bins), len(bins) + 1)
    return found if len(np.unique(found.assign(codes, tuple(levels)))) > 1 else None


def binned(bins: NumberBins | CategoryBins, codes: NDArray[np.int64]) -> BinnedFeature:
    """A column's bin numbers (n,) with what protocols need to know; unused bins at the end are left out."""
    smallest = np.uint8 if bins.size <= 256 else np.uint16
    if isinstance(bins, NumberBins):
        has_missing = bool((codes == bins.missing).any())
        return BinnedFeature(codes.astype(smallest), bins.ordered + has_missing, bins.ordered)
    return BinnedFeature(codes.astype(smallest), int(codes.max()) + 1, 0)


def _edges(known: F64, distinct: F64, counts: NDArray[np.int64], most: int) -> F64:
    """Edges of at most `most` bins, of up to twice the average size but for values that fill one alone."""
    heavy = np.flatnonzero(counts * most >= len(known))
    around = np.concatenate([distinct[heavy], distinct[np.maximum(heavy - 1, 0)]])
    light, shifts = known[~np.isin(known, distinct[heavy])], _shifts(known, most)
    for bins in range(most - len(heavy), 0, -1):
        at = (np.arange(1, bins) + shifts[: bins - 1]) / bins
        cuts = np.quantile(light, at, method="inverted_cdf") if len(light) else np.empty(0)
        edges = np.unique(np.concatenate([cuts, around]))
        edges = edges[edges < distinct[-1]]
        if len(edges) < most:
            return np.asarray(edges)
    return np.asarray(edges[: most - 1])


def _shifts(known: F64, count: int) -> F64:
    """How far cuts lie from quantiles, in bins, (count,): drawn from the column itself, which others lack."""
    seed = hashlib.blake2b(known.astype("<f8").tobytes(), digest_size=SEED_BYTES).digest()
    drawn = (Stream(seed, "bins of trees").words(count) >> np.uint64(11)) * 2.0**-53
    return np.asarray(UNEVEN * (2 * drawn - 1))


def columns_of_tree(
    tree: int, place: int, features: Sequence[BinnedFeature], settings: BoostingSettings
) -> Candidates:
    """The candidates of the party at `place` in the public order, for tree number `tree`.

    Each party draws from its own columns: `colsample_bytree` of them, and at least one.
    """
    if settings.colsample_bytree >= 1 or not features:
        return Candidates(features, tree=tree)
    order = public_order(f"saferoom columns {settings.seed} {tree} {place}", len(features))
    chosen = sorted(order[: columns_drawn(len(features), settings)].tolist())
    return Candidates([features[column] for column in chosen], chosen, tree)
