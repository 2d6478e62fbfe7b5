"""What a contract must say so that this version can carry it out, and what it must accept by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from saferoom.contracts.fields import listed
from saferoom.contracts.params import BoostingParams
from saferoom.contracts.tree_terms import LEAST_WEIGHTED_LEAF_ROWS, tree_objections
from saferoom.contracts.vocabulary import (
    ASSUMPTIONS,
    SUPPORTED_FORMS,
    SUPPORTED_TRUST,
    Assumption,
    Form,
    TaskKind,
    Trust,
)
from saferoom.errors import RefusedError

if TYPE_CHECKING:
    from saferoom.contracts.contract import Contract

LEAST_BIN_ROWS = 10
SCORING_USES = frozenset({"score_batch", "score_one", "grade"})


def refuse(reasons: Iterable[str], *, step: str = "contract", remedy: str = "") -> None:
    """Raise RefusedError with all the reasons, if there are any."""
    found = list(reasons)
    if found:
        raise RefusedError(
            "; ".join(found), step=step, remedy=remedy or "agree on a contract with other terms"
        )


def required_assumptions(trust: Trust, parties: int) -> frozenset[Assumption]:
    """What a contract among so many parties must accept by name."""
    required: set[Assumption] = {"semi_honest_parties"}
    if trust == "assisted":
        required.add("helper_does_not_collude")
    if parties == 2:
        required.add("two_party_score_reveals_part")
    return frozenset(required)


def objections(contract: Contract) -> list[str]:
    """Every reason why the contract cannot be carried out as it stands; empty if it can."""
    return [
        *_mode_objections(contract),
        *_assumption_objections(contract),
        *_form_objections(contract),
        *_bin_objections(contract),
        *_tree_objections(contract),
        *_weight_objections(contract),
        *_output_objections(contract),
    ]


def _mode_objections(contract: Contract) -> list[str]:
    if contract.trust in SUPPORTED_TRUST:
        return []
    return [f"trust mode {contract.trust} is not supported by this version; use {listed(SUPPORTED_TRUST)}"]


def _assumption_objections(contract: Contract) -> list[str]:
    missing = required_assumptions(contract.trust, len(contract.parties)) - set(contract.assumptions)
    return [f"assumption {name} is not accepted: {ASSUMPTIONS[name][0]}" for name in sorted(missing)]


def _form_objections(contract: Contract) -> list[str]:
    supported = SUPPORTED_FORMS[contract.task.kind]
    unsupported = {output.form for output in contract.outputs} - supported
    return [
        f"release form {form} is not supported by this version for a {contract.task.kind} task;"
        f" use {listed(supported)}"
        for form in sorted(unsupported)
    ]


def _bin_objections(contract: Contract) -> list[str]:
    """Defaults counted over a handful of rows would name them."""
    if contract.task.kind != "scorecard" or contract.minimum_bin_rows >= LEAST_BIN_ROWS:
        return []
    return [f"a scorecard needs minimum_bin_rows of at least {LEAST_BIN_ROWS}"]


def _tree_objections(contract: Contract) -> list[str]:
    params = contract.task.params
    if not isinstance(params, BoostingParams):
        return []
    return tree_objections(params, has_own_features=bool(contract.features_of(contract.label_holder)))


def _weight_objections(contract: Contract) -> list[str]:
    weights = contract.parties[contract.label_holder].columns_for("weight")
    if not weights:
        return []
    params = contract.task.params
    if isinstance(params, BoostingParams):
        if params.min_leaf_rows >= LEAST_WEIGHTED_LEAF_ROWS:
            return []
        return [
            f"with a weight column boosted trees need min_leaf_rows of at least {LEAST_WEIGHTED_LEAF_ROWS}"
        ]
    return [f"a {contract.task.kind} task uses no weights; name no weight column, or train boosted trees"]


def _output_objections(contract: Contract) -> list[str]:
    found = []
    kind, form = contract.task.kind, scoring_form(contract.task.kind)
    if "train" in contract.uses:
        own = own_form(kind)
        without = set(contract.parties) - set(contract.recipients(own))
        if without:
            found.append(
                f"training releases to each party the {own} of its own columns;"
                f" no such output is named for {listed(without)}"
            )
        if contract.label_holder not in contract.recipients("score"):
            found.append("evaluation needs the output score to the label holder, and it is not named")
        if kind == "scorecard" and contract.label_holder not in contract.recipients("points"):
            found.append("a scorecard needs the output points to the label holder, and it is not named")
    strangers = set(contract.recipients("reason_codes")) - set(contract.recipients(form))
    if strangers:
        found.append(f"reason codes go with {form}, which {listed(strangers)} does not learn")
    if SCORING_USES & set(contract.uses) and not contract.recipients(form):
        found.append(f"scoring is named among the uses, and no recipient of {form} among the outputs")
    return found


def own_form(kind: TaskKind) -> Form:
    """What training gives each party of its own columns."""
    return "splits" if kind == "boosting" else "coefficients"


def scoring_form(kind: TaskKind) -> Form:
    """What a score job gives: the joint log-odds, or with a scorecard its points."""
    return "points" if kind == "scorecard" else "score"
