"""The job `score`: joint scores of the enterprises on the recipient's list, learnt by the recipient alone.

The recipient reads its list from a file of its own (ids and its feature columns); every other party looks
into its registered data set. Only enterprises that all of them hold can be scored.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saferoom.contracts.contract import Contract
from saferoom.data.loading import load
from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError, UsageError
from saferoom.ids import normalise_uscc
from saferoom.node.job_context import JobContext
from saferoom.node.model_file import PartyModel
from saferoom.node.party_rows import list_description, load_rows, own_registration, with_consent
from saferoom.node.score_files import write_score_list
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.protocols.psi import align, match


def score_recipient(contract: Contract) -> str:
    """The party that learns scores: the label holder, or else the first that the contract names."""
    recipients = contract.recipients("score")
    return contract.label_holder if contract.label_holder in recipients else recipients[0]


def score(context: JobContext) -> None:
    """A party's side."""
    session = context.session
    recipient = score_recipient(context.contract)
    with context.phase("load"):
        model = _model(context)
        table = _asked_rows(context, model) if context.me == recipient else load_rows(context)
        context.facts["rows"] = len(table)
    with context.phase("align"):
        if context.me == recipient:
            for peer in session.peers:
                session.declare("asked", peer, (len(table),), kind="query")
        with session.scope("align"):
            positions = align(session, table.ids)
        context.facts["scored"] = len(positions)
        context.daemon.record("psi.done", rows=len(positions))
    with context.phase("score"):
        table = table.take(positions)
        with session.scope("score"):
            total = masked_sum(session, model.part(table), recipient, PairwisePads.agree(session))
    if total is not None:
        with context.phase("store"):
            one = context.spec.params.get("mode") == "one"
            context.daemon.record("score.one" if one else "score.batch", model=model.job, rows=len(table))
            write_score_list(context.folder, model, context.home.model(model.job), table.ids, total)


def help_score(context: JobContext) -> None:
    """The helper's side: match pseudonyms. The sum itself needs no helper."""
    with context.phase("align"), context.session.scope("align"):
        match(context.session)


def _model(context: JobContext) -> PartyModel:
    model = PartyModel.load(context.home.model(str(context.spec.params["model"])))
    if model.contract != context.contract.id:
        raise RefusedError(
            "the model was made under another contract", remedy="score under the contract that made the model"
        )
    return model


def _asked_rows(context: JobContext, model: PartyModel) -> PartyTable:
    """The recipient's list: its own file, read like its data set but without label and split."""
    if "input" not in context.spec.local:
        raise UsageError(
            "scores are asked for by their recipient",
            remedy=f"run `saferoom score batch` at {score_recipient(context.contract)}",
        )
    registration = own_registration(context.contract, context.me, context.home)
    features = list(model.preparation.types)
    description = list_description(registration, Path(context.spec.local["input"]), features)
    table = load(description, features, types=model.preparation.types)
    if "id" in context.spec.local:
        table = table.take(_rows_of(table, str(context.spec.local["id"]), description.id_kind))
    return with_consent(context, registration, table)


def _rows_of(table: PartyTable, wanted: str, id_kind: str) -> NDArray[np.int64]:
    code = normalise_uscc(wanted) if id_kind == "uscc" else wanted
    found = np.flatnonzero(table.ids == code.encode())
    if not len(found):
        raise UsageError("the file does not hold the enterprise asked for", remedy="check its code")
    return found
