"""The job `score`: joint scores of the enterprises on the recipient's list, learnt by the recipient alone.

The recipient reads its list from a file of its own (ids and its feature columns); every other party looks
into its registered data set. Only enterprises that all of them hold can be scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.contract import Contract
from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError, UsageError
from saferoom.jobs.context import JobContext
from saferoom.protocols.psi import align, match
from saferoom.tasks.base import Model
from saferoom.tasks.registry import load_model
from saferoom.tasks.results.score_files import write_score_list
from saferoom.tasks.steps.asked import Asked, read_asked
from saferoom.tasks.steps.reasons import help_reasons, reason_lists, reasons_asked
from saferoom.tasks.steps.rows import load_rows


class Scoring:
    """The job `score`. `help_joint`: the helper's side of the model's joint sum, where that needs help."""

    def __init__(self, help_joint: Callable[[JobContext], None] | None = None) -> None:
        self._help_joint = help_joint

    def party(self, context: JobContext, params: Any) -> None:
        del params
        recipient = score_recipient(context.contract)
        with context.phase("load"):
            model = _model(context)
            asked = _asked(context, model, recipient)
            table = asked.table if asked else load_rows(context)
            context.facts["rows"] = len(table)
        positions = _align(context, table, asked is not None)
        with context.phase("score"):
            table = table.take(positions)
            with context.session.scope("score"):
                total = model.joint(context, table, recipient)
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
                model_folder = context.home.model(model.job)
                write_score_list(context.folder, model, model_folder, table.ids, total, reasons)
                asked.save(context.folder)

    def helper(self, context: JobContext, params: Any) -> None:
        """Match pseudonyms, deal for the joint sum and for reason codes."""
        del params
        with context.phase("align"), _some_are_held(), context.session.scope("align"):
            match(context.session)
        if self._help_joint is not None:
            with context.phase("score"), context.session.scope("score"):
                self._help_joint(context)
        help_reasons(context)


def score_recipient(contract: Contract) -> str:
    """The party that learns scores, and alone may ask for them."""
    return contract.kind.jobs_by_name["score"].asked_by(contract)


def _align(context: JobContext, table: PartyTable, is_asking: bool) -> NDArray[np.int64]:
    """The places of the rows that every party holds."""
    session = context.session
    with context.phase("align"):
        if is_asking:
            for peer in session.peers:
                session.declare("asked", peer, (len(table),), kind="query")
        with _some_are_held(), session.scope("align"):
            positions = align(session, table.ids)
        context.facts["scored"] = len(positions)
        context.daemon.record("psi.done", rows=len(positions))
    return positions


def _note_query(context: JobContext, model: Model, table: PartyTable) -> None:
    """One enterprise was asked for: every party that sees which one logs it, as a salted commitment."""
    context.daemon.record("score.one", model=model.job, rows=1, subject=table.ids[0].decode())


def _model(context: JobContext) -> Model:
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


def _asked(context: JobContext, model: Model, recipient: str) -> Asked | None:
    """At the recipient: the list of enterprises to be scored."""
    if context.me != recipient:
        return None
    if "input" not in context.spec.local:
        raise UsageError(
            "scores are asked for by their recipient", remedy=f"run `saferoom score batch` at {recipient}"
        )
    return read_asked(context, model)
