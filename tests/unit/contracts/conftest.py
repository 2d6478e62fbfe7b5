"""A room of three parties, and one of two, with a contract each."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saferoom.contracts.contract import Contract
from saferoom.contracts.draft import draft_contract
from saferoom.identity.keys import NodeKeys

NOW = datetime(2025, 3, 3, 2, tzinfo=UTC)  # a Monday, 10:00 in Sichuan
NODES = ("bank", "tax", "utility", "coordinator", "helper")


class House:
    """The nodes' keys, and contracts drafted with them."""

    now = NOW

    def __init__(self) -> None:
        self.keys = {node: NodeKeys.generate(node) for node in NODES}

    def draft(self, *feature_holders: str, **changes: Any) -> dict[str, Any]:
        holders = feature_holders or ("tax", "utility")
        assumptions = ["semi_honest_parties", "helper_does_not_collude"]
        if len(holders) == 1:
            assumptions.append("two_party_score_reveals_part")
        draft: dict[str, Any] = {
            "id": "sme-2025",
            "title": "小微企业联合信用模型",
            "purpose": "sme-credit",
            "legal_basis": "enterprises' authorisation; agreement of 2025",
            "parties": {"bank": party("bank", "label_holder")}
            | {name: party(name, "feature_holder") for name in holders},
            "task": {"kind": "logistic", "params": {"l2": 0.5}, "split_seed": 7},
            "assumptions": assumptions,
            "minimum_rows": 200,
            "quotas": {"training_jobs": 3, "scores_per_day": 1000},
            "retention_days": 90,
            "valid_from": NOW - timedelta(days=1),
            "expires": NOW + timedelta(days=30),
        }
        draft = copy.deepcopy(draft) | changes
        if "outputs" not in changes and isinstance(draft["parties"], Mapping):
            draft["outputs"] = scored_outputs(draft["parties"], str(draft["task"]["kind"]))
        return draft

    def contract(self, *feature_holders: str, **changes: Any) -> Contract:
        return self.contract_of(self.draft(*feature_holders, **changes))

    def contract_of(self, draft: Mapping[str, Any]) -> Contract:
        return draft_contract(draft, {node: keys.public() for node, keys in self.keys.items()}, now=NOW)


def scored_outputs(parties: Mapping[str, Any], kind: str) -> list[dict[str, str]]:
    """Its own part to each party, and scores to the bank."""
    own = "splits" if kind == "boosting" else "coefficients"
    told = ("score", "points") if kind == "scorecard" else ("score",)
    outputs = [{"to": party, "form": own} for party in sorted(parties)]
    return outputs + [{"to": "bank", "form": form} for form in told]


def party(name: str, role: str) -> dict[str, Any]:
    columns = {"uscc": "id", f"{name}_a": "feature", f"{name}_b": "feature"}
    if role == "label_holder":
        columns |= {"default": "label", "split": "split"}
    return {"organisation": f"示例 {name}", "role": role, "dataset": f"{name}-2024", "columns": columns}


@pytest.fixture(scope="session")
def house() -> House:
    return House()
