"""The usual roles: one label holder, and feature holders beside it."""

from __future__ import annotations

from collections.abc import Mapping

from saferoom.errors import ConfigError
from saferoom.kinds.base import Terms
from saferoom.kinds.fields import listed
from saferoom.kinds.grading import GRADE_ONLY

LABEL_HOLDER, FEATURE_HOLDER = "label_holder", "feature_holder"
_ONE_AT_THE_LABEL_HOLDER = ("split", "weight")


def one_label_holder(terms: Terms) -> list[str]:
    """Why the parties are not one label holder and feature holders with fitting columns."""
    holders = [party for party in terms.party_ids() if terms.role_of(party) == LABEL_HOLDER]
    problems = [] if len(holders) == 1 else [f"exactly one party is the label holder, not {len(holders)}"]
    return problems + [problem for party in terms.party_ids() for problem in _of_columns(terms, party)]


def feature_holders(terms: Terms) -> tuple[str, ...]:
    """Every party but the label holder, in the contract's order."""
    return tuple(party for party in terms.party_ids() if party != terms.label_holder)


def own_and_released(
    roles: Mapping[str, str], own: str, releases: Mapping[str, tuple[str, ...]], release: str
) -> list[dict[str, str]]:
    """Outputs: `own` to each party, and a release's forms to the label holder. Raises ConfigError."""
    name = release or next(iter(releases))
    if name not in releases:
        raise ConfigError(
            f"this kind of task does not release {name}", remedy=f"release one of {listed(releases)}"
        )
    holders = [party for party, role in roles.items() if role == LABEL_HOLDER]  # none or more, if it is wrong
    outputs = [{"to": party, "form": own} for party in roles]
    return outputs + [{"to": party, "form": form} for form in releases[name] for party in holders]


def output_objections(
    terms: Terms, *, own: str, evaluated: tuple[tuple[str, str], ...], scored: str
) -> list[str]:
    """What the outputs lack.

    `own`: the form in which training gives each party what is its own. `evaluated`: (form, who needs it) of
    what the label holder must learn, if not grades alone. `scored`: the form of what a score job gives, if
    not those.
    """
    found = []
    graded = set(terms.recipients(GRADE_ONLY))
    if "train" in terms.uses:
        without = set(terms.party_ids()) - set(terms.recipients(own))
        if without:
            found.append(
                f"training releases to each party the {own} of its own columns;"
                f" no such output is named for {listed(without)}"
            )
        found += [
            f"{needy} needs the output {form} to the label holder, and it is not named"
            for form, needy in evaluated
            if not {*terms.recipients(form), *graded} & {terms.label_holder}
        ]
    strangers = set(terms.recipients("reason_codes")) - {*terms.recipients(scored), *graded}
    if strangers:
        what = "grades" if graded else scored
        found.append(f"reason codes go with {what}, which {listed(strangers)} does not learn")
    if SCORING_USES & set(terms.uses) and not terms.recipients(scored) and not graded:
        found.append(f"scoring is named among the uses, and no recipient of {scored} among the outputs")
    return found


SCORING_USES = frozenset({"score_batch", "score_one", "grade"})


def _of_columns(terms: Terms, party: str) -> list[str]:
    is_holder = terms.role_of(party) == LABEL_HOLDER
    problems = []
    if len(terms.columns_of(party, "id")) != 1:
        problems.append(f"{party}: exactly one column is the id")
    if len(terms.columns_of(party, "label")) != int(is_holder):
        problems.append(f"{party}: the label holder names one label column, the others none")
    problems += [
        f"{party}: only the label holder may name a {use} column, and one"
        for use in _ONE_AT_THE_LABEL_HOLDER
        if len(terms.columns_of(party, use)) > int(is_holder)
    ]
    if not is_holder and not terms.features_of(party):
        problems.append(f"{party}: a feature holder names at least one feature column")
    return problems
