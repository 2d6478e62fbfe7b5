"""Which columns a party brings to a tree: a share of its own, drawn anew for every party and tree."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.models.boosting.columns import columns_of_tree
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates

FEATURES = [BinnedFeature(np.arange(10, dtype=np.uint8) % 2, 2, 2) for _ in range(20)]


def columns(candidates: Candidates) -> tuple[int, ...]:
    """The columns among all of the party's: every one has a single candidate."""
    rows = np.arange(10, dtype=np.int32)
    return tuple(candidates.split(candidate, rows).column for candidate in range(len(candidates)))


def drawn(tree: int = 0, place: int = 0, *, share: float = 0.5, seed: int = 0) -> tuple[int, ...]:
    settings = BoostingSettings(colsample_bytree=share, seed=seed)
    return columns(columns_of_tree(tree, place, FEATURES, settings))


def test_a_share_is_drawn_in_the_order_of_columns() -> None:
    assert len(drawn()) == 10
    assert list(drawn()) == sorted(set(drawn()))
    assert drawn() == drawn()


def test_every_tree_party_and_seed_has_a_draw_of_its_own() -> None:
    draws = {drawn(tree, place, seed=seed) for tree in range(3) for place in range(3) for seed in range(2)}
    assert len(draws) == 18


@pytest.mark.parametrize(("share", "count"), [(1.0, 20), (0.01, 1), (0.33, 7)])
def test_at_least_one_column_takes_part(share: float, count: int) -> None:
    assert len(drawn(share=share)) == count


def test_a_party_without_columns_brings_none() -> None:
    assert len(columns_of_tree(0, 0, [], BoostingSettings(colsample_bytree=0.5))) == 0
