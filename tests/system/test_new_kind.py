"""A kind of task enters through the public seams: a file that says what it is, one that does it, one line.

`tests/toy` counts the enterprises that all parties hold. Here it runs in memory and through daemons.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.contract import Contract, parse_contract
from saferoom.contracts.disclosures import allowed_disclosures, jobs_of
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.explain import explain, render_explanation
from saferoom.contracts.policy import Policy, policy_reasons
from saferoom.errors import ConfigError, RefusedError
from saferoom.ids import COORDINATOR, HELPER
from saferoom.kinds import registry
from saferoom.lab.house import house
from tests.desk_room import PATIENCE, Desk, empty_room
from tests.node_room import PARTIES, Nodes, enterprises, opened_nodes
from tests.task_room import play
from tests.toy.kind import KIND

ROWS, MISSING = 120, 20
USUAL = {
    "id": "toy",
    "title": "how many we share",
    "purpose": "sme-credit",
    "legal_basis": "a test",
    "assumptions": ["helper_does_not_collude", "semi_honest_parties"],
    "minimum_rows": 50,
}
TOY = (sys.executable, "-m", "tests.toy.node")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "KINDS", (*registry.KINDS, KIND))


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with opened_nodes(tmp_path) as found:
        for party, columns in members().items():
            found.add_data(party, "rows", columns)
        yield found


def members() -> dict[str, dict[str, Any]]:
    """Each party's ids and one column more; the tax bureau lacks the last ones."""
    ids, _ = enterprises(ROWS)
    held = {party: ids[:-MISSING] if party == "tax" else ids for party in PARTIES}
    return {party: {"uscc": ids_, "n": [str(i) for i in range(len(ids_))]} for party, ids_ in held.items()}


def terms(**task: Any) -> dict[str, Any]:
    """What differs from the usual draft."""
    parties = {
        party: {"organisation": party, "role": "member", "dataset": "rows", "columns": {"uscc": "id"}}
        for party in PARTIES
    }
    return {"task": {"kind": "common_rows", **task}, "uses": ["count"], "parties": parties}


def draft(nodes: Nodes, content: dict[str, Any]) -> Contract:
    keys = {name: core.keys.public() for name, core in nodes.cores.items()} | {
        HELPER: nodes.helper_keys.public()
    }
    now = datetime.now(UTC)
    return draft_contract(USUAL | content, keys, now=now)


def test_its_contracts_are_checked_explained_and_canonical(known: None, nodes: Nodes) -> None:
    contract = draft(nodes, terms())
    assert parse_contract(canonical_bytes(contract)) == contract
    assert jobs_of(contract) == ("count",)
    assert allowed_disclosures(contract) == {("set_sizes", "helper"), *(("intersection", p) for p in PARTIES)}
    assert "3 方得知自己的哪些企业为各方共有" in render_explanation(explain(contract, "zh"))
    reasons = policy_reasons(Policy(minimum_bin_rows=50), contract, "tax", datetime.now(UTC))
    assert "a count of 20 is below our 50" in reasons


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"params": {"at_least": 1}}, ConfigError, "at_least"),
        ({"params": {"l2": 1.0}}, ConfigError, "l2"),
    ],
)
def test_its_parameters_are_its_own(
    known: None, nodes: Nodes, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        draft(nodes, terms(**changes))


def test_its_roles_and_outputs_are_its_own(known: None, nodes: Nodes) -> None:
    wrong = terms()
    wrong["parties"]["bank"]["role"] = "label_holder"
    with pytest.raises(ConfigError, match="bank: a member brings its ids and nothing else"):
        draft(nodes, wrong)
    with pytest.raises(RefusedError, match="tax learns the count, and no such output is named"):
        draft(nodes, terms() | {"outputs": [{"to": p, "form": "count"} for p in ("bank", "power")]})


def test_without_the_line_nobody_knows_it(nodes: Nodes) -> None:
    with pytest.raises(ConfigError, match=r"task\.kind: Input should be 'logistic'"):
        draft(nodes, terms())


@pytest.mark.parametrize("parties", [PARTIES[:2], PARTIES])
def test_in_memory(known: None, nodes: Nodes, parties: tuple[str, ...]) -> None:
    content = terms()
    content["parties"] = {party: content["parties"][party] for party in parties}
    if len(parties) == 2:
        content["assumptions"] = [
            "semi_honest_parties",
            "helper_does_not_collude",
            "two_party_score_reveals_part",
        ]
    contract = nodes.activate(draft(nodes, content))
    played = play(nodes, contract, "count")
    assert played.error is None
    assert played.learnt() <= allowed_disclosures(contract, "count")
    expected = ROWS - (MISSING if "tax" in parties else 0)
    for party in parties:
        kept = nodes.homes[party].model(played.job_id) / "count.json"
        assert json.loads(kept.read_text(encoding="utf-8")) == {"rows": expected}


def test_through_daemons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.chdir(root)
    programs = dict.fromkeys((COORDINATOR, *PARTIES), TOY)
    with house(empty_room(), tmp_path, lambda _: None, PATIENCE, programs) as rooms:
        desk = Desk(rooms, tmp_path)
        for party, columns in members().items():
            desk.add(party, "rows", columns)
        contract = rooms.agree_on(USUAL | terms())
        job = desk.submit(contract, "count")
        desk.finish(job, PARTIES)
        for party in PARTIES:
            node = desk.node(party)
            kept = node.home / "models" / job / "count.json"
            assert json.loads(kept.read_text(encoding="utf-8")) == {"rows": ROWS - MISSING}
            assert node.ask("model.list")["models"] == []
