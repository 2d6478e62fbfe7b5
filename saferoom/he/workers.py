"""Worker processes that stay: big-number arithmetic holds Python's lock, so only processes use all cores.

They are programs of their own, not forks: nothing of the parent is in them but what they are sent.
Messages are a JSON line and buffers over a pipe; a worker whose parent is gone ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Self

from saferoom.errors import ProtocolError, error_by_name
from saferoom.he.key_files import private_to_json, public_to_json
from saferoom.he.keys import PrivateKey, PublicKey
from saferoom.he.work import Header, Parts, Work

END_S = 5.0


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Process:
    """One worker process and the pipe to it."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        command = [sys.executable, "-m", "saferoom.he.worker", str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def do(self, task: str, header: Header, parts: Parts) -> list[bytes]:
        try:
            send_message(self._pipe, [task, header], parts)
            head, found = receive_message(self._pipe)
        except (EOFError, OSError) as broken:
            raise ProtocolError(
                "a worker process of the encryption ended",
                remedy="see whether the machine ran out of memory, and start the job again",
            ) from broken
        error, text = map(str, head)
        if error:
            raise error_by_name(error)(text)
        return found

    def close(self) -> None:
        self._pipe.close()
        try:
            self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Workers:
    """A set of workers, started when first needed; one a core, or with `processes=0` one in this process.

    Use it in a `with` block, or close it.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = cores() if processes is None else processes
        self._workers: list[_Process | Work] = []
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="he")
        self._running: list[Future[list[bytes]]] = []
        self._given: PublicKey | PrivateKey | None = None

    @property
    def count(self) -> int:
        return max(self._processes, 1)

    def use(self, key: PublicKey | PrivateKey) -> None:
        """Give every worker the key, unless it has it."""
        if key is self._given:
            return
        private = isinstance(key, PrivateKey)
        text = private_to_json(key) if isinstance(key, PrivateKey) else public_to_json(key)
        self.do("take_private" if private else "take_public", [({}, [text.encode()])] * self.count)
        self._given = key

    def start(self, task: str, shares: Sequence[tuple[Header, Parts]]) -> list[Future[list[bytes]]]:
        """Have each worker do the task on its share. What was started before ends first."""
        wait(self._running)
        if not self._workers:
            self._workers = [_Process() for _ in range(self._processes)] or [Work()]
        pairs = zip(self._workers, shares, strict=True)
        self._running = [self._threads.submit(worker.do, task, *share) for worker, share in pairs]
        return self._running

    def do(self, task: str, shares: Sequence[tuple[Header, Parts]]) -> list[list[bytes]]:
        """As `start`, and wait: each worker's answer, in order."""
        return gathered(self.start(task, shares))

    def close(self) -> None:
        self._threads.shutdown()
        for worker in self._workers:
            if isinstance(worker, _Process):
                worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def gathered(running: Sequence[Future[list[bytes]]]) -> list[list[bytes]]:
    """All answers, once all have come; or the first error."""
    wait(running)
    return [future.result() for future in running]


def send_message(pipe: Connection, head: list[object], parts: Parts) -> None:
    pipe.send_bytes(json.dumps([*head, len(parts)]).encode())
    for part in parts:
        pipe.send_bytes(part)


def receive_message(pipe: Connection) -> tuple[list[object], list[bytes]]:
    *head, count = json.loads(pipe.recv_bytes())
    return head, [pipe.recv_bytes() for _ in range(count)]
