"""Drafts that cannot become contracts, and texts that are neither contract nor draft."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.golden.contracts import contract_of
from tests.golden.drafts import NOW, TWO, Draft, bare, draft_of, with_columns
from tests.golden.keys import public_keys
from tests.golden.names import PublicKeys, draft_contract, parse_contract, parse_yaml


def _without(draft: Draft, *names: str) -> Draft:
    return {name: value for name, value in draft.items() if name not in names}


def _changed(party: str, **changes: Any) -> Draft:
    draft = draft_of("logistic")
    draft["parties"][party] |= changes
    return draft


def _renamed(party: str, name: str) -> Draft:
    draft = draft_of("logistic")
    draft["parties"][name] = draft["parties"].pop(party)
    return draft


DRAFTS: dict[str, Draft] = {
    "names the helper": draft_of("logistic", helper={}),
    "names coordinator and format": draft_of("logistic", coordinator={}, format="saferoom-contract-1"),
    "no parties": _without(draft_of("logistic"), "parties"),
    "parties are a list": draft_of("logistic", parties=[]),
    "a party is nothing": draft_of("logistic", parties={"bank": None}),
    "names keys": _changed("tax", keys={}),
    "a party that is not enrolled": _renamed("tax", "power"),
    "expires and valid_days": draft_of("logistic", valid_days=10),
    "valid for no day": _without(draft_of("logistic", valid_days=0), "expires"),
    "valid for too many days": _without(draft_of("logistic", valid_days=36_501), "expires"),
    "valid_days is a text": _without(draft_of("logistic", valid_days="ten"), "expires"),
    "valid_days is true": _without(draft_of("logistic", valid_days=True), "expires"),
    "begins tomorrow": draft_of("logistic", valid_from="tomorrow"),
    "begins in no time zone": draft_of("logistic", valid_from="2025-03-01T08:00:00"),
    "begins in another form": draft_of("logistic", valid_from="20250301T080000Z"),
    "ends in a number": draft_of("logistic", expires=7),
    "ends before it begins": draft_of("logistic", expires="2025-01-01T00:00:00Z"),
    "surprise": draft_of("logistic", surprise=1),
    "assumes nothing": _without(draft_of("logistic"), "assumptions"),
    "two parties that do not know it": draft_of(
        "logistic", TWO, assumptions=["semi_honest_parties", "helper_does_not_collude"]
    ),
    "no title": _without(bare("logistic"), "title"),
    "no task": _without(draft_of("logistic"), "task"),
    "a task of no kind": draft_of("logistic", task={}),
    "a task of an unknown kind": draft_of("forest"),
    "one party alone": draft_of("logistic", ("bank",)),
    "two label holders": _changed("tax", role="label_holder"),
    "no label holder": _changed("bank", role="feature_holder"),
    "a party without a role": {
        **draft_of("logistic"),
        "parties": {party: _without(its, "role") for party, its in draft_of("logistic")["parties"].items()},
    },
    "no columns": _changed("tax", columns={}),
    "no witnesses enough": draft_of("logistic", TWO, witnessing={"quorum": 1, "witnesses": ["tax"]}),
    "weights in a scorecard": with_columns(draft_of("scorecard"), "bank", w="weight"),
}
CONTRACT_TEXTS = {
    "nothing": "",
    "null": "null",
    "a list": "[]",
    "an empty mapping": "{}",
    "depth": "[" * 100_000,
    "no UTF-8": b"\xff\xfe",
    "no number": '{"id": NaN}',
    "too many digits": "1" * 5000,
    "a key twice": '{"id": "a", "id": "b"}',
    "a key twice, inside": '{"id": {"a": 1, "a": 1}}',
    "too long": " " * 4_000_001,
}
DRAFT_TEXTS = {
    "a key twice": "a: 1\na: 2\n",
    "a key twice, inside": "p:\n  a: 1\n  a: 2\n",
    "an anchor": "a: &x 1\nb: *x\n",
    "a key that is a number": "1: a\n",
    "a key that is a list": "[a]: b\n",
    "a list": "- a\n",
    "a colon too many": "a: b: c\n",
    "a tag": "a: !!python/object/apply:os.system [id]\n",
    "a character that cannot be printed": "a: \x07\n",
    "too long": "x" * 1_000_001,
}


def drafting(draft: Draft) -> Callable[[], object]:
    return lambda: draft_contract(draft, public_keys(), now=NOW)


def twins() -> object:
    """Two nodes with the same keys."""
    tax = public_keys()["tax"]
    utility = PublicKeys("utility", tax.signing, tax.sealing, tax.log)
    return draft_contract(draft_of("logistic"), public_keys() | {"utility": utility}, now=NOW)


def attempts() -> dict[str, Callable[[], object]]:
    """Everything here, to be tried."""
    text = json.dumps(contract_of("logistic/three").to_plain())
    twice = text.replace('"minimum_rows": 200', '"minimum_rows": 200, "minimum_rows": 2')
    found = {f"draft: {name}": drafting(draft) for name, draft in DRAFTS.items()}
    found["draft: two nodes with the same keys"] = twins
    found["contract: a number twice"] = lambda: parse_contract(twice)
    for name, text_ in CONTRACT_TEXTS.items():
        found[f"contract: {name}"] = lambda text_=text_: parse_contract(text_)  # type: ignore[misc]
    for name, text_ in DRAFT_TEXTS.items():
        found[f"draft in YAML: {name}"] = lambda text_=text_: parse_yaml(text_, "draft")  # type: ignore[misc]
    return found
