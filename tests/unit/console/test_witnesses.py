"""Cosignatures on the pages: checked, unknown, wrong; what they cover; what other logs saw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from saferoom.audit import Anchor, export_folder
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import split_note
from saferoom.audit.witness.quorum import cosignature
from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.opened import Reliance
from saferoom.console.rendering import verify_command
from tests.console_room import LogRoom, evidence_of, visitor
from tests.unit.console.test_pages import text_of

WITNESSES = ("tax", "power", "auditor")


def head(room: LogRoom, node: str) -> Checkpoint:
    return Checkpoint.parse(split_note(room.log(node).checkpoint())[0])


@pytest.fixture
def witnessed(room: LogRoom) -> LogRoom:
    """The bank's log cosigned by two witnesses, and one entry more."""
    room.cosign("bank", "tax", "power")
    room.record("bank", "node.stopped")
    return room


def test_a_quorum_makes_the_log_witnessed(witnessed: LogRoom) -> None:
    evidence = evidence_of(witnessed, "bank", quorum=witnessed.quorum(2, *WITNESSES))
    client = visitor(evidence)
    front = text_of(client.get("/").text)
    assert "WITNESSED Others vouch for this history" in front
    assert re.search(r"first 16 entries are witnessed by saferoom/power/witness, saferoom/tax/witness", front)
    logs = text_of(client.get("/logs").text)
    assert "2 of your witnesses cosigned, 2 are needed" in logs
    assert logs.count("✓ signature checked") == 2
    command = verify_command(evidence.logs[0])
    assert command.count("--witness") == 3
    assert "--quorum 2" in command


def test_an_entry_shows_who_cosigned_its_tree(witnessed: LogRoom) -> None:
    client = visitor(evidence_of(witnessed, "bank", quorum=witnessed.quorum(2, *WITNESSES)))
    covered = text_of(client.get("/entries/bank/3").text)
    assert "The tree of the first 16 entries, in which this entry was proved too, is cosigned" in covered
    assert "saferoom/tax/witness" in covered
    assert "No witness cosigned" in text_of(client.get("/entries/bank/16").text)


@pytest.mark.parametrize("needed", [0, 3])
def test_too_few_witnesses_prove_nothing(witnessed: LogRoom, needed: int) -> None:
    quorum = witnessed.quorum(needed, *WITNESSES) if needed else None
    client = visitor(evidence_of(witnessed, "bank", quorum=quorum))
    assert "CONSISTENT" in text_of(client.get("/").text)
    entry = text_of(client.get("/entries/bank/3").text)
    assert "not by enough witnesses whose keys you gave" in entry
    words = "No quorum: 2 of your witnesses" if needed else "its key was not given: not checked"
    assert words in text_of(client.get("/logs").text)


def test_a_wrong_cosignature_is_red(room: LogRoom) -> None:
    old = room.log("bank").checkpoint().partition("\n\n")[0] + "\n"
    room.record("bank", "node.stopped")
    line = room.witness("tax").signature_line(old, time_s=1)
    room.log("bank").add_cosignatures([cosignature(room.log("bank").size, line)])
    client = visitor(evidence_of(room, "bank", quorum=room.quorum(1, "tax")))
    assert "INVALID" in text_of(client.get("/").text)
    assert "✕ wrong signature" in text_of(client.get("/logs").text)


def test_old_cosignatures_make_the_log_stale(room: LogRoom) -> None:
    room.cosign("bank", "tax", time_s=1)
    quorum = room.quorum(1, "tax", max_age_s=60)
    assert "STALE" in text_of(visitor(evidence_of(room, "bank", quorum=quorum)).get("/").text)


def test_an_exported_folder_brings_its_cosignatures(witnessed: LogRoom, tmp_path: Path) -> None:
    export_folder(witnessed.path("bank"), tmp_path / "bank-log")
    trust = Reliance.of(witnessed.keys.values(), quorum=witnessed.quorum(2, *WITNESSES))
    evidence = Evidence.open([tmp_path / "bank-log"], trust)
    evidence.verify_all()
    client = visitor(evidence)
    assert "WITNESSED" in text_of(client.get("/").text)
    assert "2 of your witnesses cosigned" in text_of(client.get("/logs").text)
    assert "in which this entry was proved too" in text_of(client.get("/entries/bank/3").text)


def test_what_other_logs_saw_is_compared(room: LogRoom) -> None:
    seen = head(room, "tax")
    room.record("bank", "job.finished", anchors=[Anchor(seen.origin, seen.size, seen.root.hex())])
    index = room.record("bank", "job.finished", anchors=[Anchor(seen.origin, seen.size - 1, "ab" * 32)])
    page = text_of(visitor(evidence_of(room)).get("/logs").text)
    assert (
        f"bank {index} {seen.size - 1} abababababababababababab… ≠ contradicts: history was changed" in page
    )
    assert f"bank {index - 1} {seen.size} {seen.root.hex()[:24]}… ✓ same root" in page


def test_alarms_stand_first(room: LogRoom) -> None:
    two = [Anchor("saferoom/tax", 5, digest * 32) for digest in ("aa", "bb")]
    room.record("bank", "witness.alarm", outcome="refused", reason="two heads of one size", anchors=two)
    page = text_of(visitor(evidence_of(room)).get("/logs").text)
    assert "✕ Alarms" in page
    assert page.index("two heads of one size") < page.index("Origin")
