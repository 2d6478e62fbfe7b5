"""The witness protocol: every status, what is kept before an answer, and what an answer proves."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from saferoom.audit import AuditLog
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.merkle import EMPTY_ROOT
from saferoom.audit.formats.note import sign_note, split_note
from saferoom.audit.log.sqlite import SqliteReader
from saferoom.audit.witness.quorum import Quorum, cosignature, newest_witnessed
from saferoom.audit.witness.witness import MAX_PROOF, Request, check_fork, read_answer
from saferoom.errors import StorageError, UsageError, VerificationError
from tests.witness_room import NOW_S, Bench, grow, keys_of, open_log, request_for, signer_of, witness_signer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[AuditLog]:
    with open_log(tmp_path / "bank.db") as log:
        grow(log, 3)
        yield log


def test_a_request_is_read_back() -> None:
    request = Request(7, (bytes(32), b"\1" * 32), "a\n\n— b AAAAAAAA\n")
    assert Request.parse(request.body()) == request
    assert request.body().startswith(b"old 7\n" + base64.b64encode(bytes(32)) + b"\n")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\n\nx",
        b"old 1",
        b"old -1\n\nx\n",
        b"old 01\n\nx\n",
        b"new 1\n\nx\n",
        b"old 0\nAAAA\n\nx\n",
        b"old 0\n*\n\nx\n",
        b"old 0\n" + (base64.b64encode(bytes(32)) + b"\n") * (MAX_PROOF + 1) + b"\nx\n",
    ],
)
def test_what_is_no_request_is_400(bench: Bench, body: bytes) -> None:
    assert bench.witnesses["tax"].add_checkpoint(body).status == 400


def test_a_first_checkpoint_and_its_successor_are_cosigned(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    answer = witness.add_checkpoint(request_for(bank, 0).body())
    assert answer.status == 200
    _, time_s = read_answer(split_note(bank.checkpoint())[0], answer.body, witness.verifier)
    assert time_s == NOW_S
    grow(bank, 5)
    assert witness.add_checkpoint(request_for(bank, 3).body()).status == 200
    held = witness.store.held("saferoom/bank")
    assert held is not None and held.note == bank.checkpoint()


def test_an_unchanged_log_is_cosigned_again_with_a_new_time(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    witness.add_checkpoint(request_for(bank, 0).body())
    bench.now_s += 100
    answer = witness.add_checkpoint(request_for(bank, 3).body())
    assert read_answer(split_note(bank.checkpoint())[0], answer.body, witness.verifier)[1] == NOW_S + 100


def test_an_empty_log_is_cosigned(bench: Bench) -> None:
    note = Checkpoint("saferoom/bank", 0, EMPTY_ROOT).signed(signer_of("bank"))
    witness = bench.witnesses["tax"]
    assert witness.add_checkpoint(Request(0, (), note).body()).status == 200
    assert witness.add_checkpoint(Request(0, (), note).body()).status == 200


def test_a_log_nobody_named_is_404(bench: Bench, tmp_path: Path) -> None:
    with open_log(tmp_path / "other.db", "stranger") as log:
        grow(log)
        assert bench.witnesses["tax"].add_checkpoint(request_for(log, 0).body()).status == 404


def test_a_foreign_signature_is_403(bench: Bench, bank: AuditLog) -> None:
    text = split_note(bank.checkpoint())[0]
    forged = sign_note(text, replace(signer_of("tax"), name="saferoom/bank"))
    by_a_witness = f"{text}\n{witness_signer('tax').signature_line(text, time_s=1)}"
    for note in (forged, by_a_witness):
        assert bench.witnesses["tax"].add_checkpoint(Request(0, (), note).body()).status == 403
    assert bench.witnesses["tax"].store.held("saferoom/bank") is None


def test_an_old_size_above_the_new_one_is_400(bench: Bench, bank: AuditLog) -> None:
    assert bench.witnesses["tax"].add_checkpoint(Request(4, (), bank.checkpoint()).body()).status == 400


def test_another_old_size_is_409_and_names_the_stored_one(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    assert witness.add_checkpoint(request_for(bank, 2).body()).body == "0\n"
    witness.add_checkpoint(request_for(bank, 0).body())
    answer = witness.add_checkpoint(request_for(bank, 0).body())
    assert (answer.status, answer.body, answer.held) == (409, "3\n", bank.checkpoint())


def test_a_proof_that_does_not_fit_is_422_and_an_alarm(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    witness.add_checkpoint(request_for(bank, 0).body())
    grow(bank, 4)
    request = request_for(bank, 3)
    for proof in ((), request.proof[::-1], (*request.proof, bytes(32))):
        assert witness.add_checkpoint(replace(request, proof=proof).body()).status == 422
    assert witness.store.held("saferoom/bank").checkpoint.size == 3  # type: ignore[union-attr]
    assert len(bench.alarms) == 1
    with pytest.raises(VerificationError, match="do not contradict"):
        check_fork(bench.alarms[0].held, bench.alarms[0].offered, keys_of("bank"))


def test_a_proof_from_nothing_is_refused(bench: Bench, bank: AuditLog) -> None:
    request = Request(0, (bytes(32),), bank.checkpoint())
    assert bench.witnesses["tax"].add_checkpoint(request.body()).status == 422


def test_two_trees_of_one_size_are_409_and_a_portable_proof(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    witness.add_checkpoint(request_for(bank, 0).body())
    other = Checkpoint("saferoom/bank", 3, bytes(32)).signed(signer_of("bank"))
    for _ in range(2):
        assert witness.add_checkpoint(Request(3, (), other).body()).status == 409
    assert [(alarm.held, alarm.offered) for alarm in bench.alarms] == [(bank.checkpoint(), other)]
    fork = check_fork(bench.alarms[0].held, bench.alarms[0].offered, keys_of("bank"))
    assert (fork.origin, fork.size) == ("saferoom/bank", 3)
    assert bench.witness("tax").store.alarms() == bench.alarms


def test_a_fork_below_the_newest_size_is_found_too(bench: Bench, bank: AuditLog) -> None:
    witness = bench.witnesses["tax"]
    witness.add_checkpoint(request_for(bank, 0).body())
    grow(bank)
    witness.add_checkpoint(request_for(bank, 3).body())
    other = Checkpoint("saferoom/bank", 3, bytes(32)).signed(signer_of("bank"))
    assert witness.add_checkpoint(Request(0, (), other).body()).status == 409
    assert len(bench.alarms) == 1


@pytest.mark.parametrize("which", ["same twice", "another size", "not signed by the log"])
def test_what_is_no_fork_proves_none(bank: AuditLog, which: str) -> None:
    first = bank.checkpoint()
    other = {
        "same twice": first,
        "another size": Checkpoint("saferoom/bank", 4, bytes(32)).signed(signer_of("bank")),
        "not signed by the log": Checkpoint("saferoom/bank", 3, bytes(32)).signed(
            replace(signer_of("tax"), name="saferoom/bank")
        ),
    }[which]
    with pytest.raises(VerificationError):
        check_fork(first, other, keys_of("bank"))


def test_nothing_is_answered_that_is_not_kept(bench: Bench, bank: AuditLog, tmp_path: Path) -> None:
    witness = bench.witnesses["tax"]
    witness.add_checkpoint(request_for(bank, 0).body())
    grow(bank)
    witness.store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageError, match="memory"):
        witness.add_checkpoint(request_for(bank, 3).body())
    assert bench.witness("tax").store.held("saferoom/bank").checkpoint.size == 3  # type: ignore[union-attr]


def test_an_answer_without_the_witness_s_own_line_is_nothing(bench: Bench, bank: AuditLog) -> None:
    text = split_note(bank.checkpoint())[0]
    answer = bench.witnesses["power"].add_checkpoint(request_for(bank, 0).body())
    with pytest.raises(VerificationError, match="no cosignature"):
        read_answer(text, answer.body, bench.witnesses["tax"].verifier)
    with pytest.raises(VerificationError, match="wrong"):
        read_answer(text.replace("3", "4"), answer.body, bench.witnesses["power"].verifier)


def test_a_quorum_counts_each_witness_once_and_strangers_never(bench: Bench, bank: AuditLog) -> None:
    text = split_note(bank.checkpoint())[0]
    lines = [witness_signer("tax").signature_line(text, time_s=at) for at in (5, 9, 7)]
    stranger = witness_signer("stranger").signature_line(text, time_s=8)
    assert bench.quorum().cosigned(text, [*lines, stranger]) == {"saferoom/tax/witness": 9}
    times = {"a": 10, "b": 30, "c": 20}
    assert bench.quorum(2).reached(3, times).time_s == 20  # type: ignore[union-attr]
    assert bench.quorum(3).reached(3, times).time_s == 10  # type: ignore[union-attr]
    assert bench.quorum(3).reached(3, {"a": 1, "b": 2}) is None


def test_a_cosignature_from_the_future_does_not_count(bench: Bench, bank: AuditLog) -> None:
    text = split_note(bank.checkpoint())[0]
    line = witness_signer("tax").signature_line(text, time_s=NOW_S + 3600)
    assert bench.quorum().cosigned(text, [line], now_s=NOW_S) == {}
    assert bench.quorum().cosigned(text, [line], now_s=NOW_S + 3600)


def test_quorums_that_cannot_be(bench: Bench) -> None:
    keys = [str(witness.verifier) for witness in bench.witnesses.values()]
    for needed, given in (
        (0, keys),
        (4, keys),
        (1, [keys[0], keys[0]]),
        (1, [str(signer_of("tax").verifier)]),
    ):
        with pytest.raises(UsageError):
            Quorum.of_keys(needed, given)
    with pytest.raises(UsageError):
        Quorum.of_keys(1, ["no key"])


def test_the_newest_quorum_is_found_without_reading_the_log(bench: Bench, bank: AuditLog) -> None:
    bench.feed(bank)
    grow(bank, 2)
    bench.feed(bank, "tax")
    reader = SqliteReader(bank.path)
    found = newest_witnessed(reader, bench.quorum(2))
    assert found is not None and (found.size, found.time_s) == (3, NOW_S)
    assert newest_witnessed(reader, bench.quorum(1)).size == 5  # type: ignore[union-attr]
    reader.close()


def test_a_cosignature_is_stored_under_its_key() -> None:
    line = witness_signer("tax").signature_line("a\n", time_s=1)
    stored = cosignature(3, line)
    assert stored.witness == f"saferoom/tax/witness+{witness_signer('tax').verifier.key_id.hex()}"
    assert stored.line + "\n" == line
