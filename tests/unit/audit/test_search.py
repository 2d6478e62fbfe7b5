"""Searching a log, and writing what is found in other formats."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from saferoom.audit import (
    Actor,
    AuditLog,
    ContractRef,
    DataObject,
    DisclosureRef,
    PeerRef,
    Recorder,
    SaltStore,
)
from saferoom.audit.evidence.search import Query, search
from saferoom.audit.evidence.selections import FORMATS, NOT_COMPLETE, Selected, export_selection, neutral
from saferoom.audit.evidence.verdict import VerdictKind
from saferoom.audit.evidence.verify import verify_log
from saferoom.errors import StorageError, UsageError

CODE = "91350211M000100Y43"


@pytest.fixture
def salts(tmp_path: Path) -> SaltStore:
    return SaltStore(tmp_path / "salts.db")


@pytest.fixture
def filled(log: AuditLog, recorder: Recorder, salts: SaltStore) -> AuditLog:
    recorder.record("node.started")
    contract = ContractRef("c-7", "22" * 32)
    recorder.record("job.accepted", contract=contract, session="ab" * 16, purpose="sme-credit")
    recorder.record(
        "disclosure", contract=contract, disclosure=DisclosureRef("score", "tax"), session="ab" * 16
    )
    recorder.record("transcript", peer=PeerRef("power", "sent", 3), session="cd" * 16)
    recorder.record("score.one", subject_commit=salts.commit(CODE), actor=Actor(org="bank", id="p-1"))
    recorder.record(
        "request.refused", outcome="refused", reason="=1+1", object=DataObject.of("loans", rows=5)
    )
    return log


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [0, 1, 2, 3, 4, 5]),
        (Query(types=("disclosure", "transcript")), [2, 3]),
        (Query(stages=("sharing",)), [2]),
        (Query(outcomes=("refused",)), [5]),
        (Query(party="tax"), [2]),
        (Query(party="power"), [3]),
        (Query(party="bank"), [0, 1, 2, 3, 4, 5]),
        (Query(actor="p-1"), [4]),
        (Query(contract="c-"), [1, 2]),
        (Query(contract="c-8"), []),
        (Query(purpose="sme-credit"), [1]),
        (Query(dataset="loans"), [5]),
        (Query(session="abab"), [1, 2]),
        (Query(contract="c-7", types=("disclosure",)), [2]),
        (Query(since="2026-01-31"), [0, 1, 2, 3, 4, 5]),
        (Query(since="2026-02-01"), []),
        (Query(until="2026-01-31"), []),
        (Query(until="2026-01-31T08:00:00.001Z"), [0, 1, 2, 3, 4, 5]),
        (Query(subjects=()), []),
    ],
)
def test_all_that_is_given_must_fit(filled: AuditLog, query: Query, found: list[int]) -> None:
    assert [one.index for one in search(filled, query)] == found


def test_a_subject_is_found_by_its_salts_until_they_are_erased(filled: AuditLog, salts: SaltStore) -> None:
    query = Query(subjects=tuple(salts.find(CODE)))
    assert [one.index for one in search(filled, query)] == [4]
    assert not list(search(filled, Query(subjects=tuple(salts.find("91350100M000100Y43")))))


@pytest.mark.parametrize("text", ["yesterday", "2026-1-1", "2026-01-31 08:00"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="not a time"):
        Query(since=text)


def exported(log: AuditLog, folder: Path, query: Query) -> dict[str, Any]:
    return export_selection(Selected(log, log.origin, log.size), folder, query, FORMATS)


def test_a_selection_says_that_it_is_not_complete_and_is_no_log(filled: AuditLog, tmp_path: Path) -> None:
    about = exported(filled, tmp_path / "out", Query(party="tax"))
    assert about == json.loads((tmp_path / "out" / "about.json").read_text("utf-8"))
    assert (about["complete"], about["entries"], about["note"]) == (False, 1, NOT_COMPLETE)
    assert about["filter"] == {"party": "tax"}
    assert verify_log(tmp_path / "out").kind is VerdictKind.INVALID
    assert exported(filled, tmp_path / "all", Query())["complete"] is True


def test_json_lines_hold_the_exact_bytes(filled: AuditLog, tmp_path: Path) -> None:
    exported(filled, tmp_path / "out", Query())
    lines = (tmp_path / "out" / "entries.jsonl").read_bytes().splitlines()
    assert lines == [data for _, data in filled.entries()]


def test_no_cell_is_a_formula(filled: AuditLog, tmp_path: Path) -> None:
    exported(filled, tmp_path / "out", Query())
    with (tmp_path / "out" / "entries.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[5]["reason"] == "'=1+1"
    assert [json.loads(row["entry"]) for row in rows] == [json.loads(data) for _, data in filled.entries()]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋"])
def test_what_a_spreadsheet_would_calculate_is_neutralised(start: str) -> None:
    assert neutral(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert neutral("plain") == "plain"


def test_ocsf_events_hold_what_the_class_requires(filled: AuditLog, tmp_path: Path) -> None:
    exported(filled, tmp_path / "out", Query())
    lines = (tmp_path / "out" / "entries.ocsf.jsonl").read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    for (_, data), event in zip(filled.entries(), events, strict=True):
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["metadata"]["version"] == "1.6.0" and event["metadata"]["product"]["name"] == "SafeRoom"
        assert event["raw_data"].encode() == data and event["unmapped"] == json.loads(data)
        assert event["time"] == 1769846400000
        assert event["actor"] and event["api"]["operation"] and event["src_endpoint"]
    assert (events[5]["status_id"], events[5]["severity_id"], events[5]["status_detail"]) == (2, 2, "=1+1")


def test_a_folder_is_not_written_over(filled: AuditLog, tmp_path: Path) -> None:
    exported(filled, tmp_path / "out", Query())
    with pytest.raises(StorageError, match="selection"):
        exported(filled, tmp_path / "out", Query())
