"""Which columns of a scorecard are left out, beside those whose information value is too low.

    max_vif           before training: columns that the others, of all parties together, explain too well
    drop_wrong_signs  after training: columns whose coefficient says that better WOE means worse credit; then
                      all train again, at most MOST_ROUNDS times. What is left of them is marked

Both are parameters of the contract. A feature holder always keeps one column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.jobs.context import JobContext
from saferoom.kinds.scorecard import ScorecardParams
from saferoom.models.scorecard.vif import deal_leave_out_collinear, leave_out_collinear
from saferoom.models.scorecard.woe_column import is_wrong_sign
from saferoom.tasks.results.quality import NONE_COMPUTED, Factors

MOST_ROUNDS = 10


def without_collinear(
    context: JobContext, params: ScorecardParams, found: WoePreparation, train: PartyTable
) -> tuple[WoePreparation, Factors]:
    """The columns that stay, and their factors, if the contract bounds variance inflation factors."""
    if params.max_vif is None:
        return found, NONE_COMPUTED
    inflation = leave_out_collinear(
        context.session,
        found.transform(train),
        label_holder=context.contract.label_holder,
        most=float(params.max_vif),
    )
    stays = dict(zip(found.column_names, inflation.stays.tolist(), strict=True))
    gone = [name for name, kept in stays.items() if not kept]
    why = "its variance inflation factor is above the contract's max_vif"
    factors = Factors.of(inflation.factors, context.me, [name for name, kept in stays.items() if kept])
    return found.without(dict.fromkeys(gone, why)), factors


def help_select(context: JobContext, params: ScorecardParams) -> None:
    """The helper's side of `without_collinear`."""
    if params.max_vif is not None:
        with context.phase("bin"):
            deal_leave_out_collinear(context.session, context.contract.label_holder)


def without_wrong_signs(
    context: JobContext,
    params: ScorecardParams,
    preparation: WoePreparation,
    coefficients: NDArray[np.float64],
) -> WoePreparation | None:
    """Fewer columns to train again with, or None if the model stays as it is.

    All parties tell each other, and whoever helps, how many columns they leave out.
    """
    if not _trains_again(context, params):
        return None
    wrong = _wrong(preparation, coefficients, keeps_one=context.me != context.contract.label_holder)
    session, count = context.session, np.array([len(wrong)], dtype=np.int64)
    with session.scope("signs"):
        session.disclose_to_peers("left out", count, kind="left_out")
        for helper in session.helpers:
            session.disclose("left out", helper, count, kind="left_out")
        total = len(wrong) + sum(_hear(context, peer) for peer in session.peers)
    if not total:
        return None
    return preparation.without(dict.fromkeys(wrong, "its coefficient has the wrong sign"))


def help_drop_wrong_signs(context: JobContext, params: ScorecardParams) -> bool:
    """The helper's side of `without_wrong_signs`: whether all train again."""
    if not _trains_again(context, params):
        return False
    with context.session.scope("signs"):
        return sum(_hear(context, party) for party in context.session.parties) > 0


def _trains_again(context: JobContext, params: ScorecardParams) -> bool:
    if not params.drop_wrong_signs:
        return False
    context.facts["trainings"] = context.facts.get("trainings", 0) + 1
    return bool(context.facts["trainings"] <= MOST_ROUNDS)


def _wrong(preparation: WoePreparation, coefficients: NDArray[np.float64], *, keeps_one: bool) -> list[str]:
    """Names of the columns that raise the log-odds of default with a better WOE."""
    wrong = [
        column
        for column, value in zip(preparation.columns, coefficients.tolist(), strict=True)
        if is_wrong_sign(value)
    ]
    if keeps_one and len(wrong) == len(preparation.columns):
        wrong.remove(max(wrong, key=lambda column: column.iv))
    return [column.name for column in wrong]


def _hear(context: JobContext, party: str) -> int:
    return max(0, int(context.session.hear_one(party, "left out", (1,), np.int64)[0]))
