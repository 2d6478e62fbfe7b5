"""A feature holder's side of growing one tree: sums of candidates and rows of its splits out, sides in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from saferoom.arrays import I32, Mask
from saferoom.channel.session import Session
from saferoom.errors import PeerError
from saferoom.he.keys import PublicKey
from saferoom.he.workers import Workers
from saferoom.models.boosting.columns import columns_of_tree
from saferoom.models.boosting.gradients import is_as_agreed
from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.nodes import (
    ROOT,
    Asked,
    NodeRows,
    hear_choices,
    hear_sides,
    layout_of,
    parent_of,
    send_lefts,
)
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.sizes import TreeSizes, most_candidates
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates, Split, goes_left
from saferoom.protocols.split_sums import Cipher, SplitSums

Pair: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeatureSide:
    """What stays the same from tree to tree.

    `usable` (rows,): the training rows that trees are grown on; `columns`: how many own ones there may be.
    """

    s: Session
    label_holder: str
    features: Sequence[BinnedFeature]
    settings: BoostingSettings
    key: PublicKey
    workers: Workers
    usable: Mask
    columns: int

    def grow(self, number: int) -> LocalTree:
        """One tree: its shape, and the splits of own columns. Of a tree without us we learn nothing."""
        if number < self.settings.own_trees:
            return LocalTree((), {}, {})
        with self.s.scope(f"tree={number}"):
            self.s.declare("sides", self.s.me, (len(self.features[0].bins),), kind="tree_rows")
            return self._take_part(number, NodeRows(self._hear_rows(number)))

    def _hear_rows(self, number: int) -> Mask:
        """Which training rows the tree is grown on: as many as a leaf needs, and those that were agreed."""
        size = len(self.features[0].bins)
        packed = self.s.hear_one(self.label_holder, "rows", (-(-size // 8),), np.uint8)
        summed = np.unpackbits(packed, count=size).astype(bool)
        if summed.sum() < self.settings.least_rows:
            raise self._wrong("a tree on fewer rows than the minimum of a leaf", "rows")
        if not is_as_agreed(number, summed, self.usable, self.settings):
            raise self._wrong("a tree on other rows than the contract says", "rows")
        return summed

    def _take_part(self, number: int, rows: NodeRows) -> LocalTree:
        s, settings = self.s, self.settings
        own = columns_of_tree(number, s.parties.index(s.me), self.features, settings)
        cipher = Cipher(layout_of(rows.size, settings), self.key, self.workers)
        places = most_candidates(self.columns, settings)
        s.declare("sums", self.label_holder, (places,), kind="split_sums")
        sums = SplitSums(s, self.label_holder, own, places, rows.is_summed, cipher)
        sums.receive_gradients()
        s.declare("chosen", s.me, (places,), kind="chosen_splits")
        sizes = TreeSizes(int(rows.is_summed.sum()), settings)
        before = {ROOT: np.ones(len(own), dtype=bool)}
        shape: list[int] = []
        splits: dict[int, Split] = {}
        for depth in range(sizes.levels):
            pairs = rows.pairs(settings.least_rows)
            asked, kept = self._kept(own, rows, pairs, before)
            sums.send_sums(f"sums/depth={depth}", asked, sizes.pairs(depth))
            of_level = Asked(tuple(kept), sizes.nodes(depth), places)
            chosen = self._hear_chosen(sums, own, rows, of_level, kept, f"chosen/depth={depth}")
            lefts = self._send_lefts(chosen, rows, depth)
            splits |= chosen
            sides = hear_sides(s, self.label_holder, rows, of_level, f"sides/depth={depth}")
            self._check(sides, lefts, rows, depth)
            before = {node: kept[node] for node in sides}
            shape += sides
            rows.descend(sides)
        return LocalTree(tuple(sorted(shape)), rows.covers, splits)

    def _kept(
        self, own: Candidates, rows: NodeRows, pairs: Sequence[Pair], before: dict[int, Mask]
    ) -> tuple[list[tuple[I32 | None, Mask]], dict[int, Mask]]:
        """What is summed of each pair that is asked about, and the kept candidates of each node."""
        kept: dict[int, Mask] = {}
        asked: list[tuple[I32 | None, Mask]] = []
        for pair in pairs:
            held = [rows.summed(node) for node in pair]
            of_pair = own.kept(before[parent_of(pair)], held, self.settings.least_rows)
            kept |= dict.fromkeys(pair, of_pair)
            asked.append((None if pair == (ROOT,) else rows.summed(rows.smaller(pair)), of_pair))
        return asked, kept

    def _hear_chosen(
        self,
        sums: SplitSums,
        own: Candidates,
        rows: NodeRows,
        asked: Asked,
        kept: dict[int, Mask],
        label: str,
    ) -> dict[int, Split]:
        """The own splits that were taken: of candidates with equal sums the first in natural order."""
        splits: dict[int, Split] = {}
        for node, tied in hear_choices(self.s, self.label_holder, asked, label).items():
            candidates = np.sort(sums.order[tied])
            if candidates[-1] >= len(own) or not kept[node][candidates].all():
                raise self._wrong("a choice of a node or split that was not offered", label)
            splits[node] = own.split(int(candidates[0]), rows.summed(node))
        return splits

    def _send_lefts(self, chosen: dict[int, Split], rows: NodeRows, depth: int) -> dict[int, Mask]:
        lefts = {
            node: goes_left(self.features[split.column], split, rows.level[node])
            for node, split in sorted(chosen.items())
        }
        if depth == 0:
            self.s.declare("left", self.label_holder, (rows.size,), kind="tree_rows")
        send_lefts(self.s, self.label_holder, rows, lefts, f"left/depth={depth}")
        return lefts

    def _check(self, sides: dict[int, Mask], lefts: dict[int, Mask], rows: NodeRows, depth: int) -> None:
        """Own splits are as we said, and no child is smaller than the smallest leaf."""
        label = f"sides/depth={depth}"
        for node, left in lefts.items():
            if node not in sides or not np.array_equal(sides[node], left):
                raise self._wrong("other rows go left than we said", label)
        for node, left in sides.items():
            if min(rows.children(node, left)) < self.settings.least_rows:
                raise self._wrong("a node with fewer rows than the minimum of a leaf", label)

    def _wrong(self, what: str, label: str) -> PeerError:
        return PeerError(what, party=self.label_holder, step=self.s.step(label))
