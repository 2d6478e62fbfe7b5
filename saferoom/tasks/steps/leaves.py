"""The joint sum of leaf weights: of held-out rows in a training job, of those asked for in a score job."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from saferoom.arrays import I64
from saferoom.errors import PeerError
from saferoom.jobs.context import JobContext
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.leaf_sum import Reached, deal_leaf_sum, leaf_sum
from saferoom.sharing.values import Public

MOST_CELLS = 1 << 44


@dataclass(frozen=True, slots=True, eq=False)
class Leaves:
    """`reached` (rows, leaves); at the label holder `weights` (leaves,) and `base_margin` (rows,)."""

    reached: Reached
    weights: I64 | None
    base_margin: I64 | None


def sum_leaves(context: JobContext, leaves: Leaves, recipient: str) -> I64 | None:
    """The sums (rows,) in fixed point, at `recipient`; None elsewhere."""
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
            weights=leaves.weights,
            base_margin=leaves.base_margin,
            progress=lambda done, of: context.progress("", done, of),
        )


def help_sum_leaves(context: JobContext) -> None:
    """The helper's side: it learns how many rows and leaves there are."""
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
