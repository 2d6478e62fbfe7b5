"""What `saferoom job show` says to a person of a job that failed."""

from __future__ import annotations

from typing import Any

from saferoom.cli.job_commands import _job_lines

FAILED: dict[str, Any] = {
    "id": "3f" * 16,
    "contract_id": "credit-2025-q1",
    "kind": "train",
    "state": "failed",
    "created": 1.7e9,
    "ended": 1.7e9 + 5,
    "problem": {"message": "the party's node was restarted", "party": "tax", "step": "train", "remedy": "x"},
    "summary": None,
}


def words(job: dict[str, Any]) -> dict[str, str]:
    pairs = (line.strip().split("  ", 1) for line in _job_lines(job))
    return dict(pairs)  # type: ignore[arg-type]


def test_how_to_go_on_stands_beside_the_problem() -> None:
    kept = {"trees": 12, "bytes": 1000, "kept_until": "2026-12-26T00:00:00+00:00"}
    found = words({**FAILED, "checkpoint": kept})
    assert found["problem"] == "the party's node was restarted"
    assert found["checkpoint"] == "12 trees, kept until 2026-12-26"
    assert found["go on with"] == f"saferoom job submit credit-2025-q1 --resume {FAILED['id']}"


def test_nothing_of_it_without_a_checkpoint() -> None:
    assert {"checkpoint", "go on with"}.isdisjoint(words(FAILED))
