"""Why a contract cannot be carried out as it stands: by its trust mode, and by its kind of task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from saferoom.errors import RefusedError
from saferoom.kinds.fields import listed
from saferoom.kinds.trust import ASSUMPTIONS, MODES

if TYPE_CHECKING:
    from saferoom.contracts.contract import Contract


def refuse(reasons: Iterable[str], *, step: str = "contract", remedy: str = "") -> None:
    """Raise RefusedError with all the reasons, if there are any."""
    found = list(reasons)
    if found:
        raise RefusedError(
            "; ".join(found), step=step, remedy=remedy or "agree on a contract with other terms"
        )


def objections(contract: Contract) -> list[str]:
    """Every reason why the contract cannot be carried out as it stands; empty if it can."""
    return [
        *MODES[contract.trust].objections(),
        *_assumption_objections(contract),
        *_form_objections(contract),
        *contract.kind.objections(contract),
    ]


def _assumption_objections(contract: Contract) -> list[str]:
    missing = MODES[contract.trust].required(len(contract.parties)) - set(contract.assumptions)
    return [f"assumption {name} is not accepted: {ASSUMPTIONS[name][0]}" for name in sorted(missing)]


def _form_objections(contract: Contract) -> list[str]:
    supported = contract.kind.forms
    unsupported = {output.form for output in contract.outputs} - supported
    return [
        f"release form {form} is not supported by this version for a {contract.task.kind} task;"
        f" use {listed(supported)}"
        for form in sorted(unsupported)
    ]
