"""fsck: what is around a log that fits together: anchors, cosignatures' times, identifiers in raw bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from saferoom.audit import Anchor, AuditLog, NoteSigner, Recorder
from saferoom.audit.evidence.fsck import fsck
from saferoom.audit.evidence.sources import opened_logs
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import split_note
from tests.rewritten import rewrite
from tests.witness_room import NOW_S, Bench, grow, signer_of

CODE = "91350211M000100Y43"
OTHER = NoteSigner("saferoom/tax", Ed25519PrivateKey.generate())


@pytest.fixture
def tax(tmp_path: Path) -> Path:
    with AuditLog.open(tmp_path / "tax.db", origin=OTHER.name, signer=OTHER) as log:
        record = Recorder(log, node="tax", software="saferoom")
        for _ in range(5):
            record.record("node.started")
    return tmp_path / "tax.db"


def anchored(recorder: Recorder, tax: Path) -> None:
    """The bank's log saw the tax bureau's at three sizes."""
    with opened_logs([tax]) as (reader,):
        for size, note in reader.checkpoints():
            head = Checkpoint.parse(split_note(note)[0])
            if size in (1, 3, 5):
                recorder.record("node.started", anchors=[Anchor(head.origin, size, head.root.hex())])


def test_a_log_that_fits_together_is_well(
    log: AuditLog, recorder: Recorder, path: Path, signer: NoteSigner, tax: Path
) -> None:
    anchored(recorder, tax)
    log.close()
    with opened_logs([tax]) as others:
        found = fsck(path, [signer.verifier_key], others=others, canaries=[CODE])
    assert found.ok and found.exit_code() == 0
    assert found.to_dict()["checks"] == {"log": [], "cosignatures": [], "anchors": [], "identifiers": []}


@pytest.mark.parametrize(("keep", "words"), [(slice(1, 6), "which has"), (slice(0, 2), "it was cut")])
def test_a_peers_log_that_was_rewritten_contradicts_our_anchors(
    log: AuditLog, recorder: Recorder, path: Path, tax: Path, tmp_path: Path, keep: slice, words: str
) -> None:
    anchored(recorder, tax)
    log.close()
    changed = rewrite(tax, tmp_path / "changed.db", OTHER, lambda events: events[keep])
    with opened_logs([changed]) as others:
        found = fsck(path, others=others)
    assert found.exit_code() == 1
    assert any(words in fault for fault in found.faults["anchors"])


def test_an_identifier_in_any_file_beside_the_log_is_found(
    log: AuditLog, recorder: Recorder, path: Path
) -> None:
    recorder.record("node.started")
    log.close()
    assert fsck(path, canaries=[CODE]).ok
    for content in (CODE.encode(), CODE.encode("utf-16-le"), sha256(CODE.encode()).hexdigest().encode()):
        beside = path.with_name(path.name + "-journal")
        beside.write_bytes(b"\0" * 40 + content + b"\0" * 40)
        found = fsck(path, canaries=[CODE])
        assert found.exit_code() == 1 and found.faults["identifiers"]
        assert CODE not in str(found.to_dict()), "reports name no identifier"


def test_the_verdicts_own_code_comes_first(log: AuditLog, path: Path) -> None:
    log.close()
    stranger = NoteSigner("saferoom/bank", Ed25519PrivateKey.generate())
    found = fsck(path, [stranger.verifier_key], now=datetime(2026, 2, 1, tzinfo=UTC))
    assert found.exit_code() == 1 and not found.ok


SEEN = datetime.fromtimestamp(NOW_S, UTC)


def cosigned_log(folder: Path, bench: Bench, seen_after_s: float, *names: str) -> Path:
    """A log of the time SEEN, and its newest checkpoint cosigned so much later by these witnesses."""
    signer = signer_of("bank")
    with AuditLog.open(folder / "bank.db", origin=signer.name, signer=signer, clock=lambda: SEEN) as log:
        grow(log, 3)
        bench.now_s = NOW_S + seen_after_s
        bench.feed(log, *names)
    return folder / "bank.db"


@pytest.mark.parametrize(
    ("after_s", "words"),
    [(5.0, ""), (-200.0, ""), (-400.0, "before the last of them was written"), (1000.0, "in the future")],
)
def test_cosignatures_are_not_from_before_their_entries_nor_from_the_future(
    tmp_path: Path, after_s: float, words: str
) -> None:
    """Clocks may be five minutes apart."""
    path = cosigned_log(tmp_path, Bench(tmp_path), after_s, "tax")
    found = fsck(path, [signer_of("bank").verifier_key], now=SEEN + timedelta(seconds=60))
    faults = found.faults["cosignatures"]
    assert (len(faults), found.exit_code()) == ((1, 1) if words else (0, 0))
    assert all("saferoom/tax/witness" in fault and words in fault for fault in faults)


def test_a_quorum_counts_in_fsck(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    path = cosigned_log(tmp_path, bench, 5, "tax", "auditor")
    for needed, word in ((2, "WITNESSED"), (3, "CONSISTENT")):
        found = fsck(path, [signer_of("bank").verifier_key], quorum=bench.quorum(needed), now=SEEN)
        assert found.verdict.kind.name == word
    late = SEEN + timedelta(days=1)
    found = fsck(path, [signer_of("bank").verifier_key], quorum=bench.quorum(2, max_age_s=60), now=late)
    assert found.exit_code() == found.verdict.kind.value == 11
