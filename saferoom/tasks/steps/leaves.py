"""The joint sum of leaf weights: of held-out rows in a training job, of those asked for in a score job."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.data.table import PartyTable
from saferoom.errors import PeerError
from saferoom.jobs.context import JobContext
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.leaf_sum import deal_leaf_sum, leaf_sum
from saferoom.sharing.values import Public
from saferoom.tasks.models.boosting import BoostedModel, log_odds

MOST_CELLS = 1 << 44


def sum_leaves(
    context: JobContext, model: BoostedModel, table: PartyTable, recipient: str
) -> NDArray[np.float64] | None:
    """The log-odds (rows,) of the table's rows, at `recipient`; None elsewhere."""
    session, holder = context.session, context.contract.label_holder
    rows = model.rows(table)
    with session.scope("leaves"):
        if context.me == holder and session.helper is not None:
            session.send(session.helper, "sizes", Public(np.array(rows.shape, dtype=np.int64)))
        words = leaf_sum(
            session,
            receive_seed(session),
            rows,
            label_holder=holder,
            recipient=recipient,
            weights=model.weights,
            base_margin=rows.base_margin() if context.me == holder else None,
            progress=lambda done, of: context.progress("", done, of),
        )
    return None if words is None else log_odds(words)


def help_sum_leaves(context: JobContext) -> None:
    """The helper's side: it learns how many rows and leaves there are."""
    session, holder = context.session, context.contract.label_holder
    with session.scope("leaves"):
        rows, leaves = session.receive_one(holder, "sizes", (2,), np.int64).tolist()
        if rows < 0 or leaves < 0 or rows * leaves > MOST_CELLS:
            raise PeerError("sizes that cannot be", party=holder, step=session.step("sizes"))
        deal_leaf_sum(deal_seeds(session), session, rows, leaves, holder)
