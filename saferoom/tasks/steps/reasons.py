"""Reason codes in a score job: which features cost each enterprise most points, ranked over all parties.

Each owner gives its features codes, and publishes names for those whose `dataset.yaml` has a `reason`. The
recipient learns, for each enterprise, the codes of the costliest features in order; a feature without a
published name shows as `UNPUBLISHED`, without its owner.
"""

from __future__ import annotations

import json

import numpy as np

from saferoom.data.table import PartyTable
from saferoom.errors import PeerError
from saferoom.jobs.context import JobContext
from saferoom.models.reasons import (
    CODES_A_PARTY,
    FIRST_CODE,
    NO_CODE,
    UNPUBLISHED,
    costliest,
    deal_reasons,
    rank_reasons,
)
from saferoom.tasks.base import Model

NOT_PUBLISHED = "(not published)"
MOST_BYTES = 100_000


def reasons_asked(context: JobContext) -> int:
    """How many reason codes the job was asked for, each enterprise."""
    return int(context.spec.params.get("reasons", 0))


def reason_lists(
    context: JobContext, model: Model, rows: PartyTable, recipient: str
) -> list[list[str]] | None:
    """The published names, costliest feature first, of each row, at the recipient; None elsewhere."""
    session, most = context.session, reasons_asked(context)
    lost = model.lost(rows)
    described = context.registration.description.columns or ()
    published = {column.name: column.reason for column in described if column.reason}
    # Of all columns that the contract names: which of them the model uses is not told.
    named = [feature for feature in context.contract.features_of(session.me) if feature in published]
    names = [published[feature] for feature in named]
    first = FIRST_CODE + CODES_A_PARTY * session.parties.index(session.me)
    numbers = {feature: first + place for place, feature in enumerate(named)}
    features = model.preparation.column_names
    codes = np.array([numbers.get(feature, UNPUBLISHED) for feature in features], dtype=np.int64)
    costs, own = costliest(lost, codes, most)
    with session.scope("reasons"):
        words = _swap_names(context, names, recipient)
        ranked = rank_reasons(session, costs, own, recipient)
    if ranked is None:
        return None
    return [[words.get(code, NOT_PUBLISHED) for code in row if code != NO_CODE] for row in ranked.tolist()]


def help_reasons(context: JobContext) -> None:
    """The helper's side."""
    if reasons_asked(context):
        with context.session.scope("reasons"):
            deal_reasons(context.session)


def _swap_names(context: JobContext, names: list[str], recipient: str) -> dict[int, str]:
    """Each owner tells the recipient its published names; the recipient gives each its code."""
    session = context.session
    if context.me != recipient:
        text = np.frombuffer(json.dumps(names).encode(), dtype=np.uint8)
        session.disclose("names", recipient, text, kind="reason_codes")
        return {}
    words: dict[int, str] = {}
    for place, party in enumerate(session.parties):
        theirs = names if party == context.me else _hear_names(context, party)
        first = FIRST_CODE + CODES_A_PARTY * place
        words |= {first + number: name for number, name in enumerate(theirs)}
    return words


def _hear_names(context: JobContext, party: str) -> list[str]:
    raw = context.session.receive_one(party, "names", (-1,), np.uint8)
    try:
        names = json.loads(raw.tobytes()) if len(raw) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(n, str) and len(n) <= 80 for n in names):
        raise PeerError("expected a list of names", party=party, step=context.session.step("names"))
    return [" ".join(name.split()) for name in names]
