"""Which of its columns a party brings to a tree, and their candidate splits."""

from __future__ import annotations

from collections.abc import Sequence

from saferoom.models.boosting.settings import BoostingSettings
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates
from saferoom.ring.public import public_order


def columns_of_tree(
    tree: int, place: int, features: Sequence[BinnedFeature], settings: BoostingSettings
) -> Candidates:
    """The candidates of the party at `place` in the public order, for tree number `tree`.

    Each party draws from its own columns: `colsample_bytree` of them, and at least one.
    """
    if settings.colsample_bytree >= 1 or not features:
        return Candidates(features)
    count = max(1, round(settings.colsample_bytree * len(features)))
    order = public_order(f"saferoom columns {settings.seed} {tree} {place}", len(features))
    chosen = sorted(order[:count].tolist())
    return Candidates([features[column] for column in chosen], chosen)
