"""Appending, receipts, proofs, session chains, threads, and what happens when the disk says no."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import AuditLog, ContractRef, DataObject, Event, NoteSigner, Recorder, verify_log
from saferoom.audit.formats.canonical import decode
from saferoom.audit.formats.checkpoint import Checkpoint, open_checkpoint
from saferoom.audit.formats.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from saferoom.audit.log.sqlite import SqliteWriter
from saferoom.audit.log.store import Batch
from saferoom.errors import StorageError, UsageError, VerificationError

EVENT = Event(
    event_id="0" * 32,
    type="job.started",
    stage="use",
    time="2026-01-31T08:00:00.000Z",
    node="bank",
    software="saferoom 0.1.0",
    outcome="allowed",
)


def checkpoint_of(log: AuditLog, signer: NoteSigner) -> Checkpoint:
    return open_checkpoint(log.checkpoint(), [signer.verifier])


def test_a_new_log_is_empty_and_signed(log: AuditLog, signer: NoteSigner) -> None:
    assert checkpoint_of(log, signer) == Checkpoint("saferoom/bank", 0, EMPTY_ROOT)
    assert list(log.entries()) == []


def test_a_receipt_proves_inclusion(log: AuditLog, recorder: Recorder, signer: NoteSigner) -> None:
    receipts = [recorder.record("job.started", contract=ContractRef(f"c-{i}")) for i in range(20)]
    head = checkpoint_of(log, signer)
    for receipt, (index, data) in zip(receipts, log.entries(), strict=True):
        assert (receipt.index, receipt.leaf) == (index, leaf_hash(data))
        assert receipt.checkpoint_size > index
        verify_inclusion(index, 20, receipt.leaf, log.inclusion_proof(index), head.root)
    assert decode(next(log.entries(7, 8))[1])["contract"] == {"id": "c-7"}


def test_later_trees_begin_with_earlier_ones(log: AuditLog, recorder: Recorder, signer: NoteSigner) -> None:
    log.append_many([EVENT] * 300)
    old = checkpoint_of(log, signer)
    recorder.record("job.finished")
    new = checkpoint_of(log, signer)
    verify_consistency(300, 301, log.consistency_proof(300), old.root, new.root)
    with pytest.raises(UsageError):
        log.inclusion_proof(0, 999)


def test_the_recorder_fills_in_what_is_the_same(log: AuditLog, recorder: Recorder) -> None:
    recorder.record("dataset.registered", object=DataObject.of("loans", rows=3))
    recorder.record("job.refused", "refused", reason="line\none", actor=None)
    first, second = (decode(data) for _, data in log.entries())
    assert first["time"] == "2026-01-31T08:00:00.000Z"
    assert first["stage"] == "collection"
    assert first["actor"] == {"org": "bank", "role": "node"}
    assert (second["stage"], second["outcome"], second["reason"]) == ("use", "refused", "line one")
    assert first["event_id"] != second["event_id"]


def test_a_refused_event_leaves_the_log_usable(log: AuditLog, recorder: Recorder) -> None:
    with pytest.raises(UsageError):
        recorder.record("job.started", contract=ContractRef("x" * 200))
    with pytest.raises(UsageError):
        recorder.record("no.such.type")  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        log.append_many([EVENT, replace(EVENT, node="")])
    assert log.size == 1
    assert recorder.record("job.started").index == 1


def test_sessions_are_chained_across_reopening(path: Path, signer: NoteSigner) -> None:
    for _ in range(2):
        with AuditLog.open(path, origin=signer.name, signer=signer) as log:
            log.append_many([replace(EVENT, session=name) for name in ("a", "b", "a")])
            rows = [(decode(data)["session"], leaf_hash(data).hex()) for _, data in log.entries()]
    chain = [(link["seq"], link["prev_hash"], leaf) for link, leaf in rows if link["id"] == "a"]
    assert [seq for seq, _, _ in chain] == [0, 1, 2, 3]
    assert [before for _, before, _ in chain] == ["0" * 64, *(leaf for _, _, leaf in chain[:-1])]


def test_many_threads_each_get_their_own_receipt(log: AuditLog, path: Path, signer: NoteSigner) -> None:
    got: list[int] = []

    def work(number: int) -> None:
        for _ in range(25):
            got.append(log.append(replace(EVENT, session=f"s-{number}")).index)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(200))
    verdict = verify_log(path, [signer.verifier_key])
    assert verdict.ok, verdict.faults
    assert verdict.checkpoints < 200  # the threads shared commits


def test_reopening_goes_on_where_it_stopped(path: Path, signer: NoteSigner) -> None:
    for round_ in range(3):
        with AuditLog.open(path, origin=signer.name, signer=signer) as log:
            assert log.size == 257 * round_
            log.append_many([EVENT] * 257)
    assert verify_log(path, [signer.verifier_key]).size == 771


def test_only_one_writer(log: AuditLog, path: Path, signer: NoteSigner) -> None:
    with pytest.raises(StorageError, match="another writer"):
        AuditLog.open(path, origin=signer.name, signer=signer)
    log.close()
    AuditLog.open(path, origin=signer.name, signer=signer).close()


def test_another_name_or_key_is_refused(log: AuditLog, path: Path, signer: NoteSigner) -> None:
    log.close()
    with pytest.raises(UsageError):
        AuditLog.open(path, origin="saferoom/tax", signer=signer)
    with pytest.raises(VerificationError, match="another key"):
        stranger = NoteSigner(signer.name, Ed25519PrivateKey.generate())
        AuditLog.open(path, origin=signer.name, signer=stranger)
    with pytest.raises(VerificationError, match="this is the log"):
        other = NoteSigner("saferoom/tax", signer.private_key)
        AuditLog.open(path, origin=other.name, signer=other)
    AuditLog.open(path, origin=signer.name, signer=signer).close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE head SET root = zeroblob(32)",
        "UPDATE head SET size = size - 1",
        "UPDATE head SET edge = zeroblob(32)",
        "UPDATE head SET checkpoint = (SELECT note FROM checkpoint WHERE size = 0)",
        "DELETE FROM head",
        "DELETE FROM entry WHERE idx = 299",
        "DELETE FROM entry WHERE idx = 280",
        "INSERT INTO entry VALUES (300, 'x')",
        "INSERT INTO entry SELECT 300, data FROM entry WHERE idx = 0",
        "UPDATE entry SET data = CAST(replace(data, 'allowed', 'refused') AS BLOB) WHERE idx = 299",
        "UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 0 AND number = 1",
        "DELETE FROM tile WHERE level = 1",
        "UPDATE log SET version = 9",
    ],
)
def test_a_damaged_log_is_not_opened(path: Path, signer: NoteSigner, damage: str) -> None:
    with AuditLog.open(path, origin=signer.name, signer=signer) as log:
        log.append_many([EVENT] * 300)
    with sqlite3.connect(path) as db:
        db.execute(damage)
    db.close()
    before = path.read_bytes()
    with pytest.raises((VerificationError, StorageError)):
        AuditLog.open(path, origin=signer.name, signer=signer)
    assert path.read_bytes() == before


def test_a_failed_commit_is_fatal_until_reopened(
    path: Path, signer: NoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog.open(path, origin=signer.name, signer=signer)
    log.append(EVENT)
    commit = SqliteWriter.commit
    monkeypatch.setattr(SqliteWriter, "commit", _fail)
    for _ in range(2):
        with pytest.raises(StorageError, match="nothing may be done"):
            log.append(EVENT)
    monkeypatch.setattr(SqliteWriter, "commit", commit)
    with pytest.raises(StorageError):
        log.append(EVENT)
    log.close()
    with AuditLog.open(path, origin=signer.name, signer=signer) as again:
        assert again.append(EVENT).index == 1


def _fail(self: SqliteWriter, batch: Batch) -> None:
    raise StorageError("the disk is gone")


def test_a_changed_head_is_noticed(log: AuditLog, recorder: Recorder, path: Path) -> None:
    recorder.record("node.started")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE head SET root = zeroblob(32)")
    db.close()
    with pytest.raises(StorageError):
        recorder.record("job.started")


def test_a_full_database_gives_no_receipt(log: AuditLog, path: Path, signer: NoteSigner) -> None:
    log._writer._db.execute("PRAGMA max_page_count = 40")  # type: ignore[attr-defined]
    receipts = []
    with pytest.raises(StorageError):
        for _ in range(1000):
            receipts.append(log.append(EVENT))
    log.close()
    with AuditLog.open(path, origin=signer.name, signer=signer) as again:
        assert again.size == len(receipts) > 0
        again.append(EVENT)
    assert verify_log(path, [signer.verifier_key]).ok


def test_a_closed_log_refuses(log: AuditLog) -> None:
    log.close()
    log.close()
    with pytest.raises(StorageError, match="closed"):
        log.append(EVENT)


def test_a_folder_that_cannot_be_written(tmp_path: Path, signer: NoteSigner) -> None:
    with pytest.raises(StorageError) as caught:
        AuditLog.open(tmp_path / "no" / "log.sqlite", origin=signer.name, signer=signer)
    assert caught.value.remedy


def test_the_file_is_private(log: AuditLog, path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0
