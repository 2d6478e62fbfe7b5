"""docs/threat-model.md says what the code lets nodes learn: neither has what the other lacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures, jobs_of
from saferoom.contracts.draft import draft_contract
from saferoom.identity.keys import NodeKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.kinds.learns import DISCLOSURES
from saferoom.kinds.trust import ASSUMPTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NOW = datetime(2025, 1, 2, tzinfo=UTC)
ROLES = {
    "label holder": ("bank",),
    "feature holder": ("tax", "power"),
    "helper": (HELPER,),
    "coordinator": (COORDINATOR,),
}
NEVER = "—"
NO_PROTOCOL = {
    *("__init__", "bin_groups", "bins", "candidates", "joint_columns"),
    *("leaf_terms", "randomness", "shuffled_bins", "split_layout"),
}
ALL_OPTIONS = {
    "logistic": {},
    "grades": {},
    "scorecard": {"max_vif": 10, "drop_wrong_signs": True, "standard_errors": True},
    "boosting": {},
}
BANK_FORMS = {
    "logistic": ("coefficients", "score"),
    "grades": ("coefficients", "grade_only"),
    "scorecard": ("coefficients", "score", "points", "reason_codes"),
    "boosting": ("splits", "score", "reason_codes"),
}
DISCLOSING = ("disclose", "declare", "reveal")

Learns = dict[str, dict[str, tuple[str, ...]]]


def _rows(heading: str) -> list[dict[str, str]]:
    """The first table under a heading, of whatever level, as one mapping a row."""
    section = PAGE.split(f"# {heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert lines, f"no table under {heading}"
    head, _, *body = [_cells(line) for line in lines[0].splitlines()]
    return [dict(zip(head, cells, strict=True)) for cells in body]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _code_name(cell: str) -> str:
    return cell.strip("`")


def _jobs(cell: str) -> tuple[str, ...]:
    return () if cell == NEVER else tuple(job.strip() for job in cell.split(","))


def _documented(kind: str) -> Learns:
    """The first table is of logistic models; the others give the rows in which another kind differs."""
    differing = {
        "logistic": "",
        "grades": "With grades alone",
        "scorecard": "With a scorecard",
        "boosting": "With boosted trees",
    }[kind]
    return _learns("Who learns what") | (_learns(differing) if differing else {})


def _learns(heading: str) -> Learns:
    return {_code_name(row["kind"]): {role: _jobs(row[role]) for role in ROLES} for row in _rows(heading)}


@pytest.fixture(scope="module", params=list(ALL_OPTIONS))
def contract(request: pytest.FixtureRequest) -> Contract:
    """Three parties; the label holder brings a feature."""
    draft = {
        "id": "three",
        "title": "three parties",
        "purpose": "credit model",
        "legal_basis": "test",
        "parties": {
            "bank": {
                "organisation": "bank",
                "role": "label_holder",
                "dataset": "loans",
                "columns": {"id": "id", "y": "label", "x": "feature"},
            },
            **{
                party: {
                    "organisation": party,
                    "role": "feature_holder",
                    "dataset": party,
                    "columns": {"id": "id", "x": "feature"},
                }
                for party in ("tax", "power")
            },
        },
        "task": {
            "kind": "logistic" if request.param == "grades" else request.param,
            "params": ALL_OPTIONS[request.param],
        },
        "assumptions": ["semi_honest_parties", "helper_does_not_collude"],
    }
    forms = BANK_FORMS[request.param]
    draft["outputs"] = [{"to": "bank", "form": form} for form in forms]
    draft["outputs"] += [{"to": party, "form": forms[0]} for party in ("tax", "power")]
    nodes = ("bank", "tax", "power", COORDINATOR, HELPER)
    return draft_contract(draft, {node: NodeKeys.generate(node).public() for node in nodes}, now=NOW)


def _enforced(contract: Contract) -> Learns:
    allowed = {job: allowed_disclosures(contract, job) for job in jobs_of(contract)}
    kinds = {kind for pairs in allowed.values() for kind, _ in pairs} | set(DISCLOSURES)
    learns: Learns = {kind: {} for kind in kinds}
    for kind in kinds:
        for role, nodes in ROLES.items():
            jobs = {tuple(job for job in allowed if (kind, node) in allowed[job]) for node in nodes}
            assert len(jobs) == 1, f"not every {role} learns {kind} alike"
            learns[kind][role] = jobs.pop()
    return learns


def test_page_and_contracts_agree_on_who_learns_what(contract: Contract) -> None:
    kind = "grades" if contract.recipients("grade_only") else contract.task.kind
    documented = _documented(kind)
    enforced = _enforced(contract)
    never = dict.fromkeys(ROLES, ())
    assert documented == {kind: roles for kind, roles in enforced.items() if kind in documented}
    assert all(roles == never for kind, roles in enforced.items() if kind not in documented)


def test_page_and_vocabulary_name_the_same_kinds() -> None:
    assert {kind for task in ALL_OPTIONS for kind in _documented(task)} == set(DISCLOSURES)


def test_page_explains_every_kind() -> None:
    explained = re.findall(r"^- `([a-z_]+)`: ", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(DISCLOSURES)


def test_nobody_learns_anything_else(contract: Contract) -> None:
    known = {node for nodes in ROLES.values() for node in nodes}
    assert {to for _, to in allowed_disclosures(contract)} <= known


def test_page_names_every_assumption() -> None:
    assert {_code_name(row["name"]) for row in _rows("Assumptions, by name")} == set(ASSUMPTIONS)


def test_page_names_every_protocol() -> None:
    modules = {path.stem for path in (ROOT / "saferoom" / "protocols").glob("*.py")} - NO_PROTOCOL
    assert {_code_name(row["protocol"]) for row in _rows("Protocol by protocol")} == modules


def test_page_names_every_private_key() -> None:
    files = set(re.findall(r"`(?:[a-z-]+/)?([a-z]+\.pem)`", PAGE))
    assert files == {"signing.pem", "sealing.pem", "log.pem", "tls.pem", "ca.pem"}


def _disclosing_calls() -> Iterator[tuple[str, ast.Call]]:
    for room in ("channel", "protocols", "models", "node"):
        for path in sorted((ROOT / "saferoom" / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in DISCLOSING:
                    yield path.name, node


def _kinds_in_code() -> Iterator[tuple[str, str]]:
    """(file, kind) of every kind written as a text in a call: `session.disclose(..., kind="score")`."""
    for name, call in _disclosing_calls():
        for keyword in call.keywords:
            if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant):
                yield name, str(keyword.value.value)


def test_code_discloses_only_kinds_of_the_page() -> None:
    found = list(_kinds_in_code())
    assert len(found) >= 5
    assert [(name, kind) for name, kind in found if kind not in DISCLOSURES] == []
