"""Golden jobs: what every role says in a job, in which phases, what it counts, and what its node logs.

    files/jobs/….json    transcript by sender and receivers; phases, facts, rounds and log entries by role

Order counts between two endpoints, not across pairs: each role is a thread. How the files are written anew:
see `test_golden_contracts.py`.
"""

from __future__ import annotations

import pytest

from tests.golden.jobs import SCORINGS, STOPPED, TRAININGS, Jobs
from tests.golden.room import Job
from tests.golden.seen import roles, transcript
from tests.golden.store import Golden


@pytest.mark.parametrize("name", [name for name in TRAININGS if name != STOPPED])
def test_training(golden: Golden, jobs: Jobs, name: str) -> None:
    holds(golden, jobs, jobs.trained(name))


@pytest.mark.parametrize("name", SCORINGS)
def test_scoring(golden: Golden, jobs: Jobs, name: str) -> None:
    holds(golden, jobs, jobs.scored(name))


def holds(golden: Golden, jobs: Jobs, job: Job) -> None:
    found = {"said": transcript(job), "roles": roles(jobs.nodes, job, jobs.ids())}
    golden.holds(f"jobs/{job.name}.json", found)
