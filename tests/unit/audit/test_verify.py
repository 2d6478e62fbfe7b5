"""The auditor's check: good logs pass, live or exported, and say what they do not prove."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import (
    AuditLog,
    Event,
    NoteSigner,
    Recorder,
    VerdictKind,
    copy_log,
    export_folder,
    verify_log,
)
from saferoom.audit.evidence.verdict import VERDICTS
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.errors import StorageError, UsageError

NOW = datetime(2026, 1, 31, 8, 0, 0, tzinfo=UTC)


@pytest.fixture
def filled(log: AuditLog, recorder: Recorder) -> AuditLog:
    for number in range(30):
        recorder.record("job.started", session=f"s-{number % 3}")
    return log


def test_a_live_log_is_consistent(filled: AuditLog, path: Path) -> None:
    verdict = verify_log(path, [filled.verifier_key])
    assert verdict.kind is VerdictKind.CONSISTENT
    assert (verdict.size, verdict.sessions, verdict.checkpoints, verdict.faults) == (30, 3, 31, ())
    assert (verdict.exit_code(), verdict.exit_code(require_witnesses=True)) == (0, 10)
    assert verdict.last_time == "2026-01-31T08:00:00.000Z"


def test_the_verdict_is_json(filled: AuditLog, path: Path) -> None:
    values = json.loads(json.dumps(verify_log(path, [filled.verifier_key]).to_dict()))
    assert values["verdict"] == "CONSISTENT"
    assert values["ok"] is True
    assert values["origin"] == "saferoom/bank"
    assert "only version" in values["not_proved"]


def test_without_a_key_the_verdict_says_so(filled: AuditLog, path: Path) -> None:
    verdict = verify_log(path)
    assert verdict.kind is VerdictKind.CONSISTENT
    assert not verdict.key_verified
    assert "the log itself names" in verdict.not_proved


def test_another_key_makes_it_invalid(filled: AuditLog, path: Path) -> None:
    stranger = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
    assert verify_log(path, [stranger.verifier_key]).kind is VerdictKind.INVALID
    both = verify_log(path, [stranger.verifier_key, filled.verifier_key])
    assert both.kind is VerdictKind.CONSISTENT


def test_stale_by_the_newest_entry(filled: AuditLog, path: Path) -> None:
    for age, kind in ((59, VerdictKind.CONSISTENT), (61, VerdictKind.STALE)):
        verdict = verify_log(path, [filled.verifier_key], max_age_s=60, now=NOW + timedelta(seconds=age))
        assert verdict.kind is kind
    assert verdict.exit_code() == 11


def test_an_empty_log_is_consistent_and_old(log: AuditLog, path: Path) -> None:
    assert verify_log(path, [log.verifier_key]).kind is VerdictKind.CONSISTENT
    assert verify_log(path, [log.verifier_key], max_age_s=60).kind is VerdictKind.STALE


def test_exports_and_copies_verify_like_the_log(filled: AuditLog, path: Path, tmp_path: Path) -> None:
    assert export_folder(path, tmp_path / "out") == 30
    copy_log(path, tmp_path / "copy.sqlite")
    verdicts = [
        verify_log(p, [filled.verifier_key]) for p in (path, tmp_path / "out", tmp_path / "copy.sqlite")
    ]
    assert verdicts[0] == verdicts[1] == verdicts[2]
    lines = (tmp_path / "out" / "entries.jsonl").read_bytes().splitlines()
    assert lines == [data for _, data in filled.entries()]
    with pytest.raises(StorageError):
        export_folder(path, tmp_path / "out")
    with pytest.raises(StorageError):
        copy_log(path, tmp_path / "copy.sqlite")


def test_checking_leaves_nothing_behind(filled: AuditLog, path: Path, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    copy_log(path, evidence / "log.sqlite")
    before = (evidence / "log.sqlite").read_bytes()
    evidence.chmod(0o500)
    assert verify_log(evidence / "log.sqlite", [filled.verifier_key]).ok
    evidence.chmod(0o700)
    assert [file.name for file in evidence.iterdir()] == ["log.sqlite"]
    assert (evidence / "log.sqlite").read_bytes() == before


def test_a_held_reader_sees_one_state_while_the_log_grows(
    filled: AuditLog, path: Path, recorder: Recorder
) -> None:
    reader = SqliteReader(path)
    reader.hold()
    assert reader.head().size == 30
    recorder.record("job.finished")
    assert reader.head().size == 30
    assert len(list(reader.entries(0, 99))) == 30
    reader.close()


def test_a_log_is_checked_while_it_grows(filled: AuditLog, path: Path, recorder: Recorder) -> None:
    stop, grows = threading.Event(), threading.Event()

    def grow() -> None:
        while not stop.is_set():
            recorder.record("job.finished", session="s-0")
            grows.set()

    thread = threading.Thread(target=grow)
    thread.start()
    assert grows.wait(60)
    verdicts = [verify_log(path, [filled.verifier_key]) for _ in range(5)]
    stop.set()
    thread.join()
    assert all(verdict.ok for verdict in verdicts), verdicts[-1].faults
    assert verdicts[-1].size > 30


def test_paths_and_keys_that_cannot_be_used(filled: AuditLog, path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        verify_log(tmp_path / "nothing")
    with pytest.raises(UsageError):
        verify_log(path, ["not a key"])


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"hello" * 1000])
def test_other_files_are_invalid(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    verdict = verify_log(tmp_path / "x")
    assert verdict.kind is VerdictKind.INVALID
    assert verdict.exit_code() == 1


def test_an_impossible_day_is_old(log: AuditLog, path: Path) -> None:
    event = Event(
        event_id="0" * 32,
        type="node.started",
        stage="use",
        time="2026-02-30T08:00:00.000Z",
        node="bank",
        software="saferoom",
        outcome="allowed",
    )
    log.append(event)
    assert verify_log(path, max_age_s=60).kind is VerdictKind.STALE


def test_a_folder_with_broken_text_is_invalid(filled: AuditLog, path: Path, tmp_path: Path) -> None:
    export_folder(path, tmp_path / "out")
    about = tmp_path / "out" / "log.json"
    about.write_bytes(about.read_bytes().replace(b"saferoom/bank", b"saferoom\\ud800"))
    assert verify_log(tmp_path / "out").kind is VerdictKind.INVALID


def test_a_torn_database_is_invalid(filled: AuditLog, path: Path, tmp_path: Path) -> None:
    filled.close()
    whole = path.read_bytes()
    (tmp_path / "torn").write_bytes(whole[: len(whole) // 2])
    assert verify_log(tmp_path / "torn", [filled.verifier_key]).kind is VerdictKind.INVALID


def test_faults_are_bounded(filled: AuditLog, path: Path) -> None:
    filled.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE checkpoint SET note = 'x'")
        db.executemany("INSERT INTO checkpoint VALUES (?, 'x')", ((size,) for size in range(31, 300)))
    db.close()
    assert len(verify_log(path).faults) == 100


def test_every_verdict_says_what_it_does_not_prove() -> None:
    assert set(VERDICTS) == set(VerdictKind)
    assert len({kind.value for kind in VerdictKind}) == len(VerdictKind)
