"""Owners and witnesses that cheat: rewrites, restored backups, two views, stalls, collusion, a stolen key."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from saferoom.audit import AuditLog, VerdictKind, copy_log, verify_log
from saferoom.audit.formats.canonical import decode, encode
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import consistency_proof, leaf_hash, root_of
from saferoom.audit.formats.note import split_note
from saferoom.audit.log import audit_log
from saferoom.audit.log.opening import ahead_path
from saferoom.audit.witness.quorum import cosignature
from saferoom.audit.witness.witness import OK, Answer, Request, check_fork
from saferoom.errors import StorageError
from tests.witness_room import NOW_S, Bench, grow, keys_of, open_log, request_for, signer_of, witness_signer

NOW = datetime.fromtimestamp(NOW_S, UTC)
KEYS = [signer_of("bank").verifier_key]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[AuditLog]:
    with open_log(tmp_path / "bank.db") as log:
        grow(log, 20)
        yield log


def view(path: Path, of: AuditLog) -> AuditLog:
    """A second log of the same owner that begins like the first: what two views grow from."""
    copy_log(of.path, path)
    return open_log(path)


# --- the owner rewrites, reorders, deletes ----------------------------------------------------------

REWRITES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "deleted": lambda e: e[:7] + e[8:],
    "swapped": lambda e: [e[1], e[0], *e[2:]],
    "inserted": lambda e: [e[0], *e],
    "truncated and refilled": lambda e: [*e[:19], *e[:14]],
}


def request_of(entries: list[bytes], old: int) -> Request:
    """A validly signed tree of these entries, with the best proof that its owner can make."""
    leaves = [leaf_hash(data) for data in entries]
    note = Checkpoint("saferoom/bank", len(leaves), root_of(leaves)).signed(signer_of("bank"))
    proof = consistency_proof(old, len(leaves), lambda start, end: root_of(leaves[start:end]))
    return Request(old, tuple(proof), note)


def rewritten(entries: list[bytes], row: int) -> list[bytes]:
    event = decode(entries[row])
    event["outcome"] = "refused"
    return [*entries[:row], encode(event), *entries[row + 1 :]]


def test_every_rewritten_row_is_refused_by_a_witness(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    assert witness.add_checkpoint(request_for(bank, 0).body()).status == 200
    size = bank.size
    grow(bank, 13)
    entries = [data for _, data in bank.entries()]
    for row in range(size):
        assert witness.add_checkpoint(request_of(rewritten(entries, row), size).body()).status == 422, row
    for name, change in REWRITES.items():
        assert witness.add_checkpoint(request_of(change(entries), size).body()).status == 422, name
        same_size = request_of(change(entries)[:size], size)
        if same_size.note != request_of(entries[:size], size).note:
            assert witness.add_checkpoint(same_size.body()).status == 409, name
    assert witness.add_checkpoint(request_of(entries, size).body()).status == 200


# --- the owner puts a backup back ----------------------------------------------------------


@pytest.fixture
def restored(bench: Bench, bank: AuditLog, tmp_path: Path) -> Path:
    """An old copy of a log that went on and was cosigned; its newest state is gone."""
    copy_log(bank.path, tmp_path / "backup.db")
    grow(bank, 5)
    bench.feed(bank)
    return tmp_path / "backup.db"


def test_a_restored_backup_signs_nothing_once_a_witness_was_asked(bench: Bench, restored: Path) -> None:
    log = open_log(restored)
    size = log.size
    bench.feed(log, "tax")
    with pytest.raises(StorageError, match="old copy was put back") as caught:
        grow(log)
    assert "successor" in caught.value.remedy
    assert log.size == size
    log.close()
    with pytest.raises(StorageError, match="old copy was put back"):
        open_log(restored)
    assert bench.alarms == []


def test_a_backup_that_signed_before_it_was_asked_is_stopped_and_proved(bench: Bench, restored: Path) -> None:
    with open_log(restored) as log:
        grow(log, 5)
        bench.feed(log, "tax")
        with pytest.raises(StorageError, match="old copy was put back"):
            grow(log)
    alarm = bench.alarms[0]
    assert check_fork(alarm.held, alarm.offered, keys_of("bank")).size == 25
    with pytest.raises(StorageError):
        open_log(restored)


def test_a_log_that_cannot_keep_the_evidence_stops_all_the_same(
    bench: Bench, restored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(audit_log, "write_private", full)
    with open_log(restored) as log:
        with suppress(StorageError):
            bench.feed(log, "tax")
        with pytest.raises(StorageError, match="old copy was put back"):
            grow(log)


def test_a_witness_that_only_says_a_size_stops_the_log_too(bench: Bench, restored: Path) -> None:
    def without_the_note(name: str, body: bytes) -> Answer:
        answer = bench.witnesses[name].add_checkpoint(body)
        return Answer(answer.status, answer.body)

    with open_log(restored) as log:
        bench.feed(log, "tax", through=without_the_note)
        with pytest.raises(StorageError, match="says that it holds 25 entries"):
            grow(log)


def test_the_newest_copy_put_back_opens_again(bench: Bench, bank: AuditLog, restored: Path) -> None:
    with open_log(restored) as log:
        bench.feed(log, "tax")
    bank.close()
    kept = ahead_path(restored)
    shutil.copy(bank.path, restored)
    with open_log(restored) as log:
        grow(log)
        bench.feed(log, "tax")
        grow(log)
    assert not kept.exists()


def test_a_truncated_log_meets_409(bench: Bench, bank: AuditLog, restored: Path) -> None:
    with open_log(restored) as log:
        assert bench.witnesses["tax"].add_checkpoint(request_for(log, log.size).body()).status == 409


def test_a_stranger_s_checkpoint_stops_nothing(bench: Bench, bank: AuditLog) -> None:
    """A coordinator that passes on a checkpoint nobody signed cannot stop a log."""
    forged = Checkpoint("saferoom/bank", 99, bytes(32)).signed(signer_of("tax"))
    with pytest.raises(Exception, match="none of the given keys"):
        bench.feed(bank, "tax", through=lambda name, body: Answer(409, "99\n", forged))
    grow(bank)


# --- the owner shows two views ----------------------------------------------------------


def test_of_two_views_at_most_one_reaches_a_quorum(bench: Bench, bank: AuditLog, tmp_path: Path) -> None:
    bench.feed(bank)
    with view(tmp_path / "view.db", bank) as other:
        grow(bank, 3)
        grow(other, 3)
        bench.feed(bank, "tax", "power")
        bench.feed(other, "auditor")
        with pytest.raises(StorageError):
            bench.feed(other, "tax")
            grow(other)
    assert [alarm.what for alarm in bench.alarms] == ["two signed trees of 23 entries"]
    proof = bench.alarms[0]
    assert check_fork(proof.held, proof.offered, keys_of("bank")).size == 23
    quorum = bench.quorum(2)
    first = verify_log(bank.path, KEYS, quorum=quorum, now=NOW)
    second = verify_log(tmp_path / "view.db", KEYS, quorum=quorum, now=NOW)
    assert (first.kind, first.witnessed.size) == (VerdictKind.WITNESSED, 23)  # type: ignore[union-attr]
    assert second.witnessed.size == 20  # type: ignore[union-attr]
    assert verify_log(tmp_path / "view.db", KEYS, seen=[proof.held]).kind is VerdictKind.DIVERGED


# --- the owner stalls ----------------------------------------------------------


def test_a_log_that_no_witness_saw_lately_is_stale(bench: Bench, bank: AuditLog) -> None:
    bench.feed(bank)
    quorum = bench.quorum(2, max_age_s=600)
    later = NOW + timedelta(seconds=601)
    assert verify_log(bank.path, KEYS, quorum=quorum, now=NOW).kind is VerdictKind.WITNESSED
    stale = verify_log(bank.path, KEYS, quorum=quorum, now=later)
    assert (stale.kind, stale.exit_code()) == (VerdictKind.STALE, 11)
    bench.now_s += 600
    bench.feed(bank, "tax", "power")
    assert verify_log(bank.path, KEYS, quorum=quorum, now=later).kind is VerdictKind.WITNESSED


def test_one_fresh_witness_does_not_make_a_quorum_fresh(bench: Bench, bank: AuditLog) -> None:
    bench.feed(bank)
    bench.now_s += 900
    bench.feed(bank, "tax")
    later = NOW + timedelta(seconds=900)
    assert verify_log(bank.path, KEYS, quorum=bench.quorum(2, 600), now=later).kind is VerdictKind.STALE


def test_an_owner_that_never_asked_is_not_witnessed(bench: Bench, bank: AuditLog) -> None:
    verdict = verify_log(bank.path, KEYS, quorum=bench.quorum(2), now=NOW)
    assert (verdict.kind, verdict.witnessed) == (VerdictKind.CONSISTENT, None)
    assert verdict.exit_code(require_witnesses=True) == 10


# --- the owner and one witness collude ----------------------------------------------------------


def test_an_owner_and_one_witness_make_no_quorum(bench: Bench, bank: AuditLog, tmp_path: Path) -> None:
    def signs_anything(name: str, body: bytes) -> Answer:
        text = split_note(Request.parse(body).note)[0]
        return Answer(OK, witness_signer(name).signature_line(text, time_s=NOW_S))

    bench.feed(bank, "power", "auditor")
    with view(tmp_path / "view.db", bank) as other:
        grow(bank, 2)
        grow(other, 2)
        bench.feed(bank, "power", "auditor")
        bench.feed(other, "tax", through=signs_anything)
    verdict = verify_log(tmp_path / "view.db", KEYS, quorum=bench.quorum(2), now=NOW)
    assert verdict.witnessed.size == 20  # type: ignore[union-attr]
    assert verify_log(tmp_path / "view.db", KEYS, quorum=bench.quorum(3), now=NOW).witnessed is None


def test_cosignatures_moved_from_another_log_make_it_invalid(
    bench: Bench, bank: AuditLog, tmp_path: Path
) -> None:
    bench.feed(bank)
    with view(tmp_path / "view.db", bank) as other:
        grow(bank)
        grow(other)
        bench.feed(bank)
        stolen = [item for item in bank.cosignatures(bank.size) if item.size == bank.size]
        other.add_cosignatures(stolen)
    assert len(stolen) == 3
    assert verify_log(tmp_path / "view.db", KEYS, quorum=bench.quorum(2), now=NOW).kind is VerdictKind.INVALID


def test_a_log_s_own_key_is_no_witness(bench: Bench, bank: AuditLog) -> None:
    text = split_note(bank.checkpoint())[0]
    for name in ("bank", "stranger"):
        line = witness_signer(name).signature_line(text, time_s=NOW_S)
        bank.add_cosignatures([cosignature(bank.size, line)])
    assert verify_log(bank.path, KEYS, quorum=bench.quorum(1), now=NOW).kind is VerdictKind.CONSISTENT


# --- somebody else signs with the owner's key ----------------------------------------------------------


def test_a_stolen_key_meets_409_and_stops_the_owner(bench: Bench, bank: AuditLog, tmp_path: Path) -> None:
    bench.feed(bank)
    with view(tmp_path / "thief.db", bank) as thief:
        grow(thief, 2)
        bench.feed(thief, "tax")
    grow(bank, 2)
    bench.feed(bank, "tax")
    with pytest.raises(StorageError, match="another has its key"):
        grow(bank)
    alarm = bench.alarms[0]
    assert check_fork(alarm.held, alarm.offered, keys_of("bank")).size == 22


def test_a_stolen_key_that_comes_second_is_refused(bench: Bench, bank: AuditLog, tmp_path: Path) -> None:
    with view(tmp_path / "thief.db", bank) as thief:
        grow(bank, 3)
        bench.feed(bank)
        grow(thief, 3)
        assert bench.witnesses["tax"].add_checkpoint(request_for(thief, 20).body()).status == 409
        assert bench.witnesses["tax"].add_checkpoint(request_for(thief, 23).body()).status == 409
    assert len(bench.alarms) == 1
    grow(bank)
    bench.feed(bank)
