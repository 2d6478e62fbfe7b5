"""The forkserver: one process that loads once, from which each job is forked."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from saferoom.link.pipe import Pipe
from saferoom.node.processes.job_starter import JobProcess, JobStarter
from tests.waiting import LIMIT_S, until


@pytest.fixture(scope="module")
def starter() -> Iterator[JobStarter]:
    starter = JobStarter()
    yield starter
    starter.stop()


def start(starter: JobStarter) -> tuple[JobProcess, Pipe]:
    """A job that waits for its spec. It ends when our end of its pipe does."""
    ours, theirs = Pipe.pair()
    process = starter.start(theirs)
    theirs.close_fd()
    return process, ours


def server_of(job: JobProcess) -> psutil.Process:
    """The process that a job, which still runs, was forked from."""
    server = psutil.Process(job.pid).parent()
    assert server is not None
    return server


def test_jobs_are_forked_from_one_process_and_end_each_by_itself(starter: JobStarter) -> None:
    (first, first_pipe), (second, second_pipe) = start(starter), start(starter)
    server = server_of(first)
    assert {child.pid for child in server.children()} == {first.pid, second.pid}
    first_pipe.close()
    assert first.wait(LIMIT_S) == 1
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.1)
    second_pipe.close()
    assert second.wait(LIMIT_S) == 1 and second.wait(LIMIT_S) == 1
    until(lambda: not server.children())


def test_a_job_that_is_killed(starter: JobStarter) -> None:
    process, pipe = start(starter)
    process.kill()
    assert process.wait(LIMIT_S) == -signal.SIGKILL
    process.kill()
    pipe.close()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_the_forkserver_runs_one_thread_and_has_neither_grpc_nor_scikit_learn(starter: JobStarter) -> None:
    """Whoever forks a process with threads risks a child that hangs; a label holder alone needs the other."""
    job, pipe = start(starter)
    server = Path(f"/proc/{server_of(job).pid}")
    pipe.close()
    assert len(list((server / "task").iterdir())) == 1
    assert "numpy" in (server / "maps").read_text("utf-8")
    assert not re.search("grpc|sklearn", (server / "maps").read_text("utf-8"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_job_holds_no_descriptor_of_another(starter: JobStarter) -> None:
    (first, first_pipe), (second, second_pipe) = start(starter), start(starter)
    for job in (first, second):  # its pipe to the daemon, and the pipe that tells its end
        until(lambda job=job: len(_descriptors(job.pid)) == 2)
    assert not _descriptors(first.pid) & _descriptors(second.pid)
    first_pipe.close()
    second_pipe.close()


def _descriptors(pid: int) -> set[str]:
    """What a process has open besides its standard streams."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found |= {str(path.readlink())} if int(path.name) > 2 else set()
    return found


def test_a_forkserver_that_dies_ends_no_job_and_the_next_job_has_a_new_one() -> None:
    starter = JobStarter()
    old, old_pipe = start(starter)
    dead = server_of(old)
    dead.kill()
    new, new_pipe = start(starter)
    assert server_of(new).pid != dead.pid
    with pytest.raises(subprocess.TimeoutExpired):
        old.wait(0.1)
    old.kill()
    assert old.wait(LIMIT_S) == -1
    starter.stop()
    with pytest.raises(subprocess.TimeoutExpired):
        new.wait(0.1)
    new_pipe.close()
    assert new.wait(LIMIT_S) == -1
    old_pipe.close()
