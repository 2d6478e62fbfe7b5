"""The job `score`: joint scores of the enterprises on the recipient's list, learnt by the recipient alone.

The recipient reads its list from a file of its own (ids and its feature columns); every other party looks
into its registered data set. Only enterprises that all of them hold can be scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.contract import Contract
from saferoom.contracts.terms import scoring_form
from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError, UsageError
from saferoom.jobs.context import JobContext
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.protocols.psi import align, match
from saferoom.tasks.models.boosting import BoostedModel
from saferoom.tasks.models.load import AnyModel, load_model
from saferoom.tasks.results.score_files import write_score_list
from saferoom.tasks.steps.asked import Asked, read_asked
from saferoom.tasks.steps.leaves import help_sum_leaves, sum_leaves
from saferoom.tasks.steps.reasons import help_reasons, reason_lists, reasons_asked
from saferoom.tasks.steps.rows import load_rows


def score_recipient(contract: Contract) -> str:
    """The party that learns scores: the label holder, or else the first that the contract names."""
    recipients = contract.recipients(scoring_form(contract.task.kind))
    return contract.label_holder if contract.label_holder in recipients else recipients[0]


def score(context: JobContext) -> None:
    """A party's side."""
    session = context.session
    recipient = score_recipient(context.contract)
    with context.phase("load"):
        model = _model(context)
        asked = _asked(context, model, recipient)
        table = asked.table if asked else load_rows(context)
        context.facts["rows"] = len(table)
    with context.phase("align"):
        if asked is not None:
            for peer in session.peers:
                session.declare("asked", peer, (len(table),), kind="query")
        with _some_are_held(), session.scope("align"):
            positions = align(session, table.ids)
        context.facts["scored"] = len(positions)
        context.daemon.record("psi.done", rows=len(positions))
    with context.phase("score"):
        table = table.take(positions)
        with session.scope("score"):
            total = _joint_scores(context, model, table, recipient)
    reasons = None
    if reasons_asked(context):
        with context.phase("reasons"):
            reasons = reason_lists(context, model, table, recipient)
    one = context.spec.params.get("mode") == "one" and len(table) == 1
    if asked is None and one:
        _note_query(context, model, table)
    if asked is not None and total is not None:
        asked = asked.keep(positions)
        context.facts["unscored"] = asked.counts()
        with context.phase("store"):
            if one:
                _note_query(context, model, table)
            else:
                context.daemon.record("score.batch", model=model.job, rows=len(table))
            write_score_list(context.folder, model, context.home.model(model.job), table.ids, total, reasons)
            asked.save(context.folder)


def _joint_scores(
    context: JobContext, model: AnyModel, table: PartyTable, recipient: str
) -> NDArray[np.float64] | None:
    """The sum of all parties' parts, at the recipient: log-odds, or a scorecard's points."""
    if isinstance(model, BoostedModel):
        return sum_leaves(context, model, table, recipient)
    pads = PairwisePads.agree(context.session)
    kind = scoring_form(context.contract.task.kind)
    return masked_sum(context.session, model.part(table), recipient, pads, kind=kind)


def _note_query(context: JobContext, model: AnyModel, table: PartyTable) -> None:
    """One enterprise was asked for: every party that sees which one logs it, as a salted commitment."""
    context.daemon.record("score.one", model=model.job, rows=1, subject=table.ids[0].decode())


def help_score(context: JobContext) -> None:
    """The helper's side: match pseudonyms, deal for the leaves of trees and for reason codes.

    The sum of a regression's parts needs no helper.
    """
    with context.phase("align"), _some_are_held(), context.session.scope("align"):
        match(context.session)
    if context.contract.task.kind == "boosting":
        with context.phase("score"), context.session.scope("score"):
            help_sum_leaves(context)
    help_reasons(context)


def _model(context: JobContext) -> AnyModel:
    model = load_model(context.home.model(str(context.spec.params["model"])))
    if model.contract != context.contract.id:
        raise RefusedError(
            "the model was made under another contract", remedy="score under the contract that made the model"
        )
    return model


@contextmanager
def _some_are_held() -> Iterator[None]:
    """Say it in the words of scoring if list and data sets have no enterprise in common."""
    try:
        yield
    except UsageError as error:
        if not error.step.endswith("verdict"):
            raise
        raise UsageError(
            "no enterprise that was asked for is held by every party, so none can be scored",
            step=error.step,
            remedy="ask for others; those that all parties hold can be scored",
        ) from error


def _asked(context: JobContext, model: AnyModel, recipient: str) -> Asked | None:
    """At the recipient: the list of enterprises to be scored."""
    if context.me != recipient:
        return None
    if "input" not in context.spec.local:
        raise UsageError(
            "scores are asked for by their recipient", remedy=f"run `saferoom score batch` at {recipient}"
        )
    return read_asked(context, model)
