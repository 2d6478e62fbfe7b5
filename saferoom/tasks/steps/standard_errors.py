"""Standard errors of each party's coefficients: after training, if a scorecard's contract asks for them."""

from __future__ import annotations

from saferoom.arrays import F64
from saferoom.data.woe import WoePreparation
from saferoom.jobs.context import JobContext
from saferoom.models.scorecard.standard_errors import deal_standard_errors, standard_errors
from saferoom.scoring.points import pd_from_logit


def own_errors(
    context: JobContext, preparation: WoePreparation, woe: F64, labels: F64 | None, logits: F64 | None
) -> F64:
    """Standard errors (c,) of the own coefficients.

    `woe` (n, c): the own columns of the training rows; `labels`, `logits` (n,) at the label holder.
    """
    with context.phase("errors"):
        return standard_errors(
            context.session,
            woe,
            None if logits is None else pd_from_logit(logits),
            _default_rate(preparation) if labels is None else float(labels.mean()),
            label_holder=context.contract.label_holder,
        )


def help_errors(context: JobContext) -> None:
    """The helper's side."""
    with context.phase("errors"):
        deal_standard_errors(context.session, context.contract.label_holder)


def _default_rate(preparation: WoePreparation) -> float:
    """Of the training rows: every column's bins hold all of them."""
    counts = preparation.columns[0].counts
    return float(counts.events.sum() / counts.rows.sum())
