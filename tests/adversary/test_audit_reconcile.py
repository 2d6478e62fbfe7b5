"""A party that leaves out what it sent, or invents what it got, is named by the other logs."""

from __future__ import annotations

import pytest

from saferoom.ids import COORDINATOR, HELPER
from tests.paper_logs import PARTIES, blamed, compared, finished_job, invented, only

HONEST = finished_job()
ENTRIES = [
    pytest.param(log.node, index, id=f"{log.node}-{index}-{event['type']}")
    for log in HONEST.all()
    for index, event in enumerate(log.events)
]


@pytest.mark.parametrize(("node", "index"), ENTRIES)
def test_each_entry_that_its_owner_leaves_out_is_named(node: str, index: int) -> None:
    """Every kind of entry in turn, in every log, the log's owner alone being at fault."""
    room = HONEST.copy()
    dropped = room.logs[node].events.pop(index)
    finding = only(compared(room))
    at_fault = HELPER if dropped["actor"]["org"] == HELPER else node
    assert (finding.kind, finding.by) == ("missing", at_fault)
    assert finding.entries, "another log's entry shows it"
    # The helper's entries stand in the coordinator's log.
    assert node == COORDINATOR or all(origin != f"saferoom/{node}" for origin, _ in finding.entries)


@pytest.mark.parametrize("word", ["messages", "transcript"])
def test_a_receiver_that_changes_what_it_got_has_no_receipt_for_it(word: str) -> None:
    room = HONEST.copy()
    log = room.logs["tax"]
    peer = log.events[log.at("transcript", direction="received", org="bank")]["peer"]
    peer[word] = {"messages": 7, "transcript": "ab" * 32}[word]
    assert blamed(compared(room)) == {("forged", "tax"), ("mismatched", "tax")}


def test_an_invented_receipt_is_forged_whoever_else_is_asked() -> None:
    for nodes in ((), PARTIES):
        found = compared(invented(HONEST.copy(), "tax"), *nodes)
        assert blamed(found) == {("forged", "tax"), ("missing", "tax")}


def test_a_true_receipt_shows_what_its_signer_left_out() -> None:
    """Even where the relay is in league with the sender."""
    found = compared(invented(HONEST.copy(), "bank"), *PARTIES)
    assert blamed(found) == {("missing", "bank")}
