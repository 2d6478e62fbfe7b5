"""Golden models: every file that parties keep of a job, its keys in their order, its values.

    files/models/….json       by party: model.json, scorecard.json, metrics.json, scores.csv, …
    files/checkpoints/….json  by party: what is kept of growing trees

Numbers written "0.1234 ± 0.002" hold the noise of masks; all others are exact. How the files are written
anew: see `test_golden_contracts.py`.
"""

from __future__ import annotations

import pytest

from tests.golden.jobs import SCORINGS, STOPPED, TRAININGS, Jobs
from tests.golden.kept import checkpoint_of, folder_of, noise_of
from tests.golden.room import Job
from tests.golden.store import Golden

CHECKPOINTED = [name for name, training in TRAININGS.items() if training.kind == "boosting"]


@pytest.mark.parametrize("name", [name for name in TRAININGS if name != STOPPED])
def test_models(golden: Golden, jobs: Jobs, name: str) -> None:
    holds(golden, jobs, jobs.trained(name))


@pytest.mark.parametrize("name", SCORINGS)
def test_scores(golden: Golden, jobs: Jobs, name: str) -> None:
    holds(golden, jobs, jobs.scored(name))


@pytest.mark.parametrize("name", CHECKPOINTED)
def test_checkpoints(golden: Golden, jobs: Jobs, name: str) -> None:
    job = jobs.trained(name)
    found = {
        party: checkpoint_of(jobs.nodes.homes[party].checkpoint(job.played.job_id), jobs.ids())
        for party in job.contract.parties
    }
    golden.holds(f"checkpoints/{name}.json", found)


def test_a_job_that_was_stopped_leaves_no_model(jobs: Jobs) -> None:
    job = jobs.trained(STOPPED)
    for party in job.contract.parties:
        assert not jobs.nodes.homes[party].model(job.played.job_id).exists()


def holds(golden: Golden, jobs: Jobs, job: Job) -> None:
    found = {}
    for party in job.contract.parties:
        noise = noise_of(job.contract.task.kind, is_label_holder=party == job.contract.label_holder)
        folder = jobs.nodes.homes[party].model(job.played.job_id)
        found[party] = folder_of(folder, jobs.ids(), noise)
    golden.holds(f"models/{job.name}.json", found)
