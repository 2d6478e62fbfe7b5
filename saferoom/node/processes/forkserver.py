"""The process that jobs are forked from: `python -m saferoom.node.processes.forkserver FD`.

A daemon starts it.

    daemon ── the job's pipe, a status pipe ──> forkserver ── fork ──> job process
           <── process id, then exit code ────── (status pipe)

It has loaded what a job needs, which takes a second of processor time, and forks in milliseconds. It is
started afresh, not forked, and so holds no key, no data and no gRPC; it runs one thread. Nothing that a job
draws comes from it: keys and seeds are drawn by the operating system in the job itself.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import traceback

# What tasks load late, where it is needed: here it is loaded once for all jobs.
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet  # noqa: F401

from saferoom.node.processes import job_process
from saferoom.node.processes.job_starter import FORK_FAILED, STATUS
from saferoom.tasks.registry import load_all


def main(file_descriptor: int) -> int:
    """Fork a job for each pair of descriptors that comes, until the daemon's end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    load_all()
    # What is loaded stays for ever; a collection that touched it would copy it in every job.
    gc.freeze()
    jobs: dict[int, int] = {}
    with socket.socket(fileno=file_descriptor) as daemon:
        while True:
            ready, _, _ = select.select([daemon.fileno(), woken], [], [])
            if woken in ready:
                os.read(woken, 1 << 16)
                _report_ended(jobs)
            if daemon.fileno() in ready:
                _, passed, _, _ = socket.recv_fds(daemon, 1, 2)
                if len(passed) != 2:
                    # The daemon is gone. Its jobs see the end of their own pipes.
                    return 0
                _fork(jobs, passed[0], passed[1], (daemon.fileno(), woken, wake))


def _fork(jobs: dict[int, int], pipe: int, status: int, others: tuple[int, ...]) -> None:
    try:
        process = os.fork()
    except OSError:
        process = FORK_FAILED
    if process == 0:
        # `status` stays open in the job: its end is seen even if the forkserver itself has died.
        for unwanted in (*others, *jobs.values()):
            os.close(unwanted)
        _be_job(pipe)
    os.close(pipe)
    _tell(status, process)
    if process == FORK_FAILED:
        os.close(status)
    else:
        jobs[process] = status


def _be_job(pipe: int) -> None:
    """Never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = job_process.main(pipe)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _report_ended(jobs: dict[int, int]) -> None:
    while jobs:
        process, how = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        status = jobs.pop(process)
        _tell(status, os.waitstatus_to_exitcode(how))
        os.close(status)


def _tell(status: int, number: int) -> None:
    # The daemon may no longer want to know.
    with contextlib.suppress(BrokenPipeError):
        os.write(status, STATUS.pack(number))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
