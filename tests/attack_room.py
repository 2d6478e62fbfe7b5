"""Rooms of boosted trees that are attacked, and what a label holder hears in them beside the truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from saferoom.arrays import I32
from saferoom.data.dataset import describe
from saferoom.data.loading import load
from saferoom.data.tree_columns import TreeColumns
from saferoom.models.boosting import label as boosting_label
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.protocols import split_sums
from saferoom.protocols.candidates import Candidates, Split, goes_left
from tests.boosting_room import Array, BoostingRoom, levels, numbers


def credit_room(rows: int = 1500, **settings: Any) -> BoostingRoom:
    """The bank's columns say most of default, those of the tax bureau, which attacks, next to nothing."""
    rng = np.random.default_rng(3)
    features = {
        "bank": [numbers(rng, rows, 16) for _ in range(6)],
        "tax": [numbers(rng, rows, 16) for _ in range(3)],
    }
    weights = {"bank": 0.9, "tax": 0.2}
    margin = -1.2 + sum(
        weights[party] * (column.bins - column.bins.mean()) / column.bins.std()
        for party, columns in features.items()
        for column in columns
    )
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    usual = {"n_estimators": 30, "max_depth": 5, "max_bin": 16, "min_leaf_rows": 20}
    return BoostingRoom(features, y, BoostingSettings(**usual | settings))


def gaps_room(rows: int = 2000, **settings: Any) -> BoostingRoom:
    """Of the tax bureau's columns some have gaps, and some are categories of few levels."""
    rng = np.random.default_rng(4)
    features = {
        "bank": [numbers(rng, rows, 16)],
        "tax": [
            *(numbers(rng, rows, 16, missing=share) for share in (0.0, 0.12, 0.0, 0.25)),
            levels(rng, rows, 2),
            levels(rng, rows, 3),
        ],
    }
    columns = [column for of_party in features.values() for column in of_party]
    margin = -1.0 + sum(0.5 * (column.bins - column.bins.mean()) / column.bins.std() for column in columns)
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    usual = {"n_estimators": 4, "max_depth": 3, "max_bin": 16, "min_leaf_rows": 30}
    return BoostingRoom(features, y, BoostingSettings(**usual | settings))


def real_room(folder: Path) -> BoostingRoom:
    """4,000 rows that all parties hold, binned as a job bins them."""
    described = yaml.safe_load((folder / "room-boosting.yaml").read_text())["parties"]
    tables = {
        party: load(describe({"name": "t", **content}, folder, party=party))
        for party, content in described.items()
    }
    shared = set.intersection(*(set(table.ids.tolist()) for table in tables.values()))
    chosen = np.array(sorted(shared))[np.random.default_rng(0).permutation(len(shared))[:4000]]
    taken = {}
    for party, table in tables.items():
        order = np.argsort(table.ids)
        taken[party] = table.take(order[np.searchsorted(table.ids, chosen, sorter=order)])
    label = taken["bank"].label
    assert label is not None
    features = {party: TreeColumns.fit(table, 32).features(table) for party, table in taken.items()}
    return BoostingRoom(features, label.astype(np.float64))


def sides_of(own: Candidates, order: Array, rows: I32) -> Array:
    """(candidates, rows) of who lies left, in the secret order: the truth, which no party is told."""
    splits = [Split(int(own.column[c]), int(own.cut[c]), bool(own.missing_left[c])) for c in order]
    return np.array([goes_left(own.features[split.column], split, rows) for split in splits])


@dataclass
class Asked:
    """Sums of one node: rows (n,), their gradients (n, 2), kept (candidates,), sums (candidates, 3).

    Beside what the label holder knows, the truth: `order`, the natural number of each candidate, its sides
    and its column; -1 at places where there is none.
    """

    tree: int
    rows: Array
    gradients: Array
    kept: Array
    sums: Array
    order: Array
    sides: Array
    columns: Array

    def told(self) -> tuple[Array, list[int]]:
        """Sums of gradients and hessians that are told; and the truth, the column of each."""
        places = np.flatnonzero(self.kept)
        return self.sums[places, :2], self.columns[places].tolist()


def placed(sums: Any, rows: I32) -> tuple[Array, Array, Array]:
    """Of the places at which there is a candidate: its number, or -1; who lies left; its column."""
    own = sums._own
    is_one = sums.order < len(own)
    order, columns = np.where(is_one, sums.order, -1), np.full(len(sums.order), -1)
    columns[is_one] = own.column[order[is_one]]
    sides = np.zeros((len(order), len(rows)), dtype=bool)
    sides[is_one] = sides_of(own, order[is_one], rows)
    return order, sides, columns


@contextmanager
def watching() -> Iterator[list[Asked]]:
    """Sums as the label holder hears them; their truth, as the feature holder sends them."""
    asked: list[Asked] = []
    truth: list[tuple[Array, Array, Array]] = []
    hear, send = boosting_label._Tree._hear, split_sums.SplitSums.send_sums

    def hearing(tree: Any, peer: str, pairs: Any, depth: int) -> Any:
        found = hear(tree, peer, pairs, depth)
        for pair, (kept, sums) in zip(pairs, found, strict=True):
            rows = tree._rows.summed(tree._rows.smaller(pair))
            number = int(tree._s._prefix[-1].removeprefix("tree="))
            asked.append(Asked(number, rows, tree._drawn.sums[rows, :2], kept, sums, *truth[len(asked)]))
        return found

    def sending(sums: Any, label: str, nodes: Any, most: int) -> None:
        for rows, _ in nodes:
            held = np.arange(len(sums._place), dtype=np.int32) if rows is None else rows
            truth.append(placed(sums, held))
        send(sums, label, nodes, most)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosting_label._Tree, "_hear", hearing)
        patch.setattr(split_sums.SplitSums, "send_sums", sending)
        yield asked
