"""The processes under a node's daemon: the forkserver, and the jobs that were forked from it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.waiting import until

MODULE = "saferoom.node.processes.forkserver"


def forkserver(daemon: int) -> psutil.Process:
    """The forkserver of the daemon with this process id; it is there from the node's first job on."""
    (child,) = [child for child in psutil.Process(daemon).children() if MODULE in child.cmdline()]
    return child


def job_process(daemon: int) -> psutil.Process:
    """A job's process, once it runs."""
    return until(lambda: forkserver(daemon).children(), "a job's process")[0]


@contextmanager
def no_new_jobs(daemon: int) -> Iterator[None]:
    """The node starts no job process meanwhile: jobs that need it begin, and do not end."""
    server = forkserver(daemon)
    server.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.send_signal(signal.SIGCONT)
