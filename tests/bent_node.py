"""A node that tests watch or bend: `python tests/bent_node.py party up --home HOME`, like `saferoom`.

`--tap FOLDER` before the rest writes there, outside all homes, what job processes were given, and at the
coordinator every frame that crosses the relay; and it turns the debug log on.

`--clock FILE` before the rest makes the node's clock as many days fast as the file says, from moment to
moment; and while FILE.die exists the node kills itself between logging a destruction and carrying it out.

`bend.txt` in the home, if there when the node starts, is read whenever a job process starts: "<how> <peer>
<step>" makes it misbehave towards a peer, see HOW; "loud" turns its debug log on; "" leaves it as it is.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from saferoom import cli
from saferoom.channel.codec import decode, encode
from saferoom.jobs.spec import JobSpec
from saferoom.link.job.joblink import JobLink
from saferoom.link.pipe import Pipe
from saferoom.link.relay.service import RelayService
from saferoom.node.core import Core
from saferoom.node.daemons import serve
from saferoom.node.processes import job_process
from saferoom.node.processes.hub import JobHub
from saferoom.node.processes.job_starter import JobProcess, JobStarter
from saferoom.node.retention.destroyer import Destroyer

Message = Sequence[Any]
BEND, LOUD = "bend.txt", "loud"


def _garbage(_label: str, _tensors: list[Any], message: Message) -> list[Message]:
    return [[os.urandom(len(b"".join(message)))]]


def _nothing(_label: str, _tensors: list[Any], _message: Message) -> list[Message]:
    return [[b""]]


def _too_large(label: str, tensors: list[Any], _message: Message) -> list[Message]:
    return [encode(label, [np.concatenate([tensor, tensor]) for tensor in tensors])]


def _enormous(label: str, tensors: list[Any], _message: Message) -> list[Message]:
    return [encode(label, [np.zeros(6_000_000, dtype=tensor.dtype) for tensor in tensors])]


def _boastful(label: str, tensors: list[Any], message: Message) -> list[Message]:
    """Says that 2**60 elements follow."""
    whole = bytearray(b"".join(message))
    at = 2 + len(label.encode()) + 3
    whole[at : at + 8] = (1 << 60).to_bytes(8, "big")
    return [[bytes(whole)]]


def _twice(_label: str, _tensors: list[Any], message: Message) -> list[Message]:
    return [message, message]


def _late(_label: str, _tensors: list[Any], _message: Message) -> list[Message]:
    """Held back; it follows the next one."""
    return []


HOW: dict[str, Callable[[str, list[Any], Message], list[Message]]] = {
    "garbage": _garbage,
    "nothing": _nothing,
    "too-large": _too_large,
    "enormous": _enormous,
    "boastful": _boastful,
    "twice": _twice,
    "late": _late,
}


class BentLink(JobLink):
    """Misbehaves once, with the first message to a peer whose step ends as said; then goes on as before."""

    bend: tuple[str, ...] = ()
    held: Message | None = None

    def send(self, to: str, parts: Message) -> None:
        for each in self._bent(to, [bytes(part) for part in parts]):
            super().send(to, each)

    def _bent(self, to: str, message: Message) -> list[Message]:
        if self.held is not None and to == self.held[0]:
            held, self.held = self.held[1:], None
            return [message, held]
        label, tensors = decode(b"".join(message))
        if not self.bend or to != self.bend[1] or not label.endswith(self.bend[2]):
            return [message]
        how, self.bend = HOW[self.bend[0]], ()
        sent = how(label, tensors, message)
        if not sent:
            self.held = [to, *message]
        return sent


def _run_job(file_descriptor: int, bend: str) -> int:
    if bend == LOUD:
        logging.basicConfig(level=logging.DEBUG)
    elif bend:
        BentLink.bend = tuple(bend.split())
        job_process.JobLink = BentLink  # type: ignore[attr-defined]
    return job_process.main(file_descriptor)


def _bend_jobs(home: Path) -> None:
    honest = JobStarter.start

    def start(starter: JobStarter, pipe: Pipe) -> JobProcess | subprocess.Popen[bytes]:
        number, bend = pipe.fileno(), (home / BEND).read_text("utf-8").strip()
        if not bend:
            return honest(starter, pipe)
        command = [sys.executable, __file__, "job", str(number), bend]
        return subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL)

    JobStarter.start = start  # type: ignore[method-assign, assignment]


def _command_line(process: int) -> str:
    """The arguments of a process that has just been started: empty until the kernel has put them there."""
    deadline = time.monotonic() + 5
    while not (text := Path(f"/proc/{process}/cmdline").read_text("utf-8")) and time.monotonic() < deadline:
        time.sleep(0.001)
    return text


def _tap(home: Path, folder: Path) -> None:
    """Write what job processes were given and what the relay saw where the test can read it."""
    start, route, lock = JobHub.start, RelayService.route, threading.Lock()
    frames = (folder / f"{home.name}.frames").open("ab", buffering=0)

    def starting(self: JobHub, spec: JobSpec) -> None:
        start(self, spec)
        process = self._jobs[spec.job_id].process.pid
        seen = {
            "keys": spec.keys,
            "argv": _command_line(process),
            "environment": Path(f"/proc/{process}/environ").read_text("utf-8"),
        }
        (folder / f"{home.name}-{spec.job_id}.json").write_text(json.dumps(seen), encoding="utf-8")

    def routing(self: RelayService, sender: Any, frame: bytes) -> None:
        with lock:
            frames.write(len(frame).to_bytes(4, "big") + bytes(frame))
        route(self, sender, frame)

    JobHub.start = starting  # type: ignore[method-assign]
    RelayService.route = routing  # type: ignore[method-assign]


def _bend_clock(file: Path) -> None:
    honest = Destroyer._wipe

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(days=float(file.read_text("utf-8")))

    def wipe(self: Destroyer, job_id: str) -> None:
        if file.with_name(f"{file.name}.die").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        honest(self, job_id)

    serve.Core = partial(Core, clock=clock)  # type: ignore[attr-defined]
    Destroyer._wipe = wipe  # type: ignore[method-assign]


def main(arguments: list[str]) -> None:
    if arguments[0] == "job":
        sys.exit(_run_job(int(arguments[1]), arguments[2]))
    tap = ""
    if arguments[0] == "--tap":
        _, tap, *arguments = arguments
    if arguments[0] == "--clock":
        _, clock, *arguments = arguments
        _bend_clock(Path(clock))
    home = Path(arguments[arguments.index("--home") + 1])
    if tap:
        _tap(home, Path(tap))
    if (home / BEND).exists():
        _bend_jobs(home)
    sys.argv[1:] = ["--debug", *arguments] if tap else arguments
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1:])
