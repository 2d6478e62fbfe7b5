"""Parties that sum the leaves of a few trees in memory; the plain sum beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saferoom.channel.session import Session
from saferoom.protocols.dealing import Dealer
from saferoom.protocols.leaf_sum import deal_leaf_sum, leaf_sum
from saferoom.protocols.randomness import Randomness
from tests.numeric_room import Played, Room
from tests.waiting import LIMIT_S

Table = np.ndarray[Any, Any]
EXACT = 2.0**-22
"""The step of sums that are not rounded at all: weights have 22 fractional bits."""


@dataclass
class LeafRoom:
    """What each party allows (rows, leaves), in the order of parties, and the label holder's weights."""

    reached: list[Table]
    weights: Table
    label_holder: str = "p0"
    recipient: str = "p0"
    step: float = EXACT
    timeout_s: float = LIMIT_S

    @property
    def plain(self) -> Table:
        """The sums, modulo 2**32, that the recipient should learn to the step."""
        reached = np.logical_and.reduce(self.reached).astype(np.int64)
        return (reached @ self.weights).astype(np.uint32).view(np.int32) * EXACT

    def run(self) -> Played:
        return Room(self.timeout_s).play(len(self.reached), self.party, self.dealer)

    def party(self, s: Session, randomness: Randomness, index: int) -> Any:
        """What an honest party does."""
        return leaf_sum(
            s,
            randomness,
            self.reached[index],
            label_holder=self.label_holder,
            recipient=self.recipient,
            step=self.step,
            weights=self.weights if s.me == self.label_holder else None,
        )

    def dealer(self, dealer: Dealer, s: Session) -> None:
        rows, leaves = self.reached[0].shape
        deal_leaf_sum(dealer, s, rows, leaves, self.label_holder)


def leaf_room(parties: int, rows: int, trees: Sequence[int], seed: int = 0, **settings: Any) -> LeafRoom:
    """Trees of so many leaves: each row reaches one of each, which all parties allow, and some of the parties
    allow others besides: never all parties the same."""
    rng = np.random.default_rng(seed)
    blocks: list[list[Table]] = [[] for _ in range(parties)]
    for leaves in trees:
        allowed = rng.random((parties, rows, leaves)) < 0.6
        common = allowed.all(axis=0)
        allowed[rng.integers(0, parties, common.shape), *np.indices(common.shape)] &= ~common
        allowed[:, np.arange(rows), rng.integers(0, leaves, rows)] = True
        for block, part in zip(blocks, allowed, strict=True):
            block.append(part)
    empty = np.zeros((rows, 0), dtype=bool)
    weights = rng.integers(-(2**24), 2**24, sum(trees))
    return LeafRoom([np.hstack([empty, *block]) for block in blocks], weights, **settings)
