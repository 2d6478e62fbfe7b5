"""The job `score`: joint scores of the enterprises on the recipient's list, learnt by the recipient alone.

Where the contract releases grades alone, all their recipients learn those, and nobody a score. The recipient
that asks reads its list from a file of its own (ids and its feature columns); every other party looks
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
from saferoom.kinds.grading import GRADE_ONLY
from saferoom.protocols.psi import Query, align, match
from saferoom.tasks.base import Model
from saferoom.tasks.registry import load_model
from saferoom.tasks.results.score_files import (
    Columns,
    grade_columns,
    load_scheme,
    score_columns,
    write_score_list,
)
from saferoom.tasks.steps.asked import Asked, read_asked
from saferoom.tasks.steps.grades import (
    help_credit,
    help_grades,
    joint_grades,
    releases_grades_alone,
    rule_of,
    share_credit,
)
from saferoom.tasks.steps.own_part import check_part
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
            learners = context.contract.recipients(GRADE_ONLY) or [recipient]
            check_part(context, model, table, learners)
        positions = _align(context, table, asked is not None)
        with context.phase("score"):
            table = table.take(positions)
            with context.session.scope("score"):
                columns = _result(context, model, table, recipient)
        if reasons_asked(context):
            with context.phase("reasons"):
                columns = _with_reasons(columns, reason_lists(context, model, table, recipient))
        one = context.spec.params.get("mode") == "one" and len(table) == 1
        if asked is None and one:
            _note_query(context, model, table)
        if columns is None:
            return
        with context.phase("store"):
            if asked is not None and one:
                _note_query(context, model, table)
            elif asked is not None:
                context.daemon.record("score.batch", model=model.job, rows=len(table))
            if releases_grades_alone(context):
                context.daemon.record("grade.released", model=model.job, rows=len(table))
            if asked is None:
                write_score_list(context.folder, columns, {})
            else:
                asked = asked.keep(positions)
                context.facts["unscored"] = asked.counts()
                in_order = np.argsort(positions)  # the list's own order
                columns = {name: column[in_order] for name, column in columns.items()}
                write_score_list(context.folder, columns, asked.kept)
                asked.save(context.folder)

    def helper(self, context: JobContext, params: Any) -> None:
        """Match pseudonyms, deal for the joint sum and for reason codes."""
        del params
        with context.phase("align"), _some_are_held(), context.session.scope("align"):
            match(context.session, query=_query(context))
        help_joint = _help_grades if releases_grades_alone(context) else self._help_joint
        if help_joint is not None:
            with context.phase("score"), context.session.scope("score"):
                help_joint(context)
        help_reasons(context)


def score_recipient(contract: Contract) -> str:
    """The party that learns scores, and alone may ask for them."""
    return contract.kind.jobs_by_name["score"].asked_by(contract)


def _help_grades(context: JobContext) -> None:
    help_grades(context, *help_credit(context))


def _result(context: JobContext, model: Model, table: PartyTable, recipient: str) -> Columns | None:
    """What this party learns of the rows of the table: None if nothing."""
    if not releases_grades_alone(context):
        total = model.joint(context, table, recipient)
        folder = context.home.model(model.job)
        return None if total is None else score_columns(model, load_scheme(folder), table.ids, total)
    credit = share_credit(context, model, table)
    own = None
    if context.me == context.contract.label_holder:
        own = load_scheme(context.home.model(model.job))
    learners = context.contract.recipients(GRADE_ONLY)
    grades = joint_grades(context, model, credit, own, learners)
    return None if grades is None else grade_columns(rule_of(context).names, table.ids, grades)


def _with_reasons(columns: Columns | None, reasons: list[list[str]] | None) -> Columns | None:
    if columns is None or reasons is None:
        return columns
    return {**columns, "reasons": np.array(["; ".join(each) for each in reasons], dtype=np.str_)}


def _align(context: JobContext, table: PartyTable, is_asking: bool) -> NDArray[np.int64]:
    """The places of the rows that every party holds."""
    session = context.session
    with context.phase("align"):
        if is_asking:
            for peer in session.peers:
                session.declare("asked", peer, (len(table),), kind="query")
        with _some_are_held(), session.scope("align"):
            positions = align(session, table.ids, query=_query(context))
        context.facts["scored"] = len(positions)
        context.daemon.record("psi.done", rows=len(positions))
    return positions


def _query(context: JobContext) -> Query:
    """Who asks, and for how many: what the job takes of the contract's quota."""
    job = context.contract.kind.jobs_by_name[context.spec.kind]
    return Query(score_recipient(context.contract), job.uses_up(context.spec.params).scores_today)


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
    asked = read_asked(context, model)
    _query(context).check(len(asked.table), "load")
    return asked
