"""A job of real processes: its four logs fit together; what one owner takes out of its own, the rest name."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit import VerdictKind, verify_log
from saferoom.audit.evidence import verify_bundle
from saferoom.identity.keys import NodeKeys
from saferoom.ids import COORDINATOR
from saferoom.jobs.home import Home
from saferoom.lab.house import house
from saferoom.node.core import log_signer
from tests.cli_runner import Result, run_command
from tests.desk_room import PATIENCE, Desk, empty_room
from tests.node_room import PARTIES, enterprises
from tests.rewritten import rewrite

NODES = (*PARTIES, COORDINATOR)
TAKEN_OUT = [
    ("bank", "transcript", "sent"),
    ("tax", "transcript", "received"),
    (COORDINATOR, "relay.envelope", "relayed"),
    ("power", "disclosure", ""),
    ("tax", "disclosure", "received"),
    ("tax", "job.accepted", ""),
]


@dataclass(frozen=True)
class Ended:
    """A room that was shut down after one training job and one that was refused for want of a permit."""

    homes: dict[str, Home]
    contract: Path
    folder: Path

    def reconcile(self, **instead: Path) -> Result:
        logs = [str(instead.get(node, self.homes[node].log)) for node in NODES]
        words = ("audit", "reconcile", *logs, "--contract", str(self.contract), "--json")
        return run_command(words, folder=self.folder, environment=os.environ)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    folder = tmp_path_factory.mktemp("reconcile")
    rows = enterprises(300)[1]
    with house(empty_room(), folder, lambda _text: None, PATIENCE) as running:
        desk = Desk(running, tmp_path_factory.mktemp("rows"))
        for party, columns in rows.items():
            desk.add(party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {}))
        contract = desk.agree(dict.fromkeys(PARTIES, "rows"))
        desk.finish(desk.submit(contract), PARTIES)
        shown = desk.node("bank").ask("contract.show", contract=contract)
        homes = {node: Home.at(desk.node(node).home) for node in NODES}
    file = folder / "contract.json"
    file.write_text(json.dumps(shown), encoding="utf-8")
    yield Ended(homes, file, folder)


def test_honest_logs_fit_together(ended: Ended) -> None:
    result = ended.reconcile()
    found = json.loads(result.stdout)
    assert result.code == 0, found["findings"]
    assert found["notes"] == found["keys_not_given"] == []
    assert {(flow["sender"], flow["receiver"]) for flow in found["flows"]} == {
        (a, b) for a in (*PARTIES, "helper") for b in (*PARTIES, "helper") if a != b
    }
    assert all(flow["state"] == "matched" and flow["relayed"] for flow in found["flows"])


@pytest.mark.parametrize(("node", "type_", "direction"), TAKEN_OUT)
def test_what_an_owner_takes_out_is_named(
    ended: Ended, tmp_path: Path, node: str, type_: str, direction: str
) -> None:
    """Its own log verifies afterwards: it was rewritten with its own key before anybody had looked."""

    def without(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All but one; of the disclosures one to another party."""
        for index, event in enumerate(events):
            fits = event["type"] == type_ and event.get("peer", {}).get("direction", "") == direction
            if fits and event.get("disclosure", {}).get("to") != (node if not direction else ""):
                return events[:index] + events[index + 1 :]
        raise AssertionError("there is no such entry")

    signer = log_signer(NodeKeys.load(ended.homes[node].keys))
    changed = rewrite(ended.homes[node].log, tmp_path / "log.db", signer, without)
    assert verify_log(changed, [signer.verifier_key]).kind is VerdictKind.CONSISTENT
    result = ended.reconcile(**{node: changed})
    found = json.loads(result.stdout)["findings"]
    assert result.code == 13
    assert {(finding["kind"], finding["by"]) for finding in found} == {("missing", node)}


def test_evidence_of_all_four_logs_in_one_file(ended: Ended, tmp_path: Path) -> None:
    logs = [str(ended.homes[node].log) for node in NODES]
    words = ("audit", "bundle", *logs, "--contract-file", str(ended.contract), "--out", "evidence.zip")
    assert run_command(words, folder=tmp_path, environment=os.environ).code == 0
    keys = [log_signer(NodeKeys.load(ended.homes[node].keys)).verifier_key for node in NODES]
    (tmp_path / "keys.txt").write_text("\n".join(keys), encoding="utf-8")
    assert verify_bundle.main([str(tmp_path / "evidence.zip"), "--keys", str(tmp_path / "keys.txt")]) == 0
    with zipfile.ZipFile(tmp_path / "evidence.zip") as bundle:
        assert json.loads(bundle.read("reports/reconcile.json"))["ok"] is True
        assert all(found["ok"] for found in json.loads(bundle.read("reports/fsck.json")).values())


def test_reading_a_nodes_own_log_is_logged_first(ended: Ended) -> None:
    words = ("audit", "search", "--home", str(ended.homes["power"].root), "--type", "auditor.read", "--json")
    found = json.loads(run_command(words, folder=ended.folder, environment=os.environ).stdout)
    assert [entry["reason"] for entry in found["entries"]] == ["search"]
