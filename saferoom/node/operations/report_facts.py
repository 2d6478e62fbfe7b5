"""A report on a job: the daemon gathers what it knows, a process of its own draws the page.

The daemon knows contract, cost, log and disclosures; the model's folder holds scores and metrics. Drawing
needs scikit-learn, which the daemon shall not load.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from saferoom.contracts.canonical import contract_hash
from saferoom.contracts.contract import Contract
from saferoom.errors import StorageError
from saferoom.node.core import Core
from saferoom.node.operations.log_verdicts import Given, log_verdicts

DRAW_S = 120.0


def report_facts(core: Core, contract: Contract, job: dict[str, Any], given: Given) -> dict[str, Any]:
    """Plain facts for the page: contract, parties, cost, disclosures as logged, verdicts on the logs.

    `given`: of other nodes' logs that somebody looked at.
    """
    return {
        "job": job["id"],
        "party": core.me,
        "contract": _contract(contract),
        "model_kind": contract.task.kind,
        "label_holder": contract.label_holder,
        "parties": _parties(contract, core.me, job["summary"]["facts"]["rows"]),
        "summary": job["summary"],
        "disclosures": _disclosures(core, job["id"]),
        "logs": list(log_verdicts(core, contract, given)),
    }


def make_report(facts: dict[str, Any], folder: Path, *, lang: str) -> None:
    """Draw `report.html` into the model's folder. Raises StorageError if the drawing process fails."""
    command = [sys.executable, "-m", "saferoom.tasks.results.report", str(folder), lang]
    try:
        subprocess.run(command, input=json.dumps(facts).encode(), check=True, timeout=DRAW_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise StorageError(
            "the report could not be drawn", step="report", remedy="see the debug log"
        ) from error


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "title": contract.title,
        "purpose": contract.purpose,
        "legal_basis": contract.legal_basis,
        "trust": contract.trust,
        "valid_until": contract.expires.isoformat(timespec="minutes"),
        "minimum_rows": contract.minimum_rows,
        "digest": contract_hash(contract).hex(),
        "default_definition": contract.default_definition or "",
    }


def _parties(contract: Contract, me: str, own_rows: int) -> list[dict[str, Any]]:
    """What each party brought; how many rows, a party knows of itself alone."""
    return [
        {
            "name": party,
            "role": terms.role,
            "organisation": terms.organisation,
            "data_set": terms.dataset,
            "rows": own_rows if party == me else None,
            "columns": len(contract.features_of(party)),
        }
        for party, terms in sorted(contract.parties.items())
    ]


def _disclosures(core: Core, job_id: str) -> list[dict[str, Any]]:
    """What everybody learnt, as this node's log has it: kind, to, shape, how often.

    What all parties reveal together has an entry for each: it was learnt as often as from any one of them.
    """
    found: Counter[tuple[str, str, str, str]] = Counter()
    for _, raw in core.log.entries():
        entry = json.loads(raw)
        if entry["type"] == "disclosure" and entry.get("session", {}).get("id") == job_id:
            what = entry["disclosure"]
            giver = entry.get("peer", {}).get("org", core.me)
            found[what["kind"], what["to"], " × ".join(map(str, what.get("shape", []))), giver] += 1
    most: Counter[tuple[str, str, str]] = Counter()
    for (kind, to, shape, _), times in found.items():
        most[kind, to, shape] = max(most[kind, to, shape], times)
    return [
        {"kind": kind, "to": to, "shape": shape, "times": times}
        for (kind, to, shape), times in sorted(most.items())
    ]
