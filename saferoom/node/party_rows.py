"""The rows a party brings to a job: registered, unchanged, of valid id, and with consent where it is needed."""

from __future__ import annotations

from saferoom.data import catalogue
from saferoom.data.catalogue import Registration
from saferoom.data.consent import keep_consented, load_consent
from saferoom.data.loading import load
from saferoom.data.table import PartyTable
from saferoom.errors import RefusedError
from saferoom.node.home import Home
from saferoom.node.job_context import JobContext


def own_registration(context: JobContext) -> Registration:
    """The registration of the data set that the contract names for this party."""
    mine = context.contract.parties[context.me]
    return catalogue.recall(mine.dataset, Home.at(context.spec.home).data)


def load_rows(context: JobContext) -> PartyTable:
    """Read the features the contract names, check the version, and drop rows without consent.

    Raises ConfigError: the file is gone or has changed since it was registered.
    """
    registration = own_registration(context)
    features = context.contract.features_of(context.me)
    table = load(
        registration.description, features or None, types=registration.types, version=registration.version
    )
    return with_consent(context, registration, table)


def with_consent(context: JobContext, registration: Registration, table: PartyTable) -> PartyTable:
    """Only the rows that may be used for the contract's purpose today, where the contract asks for consent."""
    if not context.contract.parties[context.me].consent_required:
        return table
    book = load_consent(registration.description)
    today = context.today()
    kept, counts = keep_consented(table, book, context.contract.purpose, today)
    context.daemon.record(
        "consent.filtered", dataset=registration.name, rows=counts.kept, reason=f"{counts.rows - counts.kept} dropped"
    )
    if not len(kept):
        raise RefusedError("no row has a consent for this purpose today", remedy="see the consent table")
    return kept
