"""The rows a party brings to a job: registered, unchanged, of valid id, with consent where needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from saferoom.contracts.checks import check_columns
from saferoom.data.consent import keep_consented, load_consent
from saferoom.data.dataset import DatasetDescription
from saferoom.data.loading import load
from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError
from saferoom.jobs.context import JobContext


def load_rows(context: JobContext) -> PartyTable:
    """Read the features the contract names, check the version, and drop rows without consent.

    Weights are used only where the contract names them. Raises ConfigError: the file is gone or has changed
    since it was registered, or lacks the weights that the contract names.
    """
    registration = context.registration
    description, features = registration.description, context.contract.features_of(context.me)
    is_weighted = bool(context.contract.parties[context.me].columns_for("weight"))
    if is_weighted and description.weight is None:
        raise description.problem(
            "the contract names a weight column, and the data set has none",
            remedy="register it with `weight:`, or agree on a contract without weights",
        )
    check_columns(context.contract, context.me, _uses(description, features, is_weighted=is_weighted))
    table = load(description, list(features), types=registration.types, version=registration.version)
    if not is_weighted:
        table = replace(table, weight=None)
    return with_consent(context, table)


def _uses(description: DatasetDescription, features: Sequence[str], *, is_weighted: bool) -> dict[str, str]:
    """Every column that reading the data set touches, with what it is used for."""
    uses = {description.id: "id", **dict.fromkeys(features, "feature")}
    if description.label is not None:
        uses[description.label.column] = "label"
    if description.split is not None:
        uses[description.split] = "split"
    if description.weight is not None and is_weighted:
        uses[description.weight] = "weight"
    return uses


def with_consent(context: JobContext, table: PartyTable) -> PartyTable:
    """Where the contract asks for consent: the rows that may be used for its purpose today."""
    if not context.contract.parties[context.me].consent_required:
        return table
    book = load_consent(context.registration.description)
    today = context.today()
    kept, counts = keep_consented(table, book, context.contract.purpose, today)
    context.daemon.record(
        "consent.filtered",
        dataset=context.registration.name,
        rows=counts.kept,
        reason=f"{counts.rows - counts.kept} dropped",
    )
    context.facts["without_consent"] = counts.rows - counts.kept
    if not len(kept):
        raise RefusedError("no row has a consent for this purpose today", remedy="see the consent table")
    return kept
