"""The label holder's side of growing one tree: gradients out, sums in, choices out, rows in, sides out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from saferoom.arrays import I64, Mask
from saferoom.channel.session import Session
from saferoom.errors import PeerError, RefusedError
from saferoom.he.keys import PrivateKey
from saferoom.he.workers import Workers
from saferoom.models.boosting.columns import columns_of_tree
from saferoom.models.boosting.gradients import Sample
from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.nodes import (
    MORE,
    ROOT,
    Asked,
    NodeRows,
    hear_lefts,
    layout_of,
    parent_of,
    send_choices,
    send_sides,
)
from saferoom.models.boosting.settings import BoostingSettings
from saferoom.models.boosting.sizes import TreeSizes, most_candidates
from saferoom.models.boosting.split import NO_SPLIT, best_of, by_bin, leaf_weight
from saferoom.protocols.bins import BinnedFeature
from saferoom.protocols.candidates import Split, goes_left
from saferoom.protocols.split_sums import Cipher, SumsShape, receive_sums, send_gradients
from saferoom.sharing.values import Public

Pair: TypeAlias = tuple[int, ...]
Choice: TypeAlias = tuple[str, float, tuple[int, ...]]
"""The party of a node's best split, its gain, and that party's candidates that reach it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LabelSide:
    """What stays the same from tree to tree. `columns`: how many each peer brings at most."""

    s: Session
    features: Sequence[BinnedFeature]
    settings: BoostingSettings
    key: PrivateKey
    workers: Workers
    columns: Mapping[str, int]

    def grow(self, number: int, drawn: Sample) -> tuple[LocalTree, NodeRows]:
        """One tree, and the rows of its leaves. Raises RefusedError if it is grown on too few rows."""
        if drawn.summed.sum() < self.settings.least_rows:
            raise RefusedError(
                f"a tree on fewer training rows than the minimum of a leaf, {self.settings.least_rows}",
                party=self.s.me,
                remedy="align more enterprises, or agree on larger shares of rows or smaller leaves",
            )
        self.s.broadcast("tree", Public(np.array([MORE, number], dtype=np.int64)))
        with self.s.scope(f"tree={number}"):
            return _Tree(self, number, drawn).grow()


class _Tree:
    """One tree while it grows. Sums are (candidates, 3), by node and party: those of the level above."""

    def __init__(self, side: LabelSide, number: int, drawn: Sample) -> None:
        self._side, self._s, self._settings = side, side.s, side.settings
        self._drawn, self._rows = drawn, NodeRows(drawn.summed)
        s, settings = side.s, side.settings
        self._peers = s.peers if number >= settings.own_trees else ()
        self._own = columns_of_tree(number, s.parties.index(s.me), side.features, settings)
        self._cipher = Cipher(layout_of(self._rows.size, settings), side.key.public, side.workers)
        self._announce()
        self._sizes = TreeSizes(int(drawn.summed.sum()), settings)
        self._counts = {peer: most_candidates(side.columns[peer], settings) for peer in self._peers}
        self._counts[s.me] = len(self._own)
        everything = {party: np.ones(count, dtype=bool) for party, count in self._counts.items()}
        self._kept: dict[int, dict[str, Mask]] = {ROOT: everything}
        self._sums: dict[int, dict[str, I64]] = {}

    def grow(self) -> tuple[LocalTree, NodeRows]:
        s, rows, settings = self._s, self._rows, self._settings
        if self._peers:
            summed = self._drawn.sums[self._drawn.summed]
            send_gradients(s, self._peers, summed, self._side.key, self._cipher)
        splits: dict[int, Split] = {}
        owners: dict[int, str] = {}
        gains: dict[int, float] = {}
        for depth in range(self._sizes.levels):
            pairs = rows.pairs(settings.least_rows)
            self._take_sums(pairs, depth)
            choices = {node: found for pair in pairs for node in pair if (found := self._best(node))}
            nodes = tuple(node for pair in pairs for node in pair)
            lefts = self._lefts_of_peers(nodes, choices, depth)
            for node, (party, gain, tied) in choices.items():
                owners[node], gains[node] = party, gain
                if party == s.me:
                    splits[node] = self._own.split(tied[0], rows.summed(node))
                    lefts[node] = goes_left(
                        self._side.features[splits[node].column], splits[node], rows.level[node]
                    )
            asked = Asked(nodes, self._sizes.nodes(depth), 0)
            send_sides(s, self._peers, rows, asked, lefts, f"sides/depth={depth}")
            self._kept = {node: self._kept[node] for node in lefts}
            self._sums = {node: self._sums[node] for node in lefts}
            rows.descend(lefts)
        rows.finish()
        weights = {
            leaf: leaf_weight(self._drawn.sums[held].sum(axis=0), settings)
            for leaf, held in rows.leaves.items()
        }
        return LocalTree(tuple(sorted(owners)), rows.covers, splits, owners, gains, weights), rows

    def _announce(self) -> None:
        """Tell those who take part which rows the tree is grown on; what this begins is declared here."""
        s, shape = self._s, self._drawn.summed.shape
        for peer in self._peers:
            s.declare("sides", peer, shape, kind="tree_rows")
        s.broadcast("rows", Public(np.packbits(self._drawn.summed)), among=self._peers)

    def _take_sums(self, pairs: Sequence[Pair], depth: int) -> None:
        """The sums of all nodes of this level, of own and of all peers' candidates."""
        kept: dict[int, dict[str, Mask]] = {node: {} for pair in pairs for node in pair}
        sums: dict[int, dict[str, I64]] = {node: {} for pair in pairs for node in pair}
        own_of_pairs = [self._own_sums(pair) for pair in pairs]
        heard = {self._s.me: own_of_pairs} | {peer: self._hear(peer, pairs, depth) for peer in self._peers}
        for party, of_pairs in heard.items():
            for pair, (mask, counted) in zip(pairs, of_pairs, strict=True):
                smaller = self._rows.smaller(pair)
                parent = parent_of(pair)
                for node in pair:
                    kept[node][party] = mask
                    sums[node][party] = counted if node == smaller else self._sums[parent][party] - counted
        self._kept, self._sums = kept, sums

    def _own_sums(self, pair: Pair) -> tuple[Mask, I64]:
        held = [self._rows.summed(node) for node in pair]
        parent = parent_of(pair)
        kept = self._own.kept(self._kept[parent][self._s.me], held, self._settings.least_rows)
        smaller = self._rows.summed(self._rows.smaller(pair))
        of_bins = by_bin(self._own.features, smaller, self._drawn.sums)
        return kept, self._own.left_sums(of_bins)

    def _hear(self, peer: str, pairs: Sequence[Pair], depth: int) -> list[tuple[Mask, I64]]:
        """A peer's kept candidates and their sums, checked against the sums of the whole nodes."""
        s, label = self._s, f"sums/depth={depth}"
        if depth == 0:
            s.declare("sums", s.me, (self._counts[peer],), kind="split_sums")
        asked = SumsShape(len(pairs), self._sizes.pairs(depth), self._counts[peer])
        kept, sums = receive_sums(s, peer, label, asked, self._side.key, self._cipher)
        for pair, mask, counted in zip(pairs, kept, sums, strict=True):
            parent = parent_of(pair)
            total = self._drawn.sums[self._rows.summed(self._rows.smaller(pair))]
            if (mask & ~self._kept[parent][peer]).any() or not _possible(counted[mask], total):
                raise PeerError("sums that cannot be those of our rows", party=peer, step=s.step(label))
        return list(zip(kept, sums, strict=True))

    def _best(self, node: int) -> Choice | None:
        """The best split of a node: of equally good ones the earliest party's."""
        held = self._rows.summed(node)
        total = self._drawn.sums[held].sum(axis=0)
        most, found = NO_SPLIT, None
        for party in self._s.parties:
            if party in self._counts:
                best = best_of(self._sums[node][party], self._kept[node][party], total, self._settings)
                if best.tied and best.gain > most.gain:
                    most, found = best, (party, best.gain, best.tied)
        return found

    def _lefts_of_peers(
        self, asked: tuple[int, ...], choices: Mapping[int, Choice], depth: int
    ) -> dict[int, Mask]:
        """Tell each peer which of its candidates are taken; hear which rows they send left, and check."""
        s, lefts = self._s, dict[int, Mask]()
        chosen = {
            peer: {node: tied for node, (party, _, tied) in sorted(choices.items()) if party == peer}
            for peer in self._peers
        }
        for peer, nodes in chosen.items():
            if depth == 0:
                s.declare("chosen", peer, (self._counts[peer],), kind="chosen_splits")
                s.declare("left", s.me, (self._rows.size,), kind="tree_rows")
            of_peer = Asked(asked, self._sizes.nodes(depth), self._counts[peer])
            send_choices(s, peer, of_peer, nodes, f"chosen/depth={depth}")
        for peer, nodes in chosen.items():
            label = f"left/depth={depth}"
            found = hear_lefts(s, peer, self._rows, list(nodes), label)
            for node, left in found.items():
                self._check(peer, node, left, nodes[node], label)
            lefts |= found
        return lefts

    def _check(self, peer: str, node: int, left: Mask, tied: tuple[int, ...], label: str) -> None:
        """The rows that go left have the sums of one of the candidates that were taken, and are enough.

        Equally good ones may differ in their sums: each of a category's two levels is once on the left.
        """
        if min(self._rows.children(node, left)) < self._settings.least_rows:
            raise PeerError(
                "a node with fewer rows than the minimum of a leaf", party=peer, step=self._s.step(label)
            )
        rows = self._rows.level[node][left]
        sums = self._drawn.sums[rows].sum(axis=0)
        if not self._settings.min_leaf_events:
            sums[2] = 0
        if not (self._sums[node][peer][list(tied)] == sums).all(axis=1).any():
            raise PeerError(
                "rows that do not have the sums of its split", party=peer, step=self._s.step(label)
            )


def _possible(sums: I64, rows: I64) -> bool:
    """Whether sums (candidates, 3) could be over some of `rows` (n, 3)."""
    gradients = rows[:, 0]
    least, most = gradients[gradients < 0].sum(), gradients[gradients > 0].sum()
    in_range = (sums[:, 0] >= least) & (sums[:, 0] <= most) & (sums[:, 1] >= 0) & (sums[:, 2] >= 0)
    return bool((in_range & (sums[:, 1] <= rows[:, 1].sum()) & (sums[:, 2] <= rows[:, 2].sum())).all())
