"""Entries checked by two processes: the findings of one, in order, whatever becomes of the second."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from saferoom.audit.entries.entry_check import MINE, THEIRS, Checked, Helper, Row, check_entries, check_entry
from saferoom.audit.formats.canonical import encode

GOOD = {
    "v": 1,
    "event_id": "0" * 32,
    "type": "node.started",
    "stage": "use",
    "outcome": "allowed",
    "time": "2026-01-31T08:00:00.000Z",
    "node": "bank",
    "software": "saferoom",
}
SIZE = 2 * (MINE + THEIRS) + 5


def rows() -> Iterator[Row]:
    """A long row of entries, some of them bad: at both ends of what either process checks."""
    for number in range(SIZE):
        event = GOOD | {"event_id": f"{number:032x}"}
        if number % 3 == 0:
            event["session"] = {"id": "s", "seq": number, "prev_hash": "0" * 64}
        data = encode(event)
        yield number, {7: b"\xff", MINE - 1: b"{}", MINE: b"[]", MINE + THEIRS: b"{ }"}.get(number, data)


@pytest.fixture(scope="module")
def alone() -> list[tuple[Row, Checked]]:
    return list(check_entries(rows(), alone=SIZE))


def test_an_entry_is_checked_by_its_bytes() -> None:
    assert check_entry(encode(GOOD)) == Checked("", GOOD["time"])
    for data in (b"\xff", b"{}", encode(GOOD | {"more": 1}), encode(GOOD) + b" "):
        assert check_entry(data).fault


@pytest.mark.parametrize("first", [0, 1, SIZE - 1])
def test_two_processes_find_what_one_finds(alone: list[tuple[Row, Checked]], first: int) -> None:
    assert list(check_entries(rows(), alone=first)) == alone
    assert sum(bool(checked.fault) for _, checked in alone) == 4


def test_a_second_process_that_dies_is_done_without(
    alone: list[tuple[Row, Checked]], monkeypatch: pytest.MonkeyPatch
) -> None:
    received = Helper.receive

    def killed(helper: Helper) -> list[Checked]:
        if helper._process is not None:
            helper._process.kill()
            helper._process.wait()
        return received(helper)

    monkeypatch.setattr(Helper, "receive", killed)
    found = list(check_entries(rows(), alone=0))
    assert found == alone


def test_where_there_is_no_second_process_it_is_done_here(
    alone: list[tuple[Row, Checked]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_args: object, **_more: object) -> None:
        raise OSError

    monkeypatch.setattr(subprocess, "Popen", none)
    assert list(check_entries(rows(), alone=0)) == alone
