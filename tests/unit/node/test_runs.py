"""The coordinator's state machine of a job, event by event."""

from __future__ import annotations

import time

import pytest

from saferoom.ids import HELPER
from saferoom.jobs.problem import HEARSAY_S, Problem
from saferoom.node.daemons.runs import Run, Runs

PARTIES = ("bank", "tax", "utility")
BROKEN = Problem("ConfigError", "the content has changed", "tax", "load", "register it again")


class Port:
    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[tuple[str, str, Problem | None]] = []

    def start_run(self, run: Run) -> None:
        self.started.append(run.job_id)

    def end_run(self, run: Run, state: str, problem: Problem | None) -> None:
        self.ended.append((run.job_id, state, problem))


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
def begun_s() -> float:
    """Before anything happens: what is not due so long after this is not due yet, on any machine."""
    return time.monotonic()


@pytest.fixture
def runs(port: Port, begun_s: float) -> Runs:
    runs = Runs(port, offer_s=5.0, gone_s=10.0)
    runs.add(Run("j1", 1, "c1", "train", {}, PARTIES, begun_s))
    return runs


def accept_all(runs: Runs) -> None:
    for party in PARTIES:
        runs.reply("j1", party, None, {HELPER: b"sealed"})


def test_starts_only_when_all_have_accepted(runs: Runs, port: Port) -> None:
    runs.reply("j1", "bank", None, {})
    runs.reply("j1", "tax", None, {})
    assert port.started == []
    runs.reply("j1", "utility", None, {})
    assert port.started == ["j1"]


def test_one_refusal_ends_it_for_all(runs: Runs, port: Port) -> None:
    runs.reply("j1", "bank", None, {})
    runs.reply("j1", "tax", BROKEN, {})
    runs.reply("j1", "utility", None, {})
    assert port.started == []
    assert port.ended == [("j1", "refused", BROKEN)]


def test_finishes_when_every_part_and_the_helper_are_done(runs: Runs, port: Port) -> None:
    accept_all(runs)
    for endpoint in (*PARTIES, HELPER):
        assert port.ended == []
        runs.part_ended("j1", endpoint, None, {})
    assert port.ended == [("j1", "finished", None)]
    assert runs.under_way() == []


def test_one_failure_fails_it_and_later_words_change_nothing(runs: Runs, port: Port) -> None:
    accept_all(runs)
    runs.part_ended("j1", "bank", None, {})
    runs.part_ended("j1", "tax", BROKEN, {})
    runs.part_ended("j1", "utility", None, {})
    runs.part_ended("j1", HELPER, None, {})
    assert port.ended == [("j1", "failed", BROKEN)]


HEARSAY = Problem("PeerFailedError", "the job failed there", "tax", "train", "look there")


def test_hearsay_waits_for_the_cause(runs: Runs, port: Port) -> None:
    accept_all(runs)
    runs.part_ended("j1", "bank", HEARSAY, {})
    runs.part_ended("j1", HELPER, HEARSAY, {})
    assert port.ended == []
    runs.part_ended("j1", "tax", BROKEN, {})
    assert port.ended == [("j1", "failed", BROKEN)]


def test_hearsay_counts_when_no_cause_is_told(runs: Runs, port: Port, begun_s: float) -> None:
    accept_all(runs)
    runs.part_ended("j1", "bank", HEARSAY, {})
    runs.tick(begun_s + HEARSAY_S - 1)
    assert port.ended == []
    runs.tick(time.monotonic() + HEARSAY_S + 1)
    assert port.ended == [("j1", "failed", HEARSAY)]


def test_a_stranger_cannot_answer_or_end(runs: Runs, port: Port) -> None:
    runs.reply("j1", "mallory", None, {})
    runs.part_ended("j1", "mallory", BROKEN, {})
    runs.reply("j2", "bank", BROKEN, {})
    assert port.ended == [] and port.started == []


def test_an_unanswered_offer_names_the_silent_party(runs: Runs, port: Port, begun_s: float) -> None:
    runs.reply("j1", "bank", None, {})
    runs.reply("j1", "utility", None, {})
    runs.tick(begun_s + 4)
    assert port.ended == []
    runs.tick(time.monotonic() + 6)
    assert port.ended[0][1] == "failed"
    assert port.ended[0][2] is not None and port.ended[0][2].party == "tax"


def test_a_party_that_stays_away_fails_the_job(runs: Runs, port: Port, begun_s: float) -> None:
    accept_all(runs)
    runs.disconnected("tax")
    runs.tick(begun_s + 9)
    assert port.ended == []
    runs.tick(time.monotonic() + 11)
    problem = port.ended[0][2]
    assert problem is not None and problem.party == "tax" and "tax" in problem.remedy


def test_a_party_that_comes_back_with_its_job_goes_on(runs: Runs, port: Port, begun_s: float) -> None:
    accept_all(runs)
    runs.disconnected("tax")
    runs.connected("tax", {"j1"})
    runs.tick(begun_s + 60)
    assert port.ended == []


def test_a_party_that_comes_back_without_its_job_was_restarted(runs: Runs, port: Port) -> None:
    accept_all(runs)
    runs.connected("tax", set())
    assert port.ended[0][1] == "failed"


def test_a_part_that_is_done_survives_its_party_being_restarted(runs: Runs, port: Port) -> None:
    accept_all(runs)
    runs.part_ended("j1", "tax", None, {})
    runs.connected("tax", set())
    assert port.ended == []
