"""A good contract's JSON, changed at some places: what wrong contracts are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.golden.contracts import contract_of

GONE = object()
"""Stands for a key that is left out."""

Edits = dict[str, Any]
"""Values by place; a place reads `parties/tax/role`, and `+` adds to a list."""

_LONGEST_NAME = 80


def one_each(*pairs: tuple[str, Any]) -> dict[str, Edits]:
    """Edits of one place each, named after themselves."""
    found: dict[str, Edits] = {}
    for place, value in pairs:
        name = f"{place} = {'(gone)' if value is GONE else json.dumps(value)}"
        assert name not in found and len(name) <= _LONGEST_NAME, f"give this edit a name: {name}"
        found[name] = {place: value}
    return found


def together(*groups: Mapping[str, Edits]) -> dict[str, Edits]:
    """All groups; no name may stand for two things."""
    found = {name: edits for group in groups for name, edits in group.items()}
    assert len(found) == sum(map(len, groups))
    return found


def edited(name: str, edits: Edits) -> Any:
    """The JSON of a golden contract, edited."""
    plain: Any = contract_of(name).to_plain()
    for place, value in edits.items():
        *parents, last = place.split("/")
        inner = plain
        for key in parents:
            inner = inner[int(key)] if isinstance(inner, list) else inner[key]
        if value is GONE:
            del inner[last]
        elif last == "+":
            inner.append(value)
        else:
            inner[int(last) if isinstance(inner, list) else last] = value
    return plain
