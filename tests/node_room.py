"""The nodes of one room in this process: real homes, keys, logs, data sets and contracts, and no network.

`Nodes` has everything a daemon stands on. What a test needs of daemons, wire or job processes it adds.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from saferoom.contracts.canonical import canonical_bytes
from saferoom.contracts.contract import Contract
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.signatures import sign_decision
from saferoom.data import catalogue
from saferoom.data.dataset import describe
from saferoom.data.loading import load
from saferoom.data.table import PartyTable
from saferoom.identity.keys import NodeKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.home import Home
from saferoom.lab.codes import synthetic_codes
from saferoom.link.v1 import control_pb2 as wire
from saferoom.node.core import Core
from saferoom.node.settings import NodeSettings
from saferoom.node.setup import enrol, init_coordinator, init_party, join

PARTIES = ("bank", "power", "tax")
Columns = dict[str, Sequence[Any]]


def write_rows(file: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """A CSV file of columns; None and NaN become empty cells."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(columns)
        writer.writerows([_cell(v) for v in row] for row in zip(*columns.values(), strict=True))
    return file


def _cell(value: Any) -> Any:
    return "" if value is None or value != value else value


def enterprises(rows: int, seed: int = 0) -> tuple[list[str], dict[str, Columns]]:
    """Valid codes, and for each party of PARTIES its columns; the bank's hold `y` and `split`."""
    rng = np.random.default_rng(seed)
    ids = [code.decode() for code in synthetic_codes(rows, rng).tolist()]
    hidden = rng.normal(size=(rows, 3))
    y = (rng.random(rows) < 1 / (1 + np.exp(1.2 + hidden.sum(axis=1)))).astype(int)
    split = np.where(np.arange(rows) % 4 == 3, "test", "train")
    parts: dict[str, Columns] = {}
    for number, party in enumerate(PARTIES):
        noise = rng.normal(size=rows)
        parts[party] = {
            "uscc": ids,
            f"{party}_a": np.round(hidden[:, number] + noise / 3, 4).tolist(),
            f"{party}_b": np.round(noise, 4).tolist(),
        }
    parts["bank"] |= {"y": y.tolist(), "split": split.tolist()}
    return ids, parts


def scored_outputs(parties: Mapping[str, Mapping[str, Any]], kind: str) -> list[dict[str, str]]:
    """Its own part to each party, and scores to the label holder: most jobs of tests are read by them."""
    own = "splits" if kind == "boosting" else "coefficients"
    (holder,) = (party for party, its in parties.items() if its["role"] == "label_holder")
    told = ("score", "points") if kind == "scorecard" else ("score",)
    outputs = [{"to": party, "form": own} for party in parties]
    return outputs + [{"to": holder, "form": form} for form in told]


class Nodes:
    """Opened homes of the parties and of the coordinator. `contracts` counts those drafted here."""

    def __init__(self, folder: Path, parties: Sequence[str] = PARTIES) -> None:
        self.folder = folder
        now = datetime.now(UTC)
        self.homes = {name: Home.at(folder / name) for name in (COORDINATOR, *parties)}
        settings = NodeSettings(
            role="coordinator",
            node_id=COORDINATOR,
            organisation="centre",
            listen="127.0.0.1:0",
            public_address="127.0.0.1:1",
        )
        init_coordinator(self.homes[COORDINATOR], settings, now)
        requests = {party: init_party(self.homes[party], party, party, now) for party in parties}
        self.cores = {name: Core(home) for name, home in self.homes.items()}
        for party, request in requests.items():
            _, welcome = enrol(self.cores[COORDINATOR], request, now, None, None)
            join(self.cores[party], welcome, now, None)
        self.helper_keys = NodeKeys.load(self.homes[COORDINATOR].helper_keys)
        self._drafted = 0

    def close(self) -> None:
        for core in self.cores.values():
            core.close()

    def add_data(self, party: str, name: str, rows: Mapping[str, Sequence[Any]], **more: Any) -> None:
        """Register a data set at a party; the first column is the id."""
        file = write_rows(self.folder / f"{party}-{name}.csv", rows)
        content = {"name": name, "source": str(file), "id": next(iter(rows)), "id_kind": "uscc"} | more
        catalogue.register(describe(content, self.folder, party=party), self.homes[party].data)

    def table(self, party: str, name: str = "rows") -> PartyTable:
        """All rows of a registered data set, in the file's order."""
        registration = catalogue.recall(name, self.homes[party].data)
        return load(registration.description, types=registration.types)

    def draft(
        self, parties: Mapping[str, Mapping[str, str]], dataset: str = "rows", **changes: Any
    ) -> Contract:
        """A contract whose label holder is the party with a label column."""
        self._drafted += 1
        assumptions = ["semi_honest_parties", "helper_does_not_collude"]
        if len(parties) == 2:
            assumptions.append("two_party_score_reveals_part")
        terms = {
            party: {
                "organisation": party,
                "role": "label_holder" if "label" in columns.values() else "feature_holder",
                "dataset": dataset,
                "columns": dict(columns),
            }
            for party, columns in parties.items()
        }
        now = datetime.now(UTC)
        content = {
            "id": f"contract-{self._drafted}",
            "title": "joint credit model",
            "purpose": "sme-credit",
            "legal_basis": "agreement",
            "parties": terms,
            "task": {"kind": "logistic"},
            "assumptions": assumptions,
            "minimum_rows": 50,
            "valid_from": (now - timedelta(minutes=5)).isoformat(),
            "expires": (now + timedelta(days=30)).isoformat(),
        }
        if "outputs" not in changes:
            content["outputs"] = scored_outputs(terms, str((changes.get("task") or content["task"])["kind"]))
        keys = {name: core.keys.public() for name, core in self.cores.items()}
        keys[HELPER] = self.helper_keys.public()
        return draft_contract(content | changes, keys, now=now)

    def approvals(self, contract: Contract) -> dict[str, bytes]:
        return {
            party: sign_decision(self.cores[party].keys.signing, contract, party, "approve").signature
            for party in contract.parties
        }

    def activate(self, contract: Contract) -> Contract:
        """Signed by all and active at every node of it, as if it had been sent round."""
        for name in (*contract.parties, COORDINATOR):
            book = self.cores[name].book
            book.add(contract)
            for party, signature in self.approvals(contract).items():
                book.decide(contract.id, party, "approve", "", signature)
            book.set_state(contract.id, "active")
        return contract

    def events(self, node: str) -> list[dict[str, Any]]:
        """Everything in a node's log, oldest first."""
        return [json.loads(data) for _, data in self.cores[node].log.entries()]


@contextmanager
def opened_nodes(folder: Path, parties: Sequence[str] = PARTIES) -> Iterator[Nodes]:
    nodes = Nodes(folder, parties)
    try:
        yield nodes
    finally:
        nodes.close()


def three_party_columns() -> dict[str, dict[str, str]]:
    """Columns and uses of `enterprises`, for `Nodes.draft`."""
    columns = {party: {"uscc": "id", f"{party}_a": "feature", f"{party}_b": "feature"} for party in PARTIES}
    columns["bank"] |= {"y": "label", "split": "split"}
    return columns


def contract_message(
    contract: Contract, state: str, signatures: Mapping[str, bytes], reason: str = ""
) -> wire.Contract:
    """How the coordinator tells a party of a contract."""
    return wire.Contract(
        contract_id=contract.id,
        canonical=canonical_bytes(contract),
        signatures=dict(signatures),
        state=state,
        reason=reason,
    )
