"""A training job resumes from the trees of an earlier one: the same rows, the same bins, the same tree.

head      every party: the same contract and data version          checked before alignment
rows      every party: the same rows in common, the same split     the order is another in every job
bins      every party: its columns come out the same
trees     every party: how many trees it has                       all resume from the smallest number
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from saferoom.arrays import Ids, Mask
from saferoom.data.tree_columns import TreeColumns
from saferoom.errors import PeerError, RefusedError, UsageError
from saferoom.jobs.context import JobContext
from saferoom.models.boosting.model import LocalTree
from saferoom.models.boosting.train import Grown
from saferoom.sharing.values import Public
from saferoom.tasks.results.checkpoint import WITHOUT, Head, Rows, TrainingCheckpoint, digest_of_rows

EMPTY = LocalTree((), {}, {})
"""A feature holder's part of a tree that it does not take part in."""


class EarlierJob:
    """The job to resume, as this party kept it."""

    def __init__(self, context: JobContext, checkpoint: TrainingCheckpoint) -> None:
        self._me, self._checkpoint = context.me, checkpoint

    @classmethod
    def of(cls, context: JobContext) -> EarlierJob | None:
        """The one that the job names; None if it begins anew. Raises RefusedError, StorageError."""
        job = context.spec.params.get("resume")
        if job is None:
            return None
        checkpoint = TrainingCheckpoint.open(context.home.checkpoint(str(job)))
        found, head = cls(context, checkpoint), checkpoint.head
        expected = (str(job), context.contract.id, context.me, context.registration.version)
        if (head.job, head.contract, head.party, head.data_version) != expected:
            raise found._other("the checkpoint is of another job, contract or data version")
        return found

    def check_aligned(self, ids: Ids) -> None:
        """The rows in common are those of the earlier job. Raises RefusedError."""
        if digest_of_rows(ids) != self._checkpoint.head.aligned:
            raise self._other("the rows that the parties have in common are not those of the earlier job")

    def check_trained(self, ids: Ids) -> None:
        """So are the training rows. Raises RefusedError."""
        if digest_of_rows(ids) != self._checkpoint.head.trained:
            raise self._other("the split into training and held-out rows is not that of the earlier job")

    def split(self, ids: Ids) -> Mask:
        """At the label holder: which aligned rows the earlier job trained on, (n,)."""
        return np.isin(ids, self._checkpoint.rows.ids)

    def check_columns(self, columns: TreeColumns) -> None:
        """The columns were binned alike. Raises RefusedError."""
        if _plain(columns) != self._checkpoint.head.columns:
            raise self._other("the columns' bins do not come out as in the earlier job")

    def resume(self, context: JobContext, ids: Ids, own_trees: int) -> Grown:
        """The trees that every party has; `ids` are the training rows in this job's order.

        Raises PeerError if a party has fewer trees than others can go back to, StorageError.
        """
        own = self._checkpoint.trees()
        # Of trees that it does not take part in, a feature holder knows nothing, and so lacks nothing.
        held = own if self._checkpoint.head.is_label_holder else max(own, own_trees)
        trees, behind = _agree(context, held)
        grown = self._checkpoint.grown(min(trees, own))
        if grown is None:
            raise PeerError(
                f"it has {trees} trees of the earlier job, and {own} are here: nobody can go back so far",
                party=behind,
                step="resume",
                remedy=WITHOUT,
            )
        grown.trees += [EMPTY] * (trees - len(grown.trees))
        self._reorder(grown, ids)
        return grown

    def _reorder(self, grown: Grown, ids: Ids) -> None:
        """Bring what goes by row into this job's order."""
        before = self._checkpoint.rows.ids
        order = np.argsort(before)
        places = order[np.searchsorted(before, ids, sorter=order)]
        for name in ("margins", "kept_margins", "held_out"):
            found = getattr(grown, name)
            setattr(grown, name, None if found is None else found[places])

    def _other(self, what: str) -> RefusedError:
        return RefusedError(what, party=self._me, step="resume", remedy=WITHOUT)


def begin_checkpoint(
    context: JobContext, aligned: Ids, trained: Ids, columns: TreeColumns, grown: Grown
) -> TrainingCheckpoint:
    """This job's own, in which the trees it resumes from are kept too. Raises StorageError."""
    if grown.held_out is None:
        raise UsageError("it is not said which training rows are held out", step="train")
    head = Head(
        job=context.spec.job_id,
        contract=context.contract.id,
        party=context.me,
        data_version=context.registration.version,
        columns=_plain(columns),
        aligned=digest_of_rows(aligned),
        trained=digest_of_rows(trained),
        is_label_holder=context.me == context.contract.label_holder,
    )
    rows = Rows(trained, grown.held_out)
    return TrainingCheckpoint.begin(context.home.checkpoint(head.job), head, rows, grown)


def _plain(columns: TreeColumns) -> Any:
    """As it is read back from a file."""
    return json.loads(json.dumps(columns.to_dict()))


def _agree(context: JobContext, own: int) -> tuple[int, str]:
    """The smallest number of trees of all parties, and the first party that has no more."""
    s = context.session
    with s.scope("resume"):
        s.broadcast("trees", Public(np.array([own], dtype=np.int64)))
        heard = {peer: int(s.hear_one(peer, "trees", (1,), np.int64)[0]) for peer in s.peers}
        for peer, count in heard.items():
            if count < 0:
                raise PeerError("a number of trees below 0", party=peer, step=s.step("trees"))
    heard[s.me] = own
    behind = min(sorted(heard), key=heard.__getitem__)
    return heard[behind], behind
