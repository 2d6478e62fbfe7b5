"""A running room whose data sets and contracts a test makes itself, and what came of its jobs everywhere."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from saferoom.ids import COORDINATOR, HELPER
from saferoom.lab.house import House
from saferoom.lab.processes import NodeProcess
from saferoom.lab.room import Room
from saferoom.node.settings import Patience
from tests.node_room import PARTIES, Columns, scored_outputs, write_rows
from tests.waiting import until

PATIENCE = Patience(
    offer_s=60,
    heartbeat_s=0.5,
    dead_after_s=60,
    peer_gone_s=30,
    coordinator_gone_s=30,
    job_silent_s=60,
    receive_s=100,
)
"""For rooms in which nobody is cut off: no node takes a busy machine for a peer that is gone."""


def empty_room(parties: Sequence[str] = PARTIES) -> Room:
    """A room whose nodes come up without data; the first party may be the label holder."""
    return Room.model_validate(
        {
            "room": "desk",
            "label_holder": parties[0],
            "parties": {
                party: {"source": "none.csv", "id": "uscc", "label": "y" if party == parties[0] else None}
                for party in parties
            },
            "task": {"kind": "logistic"},
        }
    )


@dataclass
class Desk:
    """Data officers and the operator of a running house."""

    house: House
    folder: Path
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def node(self, name: str) -> NodeProcess:
        return self.house.nodes[name]

    def add(self, party: str, name: str, columns: Columns, /, **more: Any) -> dict[str, Any]:
        """Register columns as a data set of a party; the first is the id."""
        rows = write_rows(self.folder / f"{party}-{name}.csv", columns)
        content = {"name": name, "source": str(rows), "id": next(iter(columns)), "id_kind": "uscc"} | more
        file = self.folder / f"{party}-{name}.yaml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return self.node(party).ask("data.add", file=str(file))

    def propose(self, datasets: Mapping[str, str], **changes: Any) -> str:
        """Draft a contract on these parties' data sets and wait until all have it; returns its id.

        Columns `y` and `split` are the label and the split, everything else but the id a feature.
        """
        now = datetime.now(UTC)
        registered = {party: registration_at(self.node(party), name) for party, name in datasets.items()}
        holder = next(party for party, found in registered.items() if found["description"]["label"])
        assumptions = ["helper_does_not_collude", "semi_honest_parties"]
        content: dict[str, Any] = {
            "id": f"desk-{next(self._numbers)}",
            "title": "desk",
            "purpose": "sme-credit",
            "legal_basis": "a test",
            "parties": {
                party: {
                    "organisation": party,
                    "role": "label_holder" if party == holder else "feature_holder",
                    "dataset": name,
                    "columns": _uses(registered[party]),
                }
                for party, name in datasets.items()
            },
            "task": {"kind": "logistic"},
            "assumptions": assumptions + ["two_party_score_reveals_part"] * (len(datasets) == 2),
            "minimum_rows": 50,
            "valid_from": (now - timedelta(minutes=5)).isoformat(),
            "expires": (now + timedelta(days=30)).isoformat(),
        }
        if "outputs" not in changes:
            content["outputs"] = scored_outputs(content["parties"], content["task"]["kind"])
        drafted = self.node(COORDINATOR).ask("contract.draft", draft=content | changes)["id"]
        for party in datasets:
            self.until_contract(party, drafted, "proposed")
        return str(drafted)

    def agree(self, datasets: Mapping[str, str], **changes: Any) -> str:
        """A contract, approved by all and active everywhere; returns its id."""
        contract = self.propose(datasets, **changes)
        for party in datasets:
            self.node(party).ask("contract.approve", contract=contract, by="officer")
        for name in (*datasets, COORDINATOR):
            self.until_contract(name, contract, "active")
        return contract

    def contract_at(self, name: str, contract: str) -> str:
        """The contract's state at a node; "" if it is not known there."""
        rows = self.node(name).ask("contract.list")["contracts"]
        return next((str(row["state"]) for row in rows if row["id"] == contract), "")

    def until_contract(self, name: str, contract: str, state: str) -> None:
        until(lambda: self.contract_at(name, contract) == state, f"{contract} is {state} at {name}")

    def submit(self, contract: str, kind: str = "train", **params: Any) -> str:
        asked = self.node(COORDINATOR).ask("job.submit", contract=contract, kind=kind, params=params)
        return str(asked["job_id"])

    def ended(self, name: str, job: str) -> dict[str, Any]:
        """The job's row at a node once it has ended there."""

        def row() -> dict[str, Any] | None:
            known = {job["id"] for job in self.node(name).ask("job.list")["jobs"]}
            found = self.node(name).ask("job.show", job=job) if job in known else {"ended": None}
            return found if found["ended"] else None

        found: dict[str, Any] = until(row, f"{job} ended at {name}")
        return found

    def finish(self, job: str, parties: Sequence[str]) -> None:
        for name in (*parties, COORDINATOR):
            row = self.ended(name, job)
            assert row["state"] == "finished", (name, row["problem"])

    def assert_failed(self, job: str, parties: Sequence[str], *, names: str | None, words: str = "") -> None:
        """Ended at every node, soon, in one clear problem that names a party; and nothing is left of it.

        names: None where parties and helper find out by themselves, so that each may name itself.
        """
        for name in (*parties, COORDINATOR):
            row = self.ended(name, job)
            problem = row["problem"]
            assert row["state"] in ("failed", "refused"), (name, row["state"])
            assert problem["party"] in ([names] if names else [*parties, HELPER]), (name, problem)
            assert words in problem["message"], (name, problem)
            assert problem["step"] and problem["remedy"], (name, problem)
            for folder in ("jobs", "models"):
                left = self.node(name).home / folder / job
                until(lambda left=left: not left.exists(), f"{left} is destroyed")


def registration_at(node: NodeProcess, dataset: str) -> dict[str, Any]:
    """What a node says about one of its data sets."""
    found: dict[str, Any] = node.ask("data.check", dataset=dataset)
    return found


def _uses(registration: Mapping[str, Any]) -> dict[str, str]:
    described = registration["description"]
    uses = {described["id"]: "id"}
    uses |= {described["split"]: "split"} if described["split"] else {}
    uses |= {described["label"]["column"]: "label"} if described["label"] else {}
    return uses | {column["name"]: "feature" for column in registration["columns"]}
