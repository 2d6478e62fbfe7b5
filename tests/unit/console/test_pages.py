"""What the pages show of a story in three logs."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from saferoom.audit import export_folder
from saferoom.console.reading.evidence import Evidence
from tests.console_room import CONTRACT, HOSTILE, JOB, ORIGIN, LogRoom, evidence_of, talk, visitor

PAGES = ["/", "/logs", "/contracts", f"/contract?id={CONTRACT.id}", "/jobs", f"/job?id={JOB}", "/search",
         "/entries/bank/0", "/lifecycle", "/export", "/fragments/proof/tax/1"]  # fmt: skip


def text_of(answer: str) -> str:
    """What a reader sees: no tags, single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer)).split())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_open_without_inline_code(client: TestClient, path: str, lang: str) -> None:
    client.get(f"/language/{lang}")
    answer = client.get(path)
    assert answer.status_code == 200
    assert not re.search(r"<style|style=|<script(?! src=\"/static/)|\son\w+=|javascript:", answer.text)
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", answer.text)
    assert ("审计控制台" in answer.text) == (lang == "zh") or path.startswith("/fragments")


def test_the_verdict_comes_first(client: TestClient) -> None:
    page = text_of(client.get("/").text)
    assert "CONSISTENT It fits together; nobody else vouches for it Not proved:" in page
    assert "given by you" in page
    assert "saferoom audit verify" in page


def test_a_key_of_the_log_itself_is_said_to_be_so(room: LogRoom) -> None:
    evidence = Evidence.open([room.path("bank")], type(evidence_of(room).trust)())
    evidence.verify_all()
    assert "the log's own word" in text_of(visitor(evidence).get("/").text)


def test_a_log_that_changed_is_invalid_and_its_entry_not_proved(room: LogRoom) -> None:
    import sqlite3

    room.close()
    with sqlite3.connect(room.path("bank")) as database:
        (data,) = database.execute("SELECT data FROM entry WHERE idx = 2").fetchone()
        changed = data.replace(b"contract.drafted", b"contract.refused")
        database.execute("UPDATE entry SET data = ? WHERE idx = 2", (changed,))
    database.close()
    client = visitor(evidence_of(room))
    front = text_of(client.get("/").text)
    assert "INVALID" in front
    assert "do not rely on any entry" in front
    entry = client.get("/entries/bank/2").text
    assert "not proved" in text_of(entry)
    assert "badge refuted" in entry
    assert "badge proved" in client.get("/entries/tax/2").text


def test_a_log_signed_by_another_key_proves_nothing(room: LogRoom) -> None:
    evidence = evidence_of(room)
    bank = evidence.log("bank")
    tax = evidence.log("tax")
    assert bank and tax
    bank.keys = tax.keys
    assert "badge refuted" in visitor(evidence).get("/entries/bank/0").text


def test_a_log_that_rewrites_its_past_while_open_diverges(room: LogRoom) -> None:
    evidence = evidence_of(room, "tax")
    (tax,) = evidence.logs
    assert tax.verdict and tax.verdict.kind.name == "CONSISTENT"
    room.close()
    for file in room.folder.glob("tax.db*"):
        file.unlink()
    for _ in range(40):
        room.record("tax", "node.started")
    evidence.refresh()
    evidence.ask(tax)
    evidence.verify_all()
    assert tax.verdict.kind.name == "DIVERGED"
    assert "DIVERGED" in visitor(evidence).get("/").text


def test_who_approved_and_who_learnt(client: TestClient) -> None:
    page = text_of(client.get("/contract", params={"id": CONTRACT.id}).text)
    assert "bank Contract approved bank (officer-bank)" in page
    assert "tax Contract approved tax (officer-tax)" in page
    assert re.search(
        r"bank which of its own enterprises every party holds intersection 10000-99999 1 1 – 0", page
    )
    assert re.search(r"tax the joint score of each enterprise score – – – ⊘ 1", page)


def test_different_hashes_under_one_id_are_shown(room: LogRoom) -> None:
    from saferoom.audit import ContractRef

    room.record("tax", "contract.activated", contract=ContractRef(CONTRACT.id, "cd" * 32))
    page = text_of(visitor(evidence_of(room)).get("/contracts").text)
    assert "≠ hashes differ" in page


def test_jobs_stand_side_by_side(client: TestClient) -> None:
    page = client.get("/job", params={"id": JOB}).text
    assert "matched <b>2</b>" in page
    assert "unmatched <b>1</b>" in page
    alone = text_of(client.get("/job", params={"id": JOB, "only": "unmatched"}).text)
    assert "bank → tax messages 4 to 6 · train" in alone
    assert "≠ unmatched missing · at fault: tax" in alone
    assert "align" not in alone.split("Who learnt what")[0]


def test_a_disclosure_stands_with_what_its_recipient_logged(client: TestClient) -> None:
    page = text_of(client.get("/job", params={"id": JOB}).text)
    assert re.search(r"Disclosure intersection → tax ✓ \d+ disclosed ✓ \d+ received ", page)


def test_the_comparison_of_all_logs_stands_on_the_first_page(client: TestClient) -> None:
    page = text_of(client.get("/").text)
    assert "What does not fit: 1." in page
    assert "≠ missing tax messages bank → tax, cut 1 (train) the job finished, and" in page
    assert "Two ends that hide what they said outside the relay leave no trace" in page


def test_logs_that_fit_are_said_to(room: LogRoom) -> None:
    page = text_of(visitor(evidence_of(room, "bank", "coordinator")).get("/").text)
    assert "✓ What can be compared fits. Logs: 2; jobs: 1; stretches of conversation: 3." in page
    assert "no log of tax was given" in page


def test_without_the_other_logs_nothing_is_compared(room: LogRoom) -> None:
    client = visitor(evidence_of(room, "bank"))
    page = client.get("/job", params={"id": JOB}).text
    assert "unmatched <b>0</b>" in page
    assert "not compared <b>3</b>" in page
    assert "nothing to compare it with" in text_of(client.get("/").text)


def test_transcripts_that_differ_are_unmatched(room: LogRoom) -> None:
    talk(room, "bank", "tax", 2, "release", {"session": JOB, "contract": CONTRACT}, lied_by="tax")
    page = text_of(visitor(evidence_of(room)).get("/job", params={"id": JOB, "only": "unmatched"}).text)
    assert "mismatched · at fault: tax it tells of other messages than the rest do" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 38),
        ({"log": "tax"}, 14),
        ({"outcome": "refused"}, 1),
        ({"type": "disclosure", "to": "bank"}, 2),
        ({"party": "coordinator"}, 8),
        ({"actor": "officer-tax"}, 1),
        ({"stage": "storage"}, 2),
        ({"dataset": "loans"}, 2),
        ({"purpose": "nothing"}, 0),
        ({"session": "5f5f"}, 26),
        ({"contract": "credit-2026"}, 33),
        ({"contract": "credit-2027"}, 0),
        ({"until": "2026-03-01"}, 0),
        ({"since": "2026-03-02", "until": "2026-03-02"}, 38),
        ({"since": "2026-03-02T08:00:03Z", "until": "2026-03-02T08:00:05Z"}, 2),
    ],
)
def test_search(client: TestClient, query: dict[str, str], count: int) -> None:
    page = client.get("/search", params=query)
    assert f"<b>{count} found</b>" in page.text
    assert page.text.count("badge proved") == count


def test_a_filtered_list_says_that_it_is_not_complete(client: TestClient) -> None:
    assert "does not prove" not in client.get("/search").text
    assert "does not prove that it is complete" in client.get("/search?type=disclosure").text


def test_one_entry_and_the_command_that_checks_it(client: TestClient, room: LogRoom) -> None:
    page = client.get("/entries/bank/2")
    data = dict(room.log("bank").entries(2, 3))[2]
    assert html.escape(data.decode(), quote=True).replace("&quot;", "&#34;") in page.text
    assert client.get("/entries/bank/2/bytes").content == data
    assert f"saferoom audit entry {room.path('bank')} 2 --key {room.keys['bank']}" in html.unescape(page.text)


@pytest.mark.parametrize(
    "path", ["/entries/bank/999", "/entries/bank/-1", "/contract?id=no", "/job?id=no", "/job", "/nowhere",
             "/lifecycle?contract=no", f"/entries/bank/{2**70}"]
)  # fmt: skip
def test_what_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


@pytest.mark.parametrize("path", ["/entries/nobody/1", "/search?since=yesterday", "/logs/nobody/checkpoint"])
def test_what_makes_no_sense(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert "Something is wrong" in answer.text


def test_the_newest_checkpoint_can_be_taken_home(client: TestClient, room: LogRoom) -> None:
    answer = client.get("/logs/tax/checkpoint")
    assert answer.text == room.log("tax").checkpoint()
    assert "tax-14.checkpoint" in answer.headers["content-disposition"]


def test_life_cycle_shows_six_stages(client: TestClient) -> None:
    answer = client.get("/lifecycle").text
    page = text_of(answer)
    stages = ["Collection", "Transfer", "Storage", "Use", "Sharing", "Destruction"]
    assert re.findall(r'class="step">\d</span><b>(\w+)</b>', answer) == stages
    assert "Destruction destruction The logs hold no entry of this stage" in page


def test_life_cycle_takes_in_data_sets_and_says_what_is_held(room: LogRoom) -> None:
    from saferoom.audit import DataObject, Deletion

    room.record("bank", "contract.approved", contract=CONTRACT, object=DataObject.of("loans"))
    for job, ends in (("aa" * 16, ("destruction.begun", "retention.destroyed")), ("bb" * 16, ())):
        in_job = {"contract": CONTRACT, "session": job}
        room.record("tax", "model.stored", reason="kept until 2026-03-01T00:00:00Z", **in_job)
        for end in ends:
            room.record("tax", end, deletion=Deletion("overwritten", "model"), **in_job)
    page = text_of(visitor(evidence_of(room)).get("/lifecycle", params={"contract": CONTRACT.id}).text)
    assert "1 Collection 1 " in page
    assert "tax aaaaaaaaaaaa" in page
    assert "✓ destroyed" in page
    assert "! overdue" in page


def test_exports(client: TestClient, room: LogRoom) -> None:
    whole = client.get("/export/log/bank").content
    assert whole == b"".join(data + b"\n" for _, data in room.log("bank").entries())
    first, *lines = client.get("/export/selection.jsonl?outcome=refused").text.splitlines()
    assert "not complete" in json.loads(first)["note"]
    assert [json.loads(line)["outcome"] for line in lines] == ["refused"]
    rows = list(csv.reader(io.StringIO(client.get("/export/selection.csv?outcome=refused").text)))
    assert "not complete" in rows[0][0]
    assert [row[rows[1].index("outcome")] for row in rows[2:]] == ["refused"]
    events = client.get("/export/selection.ocsf.jsonl?outcome=refused").text.splitlines()
    assert [json.loads(line)["status"] for line in events] == ["refused"]


def test_formulas_in_tables_are_harmless(room: LogRoom) -> None:
    room.record("bank", "job.failed", outcome="failed", reason="=1+1")
    table = visitor(evidence_of(room)).get("/export/selection.csv?outcome=failed").text
    assert "'=1+1" in table


def test_texts_of_entries_are_escaped(room: LogRoom) -> None:
    from saferoom.audit import ContractRef

    index = room.record("bank", "job.failed", outcome="failed", reason=HOSTILE, session=JOB,
                        contract=ContractRef(HOSTILE[:40]), purpose=HOSTILE)  # fmt: skip
    client = visitor(evidence_of(room))
    for path in [*PAGES, f"/entries/bank/{index}", "/search?outcome=failed", f"/search?purpose={HOSTILE}"]:
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;alert" in client.get(f"/entries/bank/{index}").text


def test_an_exported_folder_is_read_like_the_log(room: LogRoom, tmp_path: Path) -> None:
    export_folder(room.path("bank"), tmp_path / "bank-log")
    client = visitor(evidence_of(room))
    evidence = Evidence.open([tmp_path / "bank-log"], type(evidence_of(room).trust).of(room.keys.values()))
    evidence.verify_all()
    exported = visitor(evidence)
    for path in ("/entries/bank/7", "/entries/bank/0"):
        there = text_of(exported.get(path).text)
        assert "✓ proved" in there
        assert (
            re.findall(r"[0-9a-f]{64}", there)[-1]
            == re.findall(r"[0-9a-f]{64}", text_of(client.get(path).text))[-1]
        )


def test_a_live_log_grows_on_the_page(client: TestClient, room: LogRoom) -> None:
    index = room.record("bank", "auditor.read")
    assert "✓ proved" in text_of(client.get(f"/entries/bank/{index}").text)
    assert "1 more since the check" in text_of(client.get("/").text)


def test_a_file_that_is_no_log_is_shown_as_such(room: LogRoom, tmp_path: Path) -> None:
    (tmp_path / "other.db").write_bytes(b"no database")
    evidence = Evidence.open([room.path("bank"), tmp_path / "other.db"], evidence_of(room).trust)
    evidence.verify_all()
    page = text_of(visitor(evidence).get("/").text)
    assert "INVALID" in page
    assert "other" in page


def test_checking_again(client: TestClient, evidence: Evidence) -> None:
    answer = client.post("/check", headers={"origin": ORIGIN})
    assert answer.status_code == 200
    assert 'hx-get="/fragments/verdict"' in answer.text
    evidence.verify_all()
    assert "hx-get" not in client.get("/fragments/verdict").text


def test_the_chart_counts_entries(client: TestClient) -> None:
    chart = client.get("/chart").json()
    assert sum(chart["allowed"]) == 37
    assert sum(chart["refused"]) == 1
    assert len(chart["time"]) == len(chart["failed"])
