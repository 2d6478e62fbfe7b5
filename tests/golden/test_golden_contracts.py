"""Golden contracts: what drafts become, what is hashed and signed, and what each job may disclose to whom.

    files/terms/…       all terms, defaults filled in
    files/signed/…      the canonical bytes, as parties signed them: they must be read back for good
    files/earlier/…     the same of 0.1, before terms were added: they too must be read back
    files/contracts/…   hash, signatures, jobs, allowed disclosures

    SAFEROOM_REWRITE_GOLDEN=1 .venv/bin/python -m pytest tests/golden     writes all golden files anew

A run that writes ends in errors, one a test, so that it never passes for one that compares; CI refuses it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from saferoom.kinds.score_step import USUAL_STEP
from tests.golden.contracts import DRAFTS, contract_of
from tests.golden.drafts import NOW
from tests.golden.keys import keys_of
from tests.golden.names import (
    Contract,
    allowed_disclosures,
    canonical_bytes,
    check_active,
    contract_hash,
    due,
    jobs_of,
    parse_contract,
    sign_decision,
    sign_order,
    verify_order,
)
from tests.golden.store import FILES, Golden

JOB = "0123456789abcdef" * 2


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_becomes_the_same_bytes(golden: Golden, name: str) -> None:
    """Canonical JSON stands on one line; should it change, the terms show where."""
    contract = contract_of(name)
    golden.holds(f"terms/{name}.json", contract.to_plain())
    golden.holds(f"signed/{name}.json", canonical_bytes(contract).decode())
    assert canonical_bytes(Contract.model_validate(contract.to_plain())) == canonical_bytes(contract)


@pytest.mark.parametrize("name", DRAFTS)
def test_what_was_signed_is_read_back(name: str) -> None:
    encoded = (FILES / f"signed/{name}.json").read_bytes()
    contract = parse_contract(encoded)
    assert contract == contract_of(name)
    assert canonical_bytes(contract) == encoded
    assert check_active(contract, approvals(contract), max(NOW, contract.valid_from)) is contract


@pytest.mark.parametrize("file", sorted((FILES / "earlier").glob("*.json")), ids=lambda file: file.stem)
def test_what_an_earlier_release_signed_keeps_its_form_and_terms(file: Path) -> None:
    """Terms that were added since have their usual value there, and stand in no hash."""
    encoded = file.read_bytes()
    contract = parse_contract(encoded)
    assert canonical_bytes(contract) == encoded
    stated = json.loads(encoded)
    assert contract.minimum_bin_rows == stated["minimum_bin_rows"]
    params = contract.params.model_dump(mode="json")
    assert {name: params[name] for name in stated["task"]["params"]} == stated["task"]["params"]
    assert contract.released_step == USUAL_STEP


@pytest.mark.parametrize("name", DRAFTS)
def test_hash_signatures_and_disclosures(golden: Golden, name: str) -> None:
    contract = contract_of(name)
    order = sign_order(keys_of("tax").signing, contract, JOB, "tax", "a golden reason")
    assert verify_order(contract, order) is order
    found = {
        "sha256": contract_hash(contract).hex(),
        "approvals": {party: word.hex() for party, word in approvals(contract).items()},
        "order to destroy": order.signature.hex(),
        "destroyed at the latest": due(contract, NOW).isoformat(),
        "jobs": list(jobs_of(contract)),
        "may learn": {job or "any": allowed(contract, job) for job in ("train", "score", None)},
        "asked": answers(contract),
    }
    golden.holds(f"contracts/{name}.json", found)


def approvals(contract: Contract) -> dict[str, bytes]:
    """Ed25519 signatures are the same every time."""
    return {
        party: sign_decision(keys_of(party).signing, contract, party, "approve").signature
        for party in contract.parties
    }


def allowed(contract: Contract, job: Any) -> dict[str, list[str]]:
    """Kinds of disclosure by recipient."""
    found = defaultdict(list)
    for kind, to in sorted(allowed_disclosures(contract, job)):
        found[to].append(kind)
    return dict(sorted(found.items()))


def answers(contract: Contract) -> dict[str, Any]:
    """What nodes ask of a contract."""
    return {
        "label holder": contract.label_holder,
        "features": {party: list(contract.features_of(party)) for party in contract.parties},
        "recipients": {
            form: list(contract.recipients(form)) for form in sorted({o.form for o in contract.outputs})
        },
    }
