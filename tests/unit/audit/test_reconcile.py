"""What one log changes or delays, the others name, and by whom. What it leaves out: see tests/adversary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from saferoom.audit.reconcile.logs import reconcile
from saferoom.errors import UsageError
from saferoom.ids import COORDINATOR, HELPER
from tests.paper_logs import (
    JOB,
    PARTIES,
    PHASES,
    PaperRoom,
    blamed,
    broken_job,
    compared,
    finished_job,
    invented,
    only,
)

HONEST = finished_job()


def test_honest_logs_fit_and_every_flow_is_matched_three_times() -> None:
    found = compared(HONEST)
    assert found.ok and not found.notes and found.exit_code() == 0
    assert len(found.flows) == 6 * len(PHASES)
    for flow in found.flows:
        assert flow.state == "matched" and flow.sent and flow.received and flow.relayed
        assert flow.messages == (3 * flow.cut + 1, 3 * flow.cut + 3)
        assert flow.phase == PHASES[flow.cut]


@pytest.mark.parametrize("word", ["messages", "transcript", "bytes_bucket"])
@pytest.mark.parametrize(
    ("node", "type_", "direction", "by"),
    [
        ("bank", "transcript", "sent", "bank"),
        (COORDINATOR, "relay.envelope", "relayed", COORDINATOR),
    ],
)
def test_who_tells_of_other_messages_is_named(
    node: str, type_: str, direction: str, by: str, word: str
) -> None:
    room = HONEST.copy()
    log = room.logs[node]
    peer = {"direction": direction} | (
        {"org": "bank", "to": "tax"} if node == COORDINATOR else {"org": "tax"}
    )
    event = log.events[log.at(type_, **peer)]
    event["peer"][word] = {"messages": 7, "transcript": "ab" * 32, "bytes_bucket": "10-99"}[word]
    finding = only(compared(room))
    assert (finding.kind, finding.by) == ("mismatched", by)
    assert finding.what == "messages bank → tax, cut 0 (align)"


def test_without_contracts_receipts_are_not_checked_and_that_is_said() -> None:
    found = reconcile(invented(HONEST.copy(), "tax").all())
    assert blamed(found) == {("missing", "tax")}
    assert any("receipts were not checked" in note for note in found.notes)


def test_two_ends_alone_cannot_tell_who_lies() -> None:
    room = HONEST.copy()
    room.logs["tax"].events.pop(room.logs["tax"].at("transcript", direction="received", org="bank"))
    finding = only(compared(room, *PARTIES))
    assert (finding.kind, finding.by) == ("missing", "bank or tax")


def test_what_only_a_missing_log_could_show_is_a_note() -> None:
    found = compared(HONEST, *PARTIES)
    assert found.ok
    assert found.notes == ("no log of helper was given to compare with",)
    assert {flow.state for flow in found.flows if HELPER in (flow.sender, flow.receiver)} == {"not compared"}


def delay(event: dict[str, Any], minutes: int) -> None:
    event["time"] = event["time"].replace("T08:0", f"T08:{minutes // 10}")


@pytest.mark.parametrize(
    ("type_", "peer"), [("transcript", {"direction": "sent", "org": "tax"}), ("disclosure", {})]
)
def test_what_is_written_after_others_had_it_is_late(type_: str, peer: dict[str, Any]) -> None:
    room = HONEST.copy()
    log = room.logs["bank"]
    index = next(
        index
        for index, event in enumerate(log.events)
        if event["type"] == type_
        and peer.items() <= event.get("peer", {}).items()
        and event.get("disclosure", {"to": "tax"})["to"] == "tax"
    )
    delay(log.events[index], 50)
    finding = only(compared(room))
    assert (finding.kind, finding.by) == ("late", "bank")
    assert not compared(room, patience_s=7200).findings


def test_a_disclosure_behind_the_last_word_is_late_whatever_its_clock_says() -> None:
    room = HONEST.copy()
    events = room.logs["bank"].events
    index = next(
        i for i, e in enumerate(events) if e["type"] == "disclosure" and e["disclosure"]["to"] == "tax"
    )
    events.append(events.pop(index))
    assert blamed(compared(room)) == {("late", "bank")}


def change(room: PaperRoom, node: str, type_: str, **fields: Any) -> PaperRoom:
    log = room.logs[node]
    log.events[log.at(type_)] |= fields
    return room


@pytest.mark.parametrize(
    ("bend", "finding"),
    [
        (
            lambda room: change(room, "tax", "psi.done", object={"rows_bucket": "10-99"}),
            ("mismatched", "bank or tax"),
        ),
        (
            lambda room: change(room, "tax", "job.finished", type="job.failed", outcome="failed"),
            ("mismatched", "tax"),
        ),
        (
            lambda room: change(
                room,
                "bank",
                "disclosure",
                disclosure={"kind": "labels", "to": "tax", "protocol": "align/split"},
            ),
            ("missing", "bank"),
        ),
    ],
)
def test_other_things_that_do_not_fit(
    bend: Callable[[PaperRoom], PaperRoom], finding: tuple[str, str]
) -> None:
    assert finding in blamed(compared(bend(HONEST.copy())))


def test_a_job_that_broke_off_leaves_notes_and_no_findings() -> None:
    found = compared(broken_job())
    assert found.ok and found.notes


def test_a_broken_job_still_shows_what_was_left_out_before() -> None:
    room = broken_job()
    room.logs["bank"].events.pop(room.logs["bank"].at("transcript", direction="sent", org="tax"))
    assert blamed(compared(room)) == {("missing", "bank")}


def test_a_started_job_without_an_end_is_named() -> None:
    room = broken_job()
    room.logs["tax"].events = [e for e in room.logs["tax"].events if e["type"] != "job.failed"]
    assert blamed(compared(room)) == {("missing", "tax")}


def test_the_same_cut_twice_is_named() -> None:
    room = HONEST.copy()
    log = room.logs["bank"]
    log.events.append(log.events[log.at("transcript", direction="sent", org="tax")])
    assert blamed(compared(room)) == {("mismatched", "bank")}


def test_one_job_alone_and_none() -> None:
    assert compared(HONEST, job=JOB[:8]).jobs == 1
    assert compared(HONEST, job="ff").jobs == 0


def test_a_log_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="given twice"):
        compared(HONEST, "bank", "bank")


def test_as_plain_values() -> None:
    room = HONEST.copy()
    room.logs["bank"].events.pop(room.logs["bank"].at("job.accepted"))
    plain = compared(room).to_dict()
    assert plain["ok"] is False and plain["findings"][0]["by"] == "bank"
    assert compared(room).exit_code() == 13
