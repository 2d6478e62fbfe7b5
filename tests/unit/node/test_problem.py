"""Every problem names a party, a step and a remedy, and crosses the wire unchanged."""

from __future__ import annotations

import pytest

from saferoom.errors import PeerError, RefusedError, SafeRoomError, StorageError
from saferoom.jobs.problem import Problem


@pytest.mark.parametrize(
    "error", [PeerError("gone"), RefusedError("no", step="align"), StorageError("full"), KeyError("secret")]
)
def test_nothing_is_left_open(error: Exception) -> None:
    problem = Problem.of(error, party="tax")
    assert problem.party == "tax"
    assert problem.step and problem.remedy and problem.message
    assert "secret" not in str(problem)


def test_what_the_error_says_itself_counts() -> None:
    error = PeerError("late", party="bank", step="train/pass=3", remedy="start its node")
    problem = Problem.of(error, party="tax", step="train")
    assert (problem.party, problem.step, problem.remedy) == ("bank", "train/pass=3", "start its node")


def test_where_no_step_is_known_the_phase_of_the_job_stands_in() -> None:
    unknown, known = Problem.of(PeerError("gone"), party="tax"), Problem("PeerError", "gone", "tax", "align")
    assert unknown.at("train").step == "train"
    assert unknown.at("") == unknown
    assert known.at("train") == known


def test_wire_and_back() -> None:
    problem = Problem.of(RefusedError("the contract expired", party="tax", step="offer"), party="bank")
    again = Problem.from_wire(problem.to_wire())
    assert again == problem
    assert isinstance(again.to_error(), RefusedError)


def test_an_error_of_a_newer_version_is_still_an_error_of_ours() -> None:
    error = Problem("QuantumError", "too entangled", "tax", "train", "wait").to_error()
    assert type(error) is SafeRoomError
    assert error.party == "tax"
