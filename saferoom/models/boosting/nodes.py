"""The nodes of a growing tree: which training rows each holds, and the messages by which all come to know.

Nodes are numbered as in a heap: the root is 0, the children of v are 2v + 1 (left) and 2v + 2 (right).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def send_choices(s: Session, peer: str, choices: Mapping[int, Sequence[int]], label: str) -> None:
    """Label holder: for each node that the peer is to split, the candidates that are equally good."""
    flat = [number for node, tied in choices.items() for number in (node, len(tied), *tied)]
    s.send(peer, label, Public(np.array(flat, dtype=np.int64)))


def hear_choices(s: Session, sender: str, label: str) -> list[tuple[int, list[int]]]:
    """Feature holder: the same. Raises PeerError if the message breaks off."""
    flat = s.receive_one(sender, label, (-1,), np.int64).tolist()
    found = []
    while flat:
        count = flat[1] if len(flat) > 1 else 0
        if not 1 <= count <= len(flat) - 2:
            raise PeerError("choices that break off", party=sender, step=s.step(label))
        found.append((flat[0], flat[2 : 2 + count]))
        flat = flat[2 + count :]
    return found


def send_sides(s: Session, peers: Sequence[str], lefts: Mapping[int, Mask], label: str) -> None:
    """Label holder: which nodes of a level are split, and which of their rows go left."""
    nodes = np.array(sorted(lefts), dtype=np.int64)
    flat = np.concatenate([*(lefts[node] for node in sorted(lefts)), np.zeros(0, dtype=bool)])
    for peer in peers:
        s.send(peer, label, Public(nodes), Public(np.packbits(flat)))


def hear_sides(
    s: Session, sender: str, rows: NodeRows, possible: Sequence[int], label: str
) -> dict[int, Mask]:
    """Feature holder: the same. Raises PeerError if a node is split that is not `possible`."""
    tensors = s.receive(sender, label)
    if [(t.dtype, t.ndim) for t in tensors] != [(np.dtype(np.int64), 1), (np.dtype(np.uint8), 1)]:
        raise PeerError("expected nodes and bits of rows", party=sender, step=s.step(label))
    nodes = tensors[0].tolist()
    if nodes != sorted(set(nodes) & set(possible)):
        raise PeerError("it splits nodes that are not to be split", party=sender, step=s.step(label))
    return unpacked(s, sender, rows, nodes, tensors[1], label)


def unpacked(
    s: Session, sender: str, rows: NodeRows, nodes: Sequence[int], packed: NDArray[np.uint8], label: str
) -> dict[int, Mask]:
    """Bits of the rows of `nodes`, node by node. Raises PeerError if there are more or fewer."""
    sizes = [len(rows.level[node]) for node in nodes]
    if packed.shape != (-(-sum(sizes) // 8),):
        raise PeerError("bits of another number of rows", party=sender, step=s.step(label))
    flat = np.unpackbits(packed, count=sum(sizes)).astype(bool)
    parts = np.split(flat, np.cumsum(sizes)[:-1]) if sizes else []
    return dict(zip(nodes, parts, strict=True))
