"""A feature holder's side of growing one tree: sums of candidates and rows of its splits out, sides in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from saferoom.arrays import Mask
from saferoom.channel.session import Session
from saferoom.errors import PeerError
from saferoom.he.keys import PublicKey
from saferoom.he.workers import Workers
from saferoom.models.boosting.columns import columns_of_tree
from saferoom.models.boosting.gradients import is_as_agreed
from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.nodes import ROOT, NodeRows, hear_choices, hear_sides, layout_of, parent_of
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Candidates, Split, goes_left
from saferoom.protocols.split_sums import Cipher, SplitSums
from saferoom.sharing.values import Public

Pair: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeatureSide:
    """What stays the same from tree to tree. `usable` (rows,): the training rows that trees are grown on."""

    s: Session
    label_holder: str
    features: Sequence[BinnedFeature]
    settings: BoostingSettings
    key: PublicKey
    workers: Workers
    usable: Mask

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
        packed = self.s.receive_one(self.label_holder, "rows", (-(-size // 8),), np.uint8)
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
        s.declare("sums", self.label_holder, (len(own),), kind="split_sums")
        sums = SplitSums(s, self.label_holder, own, rows.is_summed, cipher)
        sums.receive_gradients()
        s.declare("chosen", s.me, (len(own),), kind="chosen_splits")
        before = {ROOT: np.ones(len(own), dtype=bool)}
        shape: list[int] = []
        splits: dict[int, Split] = {}
        for depth in range(settings.max_depth):
            pairs = rows.pairs(settings.least_rows)
            if not pairs:
                break
            kept = self._send_sums(sums, own, rows, pairs, before, depth)
            chosen = self._hear_chosen(sums, own, rows, kept, depth)
            lefts = self._send_lefts(chosen, rows, depth)
            splits |= chosen
            sides = hear_sides(s, self.label_holder, rows, list(kept), f"sides/depth={depth}")
            self._check(sides, lefts, rows, depth)
            before = {node: kept[node] for node in sides}
            shape += sides
            rows.descend(sides)
        return LocalTree(tuple(sorted(shape)), rows.covers, splits)

    def _send_sums(
        self,
        sums: SplitSums,
        own: Candidates,
        rows: NodeRows,
        pairs: Sequence[Pair],
        before: dict[int, Mask],
        depth: int,
    ) -> dict[int, Mask]:
        """The kept candidates of each node that is asked about."""
        kept: dict[int, Mask] = {}
        asked = []
        for pair in pairs:
            held = [rows.summed(node) for node in pair]
            parent = parent_of(pair)
            of_pair = own.kept(before[parent], held, self.settings.least_rows)
            kept |= dict.fromkeys(pair, of_pair)
            asked.append((None if pair == (ROOT,) else rows.summed(rows.smaller(pair)), of_pair))
        sums.send_sums(f"sums/depth={depth}", asked)
        return kept

    def _hear_chosen(
        self, sums: SplitSums, own: Candidates, rows: NodeRows, kept: dict[int, Mask], depth: int
    ) -> dict[int, Split]:
        """The own splits that were taken: of candidates with equal sums the first in natural order."""
        label = f"chosen/depth={depth}"
        splits: dict[int, Split] = {}
        for node, tied in hear_choices(self.s, self.label_holder, label):
            is_offered = node in kept and node not in splits and all(0 <= t < len(own) for t in tied)
            candidates = sorted(sums.order[tied].tolist()) if is_offered else []
            if not candidates or not kept[node][candidates].all():
                raise self._wrong("a choice of a node or split that was not offered", label)
            splits[node] = own.split(candidates[0], rows.summed(node))
        return splits

    def _send_lefts(self, chosen: dict[int, Split], rows: NodeRows, depth: int) -> dict[int, Mask]:
        lefts = {
            node: goes_left(self.features[split.column], split, rows.level[node])
            for node, split in sorted(chosen.items())
        }
        flat = np.concatenate([*lefts.values(), np.zeros(0, dtype=bool)])
        if depth == 0:
            self.s.declare("left", self.label_holder, (rows.size,), kind="tree_rows")
        self.s.send(self.label_holder, f"left/depth={depth}", Public(np.packbits(flat)))
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
