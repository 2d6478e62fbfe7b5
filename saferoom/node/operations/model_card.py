"""A model card: what a model was made of and for, how good it is, and until when it is kept.

As this party may see it: metrics only where they lie, coefficients of its own columns.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.node.core import Core
from saferoom.node.retention.holdings import Holdings
from saferoom.tasks.registry import work_of
from saferoom.tasks.results.quality import load_quality
from saferoom.tasks.results.score_files import METRICS

ROWS = ("aligned", "train_rows", "test_rows")


def model_card(core: Core, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The card of the model that `job` (its row) left in `folder`."""
    contract = core.book.get(job["contract_id"])
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    facts = (job["summary"] or {}).get("facts", {})
    return {
        "model": job["id"],
        "kind": model["kind"],
        "party": core.me,
        "made": datetime.fromtimestamp(job["ended"], UTC).isoformat(timespec="seconds"),
        "kept_until": Holdings(core).due(job).isoformat(timespec="seconds"),
        "contract": _contract(contract),
        "parties": _parties(contract),
        "rows": {name: facts[name] for name in ROWS if name in facts},
        "metrics": _metrics(folder),
        "quality": load_quality(folder),
        **work_of(model["kind"]).card(model),
        "points": model["points"],
        **_grading(contract),
        "assumptions": sorted(contract.assumptions),
    }


def _grading(contract: Contract) -> dict[str, Any]:
    """Where grades alone are released: which, and their cuts as far as the contract has them."""
    if contract.grading is None:
        return {}
    cuts = [f"{cut:g}" for cut in contract.grading.cuts or ()]
    found = {"names": ", ".join(contract.grading.names), "by": contract.grading.by, "cuts": ", ".join(cuts)}
    return {"grades_alone": {name: value for name, value in found.items() if value}}


def _parties(contract: Contract) -> list[dict[str, Any]]:
    return [
        {
            "party": party,
            "organisation": terms.organisation,
            "role": terms.role,
            "dataset": terms.dataset,
            "features": len(contract.features_of(party)),
        }
        for party, terms in sorted(contract.parties.items())
    ]


def _contract(contract: Contract) -> dict[str, Any]:
    defined = contract.default_definition
    return {
        "id": contract.id,
        "title": contract.title,
        "purpose": contract.purpose,
        "legal_basis": contract.legal_basis,
        **({} if defined is None else {"default_definition": defined}),
        "trust": contract.trust,
        "uses": sorted(contract.uses),
        "valid_until": contract.expires.isoformat(timespec="minutes"),
        "hash": contract_hash(contract).hex(),
    }


def _metrics(folder: Path) -> dict[str, Any] | None:
    """Where this party evaluated the model: joint and alone, on training and held-out rows."""
    file = folder / METRICS
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
