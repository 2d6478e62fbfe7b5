"""From a short draft, as the operator writes it, to a contract: keys pinned, defaults filled in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from saferoom.contracts.contract import Contract, PinnedKeys, contract_from
from saferoom.contracts.witnessing import usual_witnessing
from saferoom.errors import ConfigError
from saferoom.identity.public import PublicKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.kinds.fields import read_time
from saferoom.kinds.grading import GRADE_ONLY, usual_grading
from saferoom.kinds.registry import kind_names, kind_of

DEFAULT_DAYS = 365
DEFAULT_RETENTION_DAYS = 365
DEFAULT_MINIMUM_ROWS = 100
_KEY_FIELDS = ("coordinator", "helper", "format")


def draft_contract(draft: Mapping[str, Any], keys: Mapping[str, PublicKeys], *, now: datetime) -> Contract:
    """The contract of a draft. `keys` are those of the enrolled parties, `coordinator` and `helper`.

    A draft is a contract without keys. It may leave out `uses` (all), `outputs` (to each party its own
    coefficients or splits; to the label holder grades alone, or of boosted trees scores), `grading` (the
    standard scheme, where grades alone are released), `trust`, `minimum_rows`, `quotas`, `retention_days`,
    `witnessing` (every node; more than half of the others for each log), `valid_from` (now), and `expires`,
    or give `valid_days` instead. Assumptions are never filled in. Raises ConfigError, RefusedError, as
    `parse_contract`.
    """
    fields = dict(draft)
    given = sorted(set(fields) & set(_KEY_FIELDS))
    if given:
        raise ConfigError(f"a draft does not name {', '.join(given)}: they are filled in from the enrolment")
    fields |= _period(fields, now)
    fields.setdefault("uses", ["train", "score_batch", "score_one", "grade"])
    fields.setdefault("trust", "assisted")
    fields.setdefault("assumptions", [])
    fields.setdefault("minimum_rows", DEFAULT_MINIMUM_ROWS)
    fields.setdefault("retention_days", DEFAULT_RETENTION_DAYS)
    fields.setdefault("outputs", _usual_outputs(fields.get("parties"), fields.get("task")))
    if GRADE_ONLY in _forms(fields["outputs"]):
        fields.setdefault("grading", usual_grading())
    fields.setdefault(
        "witnessing", usual_witnessing(party for party, _ in _party_items(fields.get("parties")))
    )
    fields["parties"] = _with_keys(fields.get("parties"), keys)
    fields["coordinator"] = _pinned(COORDINATOR, keys)
    fields["helper"] = _pinned(HELPER, keys)
    contract = contract_from(fields)
    if contract.expires <= now:
        raise ConfigError(
            f"the draft is over already: it expires at {contract.expires:%Y-%m-%d %H:%M} UTC",
            remedy="write a later `expires`, or `valid_days`",
        )
    return contract


def _period(fields: dict[str, Any], now: datetime) -> dict[str, Any]:
    valid_from = _moment(fields.pop("valid_from", now))
    days = fields.pop("valid_days", None)
    expires = fields.pop("expires", None)
    if days is not None and expires is not None:
        raise ConfigError("a draft names either expires or valid_days")
    if days is not None and (type(days) is not int or not 1 <= days <= 36_500):
        raise ConfigError("valid_days must be a whole number of days, at least 1")
    if expires is None:
        expires = valid_from + timedelta(days=days or DEFAULT_DAYS)
    return {"valid_from": valid_from, "expires": _moment(expires)}


def _moment(value: Any) -> datetime:
    try:
        return read_time(value).replace(microsecond=0)
    except ValueError as exc:
        raise ConfigError(f"valid_from or expires: {exc}") from exc


def _with_keys(parties: Any, keys: Mapping[str, PublicKeys]) -> dict[str, Any]:
    found = {}
    for party, its in _party_items(parties):
        if "keys" in its:
            raise ConfigError("a draft does not name keys: they come from the enrolment", party=party)
        found[party] = {**its, "keys": _pinned(party, keys)}
    return found


def _usual_outputs(parties: Any, task: Any) -> list[dict[str, str]]:
    """What the draft's kind of task gives whom; nothing where the draft does not name one that is known."""
    name = task.get("kind") if isinstance(task, Mapping) else None
    if name not in kind_names():
        return []
    roles = {party: str(its.get("role")) for party, its in _party_items(parties)}
    return kind_of(str(name)).usual_outputs(roles)


def _forms(outputs: Any) -> set[str]:
    """The forms that a draft's outputs have, as far as it can be read."""
    entries = outputs if isinstance(outputs, list | tuple) else []
    return {str(entry.get("form")) for entry in entries if isinstance(entry, Mapping)}


def _party_items(parties: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(parties, Mapping) or not all(isinstance(its, Mapping) for its in parties.values()):
        raise ConfigError("a draft names its parties: id, then organisation, role, dataset, columns")
    return [(str(party), dict(its)) for party, its in sorted(parties.items())]


def _pinned(node: str, keys: Mapping[str, PublicKeys]) -> dict[str, str]:
    if node not in keys:
        raise ConfigError("this party is not enrolled here", party=node, remedy="enrol it first")
    return PinnedKeys.of(keys[node]).model_dump()
