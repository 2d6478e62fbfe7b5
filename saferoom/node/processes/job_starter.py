"""The daemon's end of the forkserver: job processes on request, each with an id and an exit code."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

from saferoom.environment import without_secrets
from saferoom.link.pipe import Pipe

FORKSERVER = "saferoom.node.processes.forkserver"
"""The module that is run to fork jobs from."""
STATUS = struct.Struct(">i")
"""A process id or an exit code, as it goes through a status pipe."""
FORK_FAILED = -1
"""Stands where the process id would."""
START_S = 60.0
"""The first job waits until the forkserver has loaded its libraries; on a busy machine that takes a while."""
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Several jobs share a machine, and spinning threads of one starve the others; and who forks should run one
thread. The environment overrules."""


class JobProcess:
    """A process that is not our child: the forkserver tells of its end through a status pipe."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self._status = status
        self._lock = threading.Lock()
        self._code: int | None = None

    def kill(self) -> None:
        """End it now, if it has not ended."""
        with self._lock:
            if self._code is None and not _is_readable(self._status, 0):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal; -1 if nobody knows. Raises subprocess.TimeoutExpired."""
        if self._code is None and not _is_readable(self._status, timeout):
            raise subprocess.TimeoutExpired("job process", timeout or 0)
        with self._lock:
            if self._code is None:
                # The forkserver itself may have died: then the pipe has ended with the job, without a word.
                code = _read(self._status)
                self._code = -1 if code is None else code
                os.close(self._status)
            return self._code


class JobStarter:
    """Starts the forkserver with the first job, and again if it has died. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def start(self, pipe: Pipe) -> JobProcess:
        """A process that runs the job whose spec comes through `pipe`. Raises OSError if there is none."""
        with self._lock:
            if self._server is None or self._server.poll() is not None:
                self._launch()
            try:
                return self._ask(pipe)
            except BrokenPipeError:
                # It died since the last job: one fresh one is tried.
                self._launch()
                return self._ask(pipe)

    def stop(self) -> None:
        """End the forkserver; jobs that run go on."""
        with self._lock:
            if self._line is not None and self._server is not None:
                self._line.close()
                self._server.terminate()
                self._server.wait()
            self._line = self._server = None

    def _launch(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", FORKSERVER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**ONE_THREAD, **without_secrets(os.environ)},
                stdin=subprocess.DEVNULL,
            )

    def _ask(self, pipe: Pipe) -> JobProcess:
        if self._line is None:
            raise BrokenPipeError("there is no forkserver")
        ours, theirs = os.pipe()
        try:
            socket.send_fds(self._line, [b"J"], [pipe.fileno(), theirs])
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        pid = _read(ours) if _is_readable(ours, START_S) else FORK_FAILED
        if pid is not None and pid != FORK_FAILED:
            return JobProcess(pid, ours)
        os.close(ours)
        if pid is None:
            raise BrokenPipeError("the forkserver has died")
        raise OSError("the job's process could not be forked")


def _is_readable(descriptor: int, timeout_s: float | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else 1e3 * timeout_s))


def _read(status: int) -> int | None:
    """The next number; None at the end."""
    found = os.read(status, STATUS.size)
    return int(STATUS.unpack(found)[0]) if found else None
