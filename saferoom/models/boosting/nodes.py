"""The nodes of a growing tree: which training rows each holds, and the messages by which all come to know.

Nodes are numbered as in a heap: the root is 0, the children of v are 2v + 1 (left) and 2v + 2 (right).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import I32, Mask
from saferoom.channel.session import Session
from saferoom.errors import PeerError, RefusedError
from saferoom.models.boosting.settings import FRAC_BITS, BoostingSettings
from saferoom.protocols.split_layout import SumLayout
from saferoom.sharing.values import Public

ROOT = 0
MORE, ENOUGH = 1, 0
"""Whether another tree follows."""
EXACT_BITS = 53
"""Of sums, which are made as floats on own columns."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a feature holder is asked about on one level: nodes, pair by pair, each with its candidates.

    `most` nodes and `candidates`: as many as there may be, known to everybody.
    """

    nodes: tuple[int, ...]
    most: int
    candidates: int


def parent_of(pair: tuple[int, ...]) -> int:
    """The node that siblings were split from; of the root, which has none, itself."""
    return max((pair[0] - 1) // 2, ROOT)


class NodeRows:
    """The nodes of the level that is being split, and their rows; leaves that were left behind besides.

    `summed` (rows,) says which training rows this tree is grown on; the others only fall through it.
    `covers`: how many training rows each node holds.
    """

    def __init__(self, summed: Mask) -> None:
        self.is_summed = summed
        self.level: dict[int, I32] = {ROOT: np.arange(len(summed), dtype=np.int32)}
        self.leaves: dict[int, I32] = {}
        self.covers: dict[int, int] = {ROOT: len(summed)}

    def summed(self, node: int) -> I32:
        """The rows of a node of this level that are summed."""
        rows = self.level[node]
        return rows[self.is_summed[rows]]

    @property
    def size(self) -> int:
        """All training rows."""
        return len(self.is_summed)

    def smaller(self, pair: tuple[int, ...]) -> int:
        """The sibling that is added up: the one with fewer summed rows, the left one if they are equal."""
        return min(pair, key=lambda node: (len(self.summed(node)), node))

    def children(self, node: int, left: Mask) -> tuple[int, int]:
        """Summed rows of the children that a node would have."""
        summed = self.is_summed[self.level[node]]
        on_left = int(np.count_nonzero(summed & left))
        return on_left, int(np.count_nonzero(summed)) - on_left

    def pairs(self, minimum: int) -> list[tuple[int, ...]]:
        """Siblings of this level, of which at least one is large enough for two leaves; or the root alone."""
        sizes = {node: len(self.summed(node)) for node in self.level}
        found: list[tuple[int, ...]] = [(ROOT,)] if ROOT in self.level else []
        found += [(node, node + 1) for node in sorted(self.level) if node % 2]
        return [pair for pair in found if any(sizes[node] >= 2 * minimum for node in pair)]

    def packed(self, lefts: Mapping[int, Mask]) -> NDArray[np.uint8]:
        """A bit for each training row: whether it is in one of these nodes and goes left."""
        of_rows = np.zeros(self.size, dtype=bool)
        for node, left in lefts.items():
            of_rows[self.level[node][left]] = True
        return np.packbits(of_rows)

    def descend(self, lefts: Mapping[int, Mask]) -> None:
        """Go to the next level: `lefts` says for each node that is split which of its rows go left."""
        below: dict[int, I32] = {}
        for node, rows in self.level.items():
            if node in lefts:
                left = lefts[node]
                below[2 * node + 1], below[2 * node + 2] = rows[left], rows[~left]
                self.covers |= {child: len(below[child]) for child in (2 * node + 1, 2 * node + 2)}
            else:
                self.leaves[node] = rows
        self.level = below

    def finish(self) -> None:
        """What is left of the level becomes leaves."""
        self.descend({})


def layout_of(rows: int, settings: BoostingSettings) -> SumLayout:
    """For sums over up to `rows` training rows. Raises RefusedError if they might not be exact."""
    largest = round(settings.largest_weight * 2**FRAC_BITS) + 1
    layout = SumLayout.of(rows, largest, events=settings.min_leaf_events > 0)
    if layout.hessian > EXACT_BITS:
        raise RefusedError(
            "sums of so many rows that may count so much are not exact",
            remedy="agree on a smaller scale_pos_weight or a larger other_rate",
        )
    return layout


def send_choices(
    s: Session, peer: str, asked: Asked, choices: Mapping[int, Sequence[int]], label: str
) -> None:
    """Label holder: for each node that the peer is to split, the candidates that are equally good."""
    table = np.zeros((asked.most, asked.candidates), dtype=bool)
    for slot, node in enumerate(asked.nodes):
        table[slot, list(choices.get(node, ()))] = True
    s.send(peer, label, Public(np.packbits(table, axis=1)))


def hear_choices(s: Session, sender: str, asked: Asked, label: str) -> dict[int, list[int]]:
    """Feature holder: the same. Raises PeerError for choices of what was not asked about."""
    shape = asked.most, -(-asked.candidates // 8)
    table = np.unpackbits(s.receive_one(sender, label, shape, np.uint8), axis=1)
    if table[len(asked.nodes) :].any() or table[:, asked.candidates :].any():
        raise PeerError("a choice of a node or split that was not offered", party=sender, step=s.step(label))
    tied = [np.flatnonzero(of_node).tolist() for of_node in table[: len(asked.nodes)]]
    return {node: found for node, found in zip(asked.nodes, tied, strict=True) if found}


def send_sides(
    s: Session, peers: Sequence[str], rows: NodeRows, asked: Asked, lefts: Mapping[int, Mask], label: str
) -> None:
    """Label holder: which nodes of a level are split, and which of their rows go left."""
    is_split = np.zeros(asked.most, dtype=bool)
    is_split[: len(asked.nodes)] = [node in lefts for node in asked.nodes]
    s.broadcast(label, Public(np.packbits(is_split)), Public(rows.packed(lefts)), among=peers)


def hear_sides(s: Session, sender: str, rows: NodeRows, asked: Asked, label: str) -> dict[int, Mask]:
    """Feature holder: the same. Raises PeerError if a node is split that was not asked about."""
    tensors = s.hear(sender, label)
    shapes = [(-(-asked.most // 8),), (-(-rows.size // 8),)]
    if [t.shape for t in tensors] != shapes or any(t.dtype != np.uint8 for t in tensors):
        raise PeerError("expected bits of nodes and of rows", party=sender, step=s.step(label))
    is_split = np.unpackbits(tensors[0])
    if is_split[len(asked.nodes) :].any():
        raise PeerError("it splits nodes that are not to be split", party=sender, step=s.step(label))
    nodes = [asked.nodes[slot] for slot in np.flatnonzero(is_split)]
    return unpacked(s, sender, rows, nodes, tensors[1], label)


def send_lefts(s: Session, to: str, rows: NodeRows, lefts: Mapping[int, Mask], label: str) -> None:
    """Feature holder: which rows of the nodes that it splits go left."""
    s.send(to, label, Public(rows.packed(lefts)))


def hear_lefts(s: Session, sender: str, rows: NodeRows, nodes: Sequence[int], label: str) -> dict[int, Mask]:
    """Label holder: the same. Raises PeerError for rows of other nodes."""
    packed = s.receive_one(sender, label, (-(-rows.size // 8),), np.uint8)
    return unpacked(s, sender, rows, nodes, packed, label)


def unpacked(
    s: Session, sender: str, rows: NodeRows, nodes: Sequence[int], packed: NDArray[np.uint8], label: str
) -> dict[int, Mask]:
    """Of a bit for each training row those of `nodes`. Raises PeerError if another row's is set."""
    of_rows = np.unpackbits(packed).astype(bool)
    found = {node: of_rows[rows.level[node]] for node in nodes}
    if of_rows.sum() != sum(int(left.sum()) for left in found.values()):
        raise PeerError("rows go left that are in none of its nodes", party=sender, step=s.step(label))
    return found
