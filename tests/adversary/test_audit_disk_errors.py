"""A commit of unknown fate, as after a failed fsync: the log stops, nothing is done, a reload goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit import AuditLog, verify_log
from saferoom.audit.witness.memory import WitnessStore
from saferoom.audit.witness.quorum import cosignature
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.contracts.policy import Policy
from saferoom.errors import StorageError
from saferoom.node.core import Core
from saferoom.node.daemons.party_contracts import PartyContracts
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns
from tests.witness_room import Bench, grow, open_log, request_for, signer_of, witness_signer

BANK = signer_of("bank").verifier_key


class FailingDisk:
    """A connection whose COMMIT fails; `kept`: the data got there all the same, and nobody was told."""

    def __init__(self, connection: sqlite3.Connection, *, kept: bool) -> None:
        self.connection, self._kept = connection, kept
        self.commits = 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self.commits += 1
            if self._kept:
                self.connection.execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return self.connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def fail(holder: Any, *, kept: bool = False) -> FailingDisk:
    """From now on no commit of this writer, or of this witness's memory, succeeds."""
    holder._db = FailingDisk(holder._db, kept=kept)
    return holder._db  # type: ignore[no-any-return]


def fail_log(log: AuditLog, *, kept: bool = False) -> FailingDisk:
    return fail(log._writer, kept=kept)


@pytest.mark.parametrize("kept", [False, True])
def test_the_log_stops_and_goes_on_when_reloaded(tmp_path: Path, kept: bool) -> None:
    path = tmp_path / "bank.db"
    with open_log(path) as log:
        grow(log, 3)
        before = log.checkpoint()
        disk = fail_log(log, kept=kept)
        for _ in range(3):
            with pytest.raises(StorageError, match="cannot be written") as refused:
                grow(log)
            assert "open the log again" in refused.value.remedy
        assert disk.commits == 1, "nothing is tried again on a disk that failed"
        assert log.is_stopped
        assert (log.size, log.checkpoint()) == (3, before), "what is not known to be kept is not shown"
    with open_log(path) as log:
        assert log.size == (4 if kept else 3)
        grow(log)
    verdict = verify_log(path, [BANK])
    assert verdict.ok and verdict.size == (5 if kept else 4), verdict.faults


def test_a_cosignature_that_may_be_lost_is_refused_too(tmp_path: Path) -> None:
    with open_log(tmp_path / "bank.db") as log:
        grow(log)
        text = log.checkpoint().partition("\n\n")[0] + "\n"
        line = witness_signer("tax").signature_line(text, time_s=1)
        disk = fail_log(log)
        with pytest.raises(StorageError):
            log.add_cosignatures([cosignature(log.size, line)])
        with pytest.raises(StorageError):
            grow(log)
        assert disk.commits == 1


def test_a_witness_signs_nothing_that_it_may_have_forgotten(tmp_path: Path) -> None:
    """Not even after the disk says yes again: until it is reloaded, its memory is not known."""
    bench = Bench(tmp_path, ("tax",))
    witness = bench.witnesses["tax"]
    with open_log(tmp_path / "bank.db") as log:
        grow(log)
        body = request_for(log, 0).body()
        disk = fail(witness.store)
        with pytest.raises(StorageError):
            witness.add_checkpoint(body)
        witness.store._db = disk.connection
        with pytest.raises(StorageError, match="nothing is cosigned"):
            witness.add_checkpoint(body)
        witness.store.close()
        assert WitnessStore(witness.store.path).held(log.origin) is None
        assert bench.witness("tax").add_checkpoint(body).status == 200


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    with opened_nodes(tmp_path) as nodes:
        for party, columns in enterprises(60)[1].items():
            nodes.add_data(party, "rows", columns, **({"label": "y"} if party == "bank" else {}))
        yield nodes


def test_a_node_refuses_to_act(nodes: Nodes) -> None:
    """No disclosure, no signature, no word to anybody; after a reload the same acts are done."""
    core, told = nodes.cores["tax"], []
    active = nodes.activate(nodes.draft(three_party_columns()))
    proposed = nodes.draft(three_party_columns())
    core.book.add(proposed)
    kind, to = min((kind, to) for kind, to in allowed_disclosures(active, "train") if to != "tax")
    job = {"id": Core.new_id(), "contract_id": active.id, "kind": "train", "params": {}}
    disclosure = {"kind": kind, "to": to, "shape": (1,), "step": "train"}

    def contracts(core: Core) -> PartyContracts:
        return PartyContracts(core, Policy, lambda message: bool(told.append(message)), lambda *_: None)

    fail_log(core.log)
    with pytest.raises(StorageError, match="cannot be written"):
        core.disclose(job, disclosure)
    with pytest.raises(StorageError, match="cannot be written"):
        contracts(core).approve(proposed.id, "officer-7")
    assert told == []
    assert core.book.row(proposed.id)["state"] == "proposed"
    assert core.book.decisions(proposed.id, party="tax") == []
    core.close()
    nodes.cores["tax"] = core = Core(nodes.homes["tax"])
    core.disclose(job, disclosure)
    contracts(core).approve(proposed.id, "officer-7")
    assert len(told) == 1
    assert [event["type"] for event in nodes.events("tax")][-2:] == ["disclosure", "contract.approved"]


def test_a_node_whose_witness_memory_failed_can_still_be_asked(nodes: Nodes) -> None:
    core = nodes.cores["tax"]
    assert core.alarms() == []
    core.witness.store._is_broken = True
    (said,) = core.alarms()
    assert "nothing is cosigned" in said
