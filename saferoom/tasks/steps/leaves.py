"""The joint sum of leaf weights: of held-out rows in a training job, of those asked for in a score job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import F64, I64
from saferoom.errors import PeerError
from saferoom.jobs.context import JobContext
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.leaf_sum import Reached, deal_leaf_sum, leaf_sum
from saferoom.sharing.values import Public

MOST_CELLS = 1 << 44


@dataclass(frozen=True, slots=True, eq=False)
class Leaves:
    """`reached` (rows, leaves); at the label holder `weights` (leaves,) and `base_margin` (rows,).

    `most`: how many leaves there can be, which everybody knows.
    """

    reached: Reached
    weights: I64 | None
    base_margin: I64 | None
    most: int

    def filled(self) -> Leaves:
        """With leaves besides that no row reaches, so that it does not show how many there are."""
        missing = self.most - self.reached.shape[1]
        weights = None if self.weights is None else np.pad(self.weights, (0, missing))
        return Leaves(_Filled(self.reached, missing), weights, self.base_margin, self.most)


@dataclass(frozen=True, slots=True, eq=False)
class _Filled:
    reached: Reached
    missing: int

    @property
    def shape(self) -> tuple[int, ...]:
        rows, leaves = self.reached.shape
        return rows, leaves + self.missing

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        return np.pad(self.reached[rows], ((0, 0), (0, self.missing)))


def sum_leaves(context: JobContext, found: Leaves, recipient: str) -> F64 | None:
    """The sums (rows,), log-odds in the contract's steps, at `recipient`; None elsewhere."""
    leaves = found.filled()
    session, holder = context.session, context.contract.label_holder
    with session.scope("leaves"):
        if context.me == holder:
            sizes = Public(np.array(leaves.reached.shape, dtype=np.int64))
            for helper in session.helpers:
                session.send(helper, "sizes", sizes)
        return leaf_sum(
            session,
            receive_seed(session),
            leaves.reached,
            label_holder=holder,
            recipient=recipient,
            step=context.contract.released_step,
            weights=leaves.weights,
            base_margin=leaves.base_margin,
            progress=lambda done, of: context.progress("", done, of),
        )


def help_sum_leaves(context: JobContext) -> None:
    """The helper's side: it learns how many rows there are, and how many leaves there can be."""
    session, holder = context.session, context.contract.label_holder
    with session.scope("leaves"):
        rows, leaves = session.receive_one(holder, "sizes", (2,), np.int64).tolist()
        if rows < 0 or leaves < 0 or rows * leaves > MOST_CELLS:
            raise PeerError(
                f"expected at most {MOST_CELLS} rows times leaves, and got {rows} rows and {leaves} leaves",
                party=holder,
                step=session.step("sizes"),
                remedy="check that all nodes run the same SafeRoom version",
            )
        deal_leaf_sum(deal_seeds(session), session, rows, leaves, holder)
