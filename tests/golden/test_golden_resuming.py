"""Golden refusals of jobs that want to go on from a checkpoint which is not, or no more, what they need.

    files/failures/resuming.json    by what is wrong with one party's checkpoint

How the files are written anew: see `test_golden_contracts.py`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from tests.golden.jobs import STOPPED, Jobs
from tests.golden.room import play_golden
from tests.golden.seen import named
from tests.golden.store import Golden

_DIGEST_BYTES = 64

HEADS: dict[str, dict[str, Any]] = {
    "of another contract": {"contract": "another"},
    "of other data": {"data_version": "sha256:" + "0" * 64},
    "of another party": {"party": "bank"},
    "of other rows in common": {"aligned": "0" * 64},
    "of another split": {"trained": "0" * 64},
    "of other bins": {"columns": {}},
    "of another version": {"version": 2},
}
DAMAGES = ("head", "rows", "tree-00001")


def test_checkpoints_that_cannot_be_gone_on_from(golden: Golden, jobs: Jobs) -> None:
    folder = jobs.nodes.homes["tax"].checkpoint(jobs.trained(STOPPED).played.job_id)
    kept = folder.with_name("kept")
    shutil.copytree(folder, kept)
    found = {}
    for name, changes in HEADS.items():
        _change_head(folder / "head", changes)
        found[name] = _ended(jobs, name)
        shutil.copy(kept / "head", folder / "head")
    for name in DAMAGES:
        (folder / name).write_bytes((kept / name).read_bytes()[:-1])
        found[f"{name} is damaged"] = _ended(jobs, f"{name} is damaged")
        shutil.copy(kept / name, folder / name)
    shutil.rmtree(kept)
    golden.holds("failures/resuming.json", found)


def _change_head(file: Path, changes: dict[str, Any]) -> None:
    """As whoever could write the party's files might."""
    content = json.dumps(json.loads(file.read_bytes()[:-_DIGEST_BYTES]) | changes).encode()
    file.write_bytes(content + hashlib.sha256(content).hexdigest().encode())


def _ended(jobs: Jobs, name: str) -> str:
    stopped = jobs.trained(STOPPED)
    params = {"resume": stopped.played.job_id}
    error = play_golden(jobs.nodes, name, stopped.contract, params=params).played.error
    return f"{type(error).__name__}: {named(str(error), jobs.ids())}"
