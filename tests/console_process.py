"""`saferoom audit serve` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saferoom.lab.processes import SAFEROOM
from tests.console_room import LogRoom
from tests.waiting import LIMIT_S, until


@dataclass(frozen=True)
class Serving:
    """A running console. `tokens()`: the addresses it has printed so far."""

    process: subprocess.Popen[str]
    printed: Path
    address: str

    def tokens(self) -> list[str]:
        return self.printed.read_text(encoding="utf-8").split()


@contextmanager
def serving(room: LogRoom, *more: str) -> Iterator[Serving]:
    """The console on the room's logs, with their owners' keys."""
    keys = [part for key in room.keys.values() for part in ("--key", key)]
    with started([*(str(room.path(node)) for node in room.nodes), *keys, *more], room.folder) as console:
        yield console


@contextmanager
def started(arguments: Sequence[str], folder: Path) -> Iterator[Serving]:
    """`saferoom audit serve` in English on a free port. What it prints is kept in the folder."""
    printed = folder / "printed.txt"
    command = [*SAFEROOM, "audit", "serve", *arguments, "--port", "0", "--lang", "en"]
    with printed.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out, text=True)
    try:
        until(lambda: printed.read_text(encoding="utf-8").split() or process.poll() is not None, "an address")
        assert process.poll() is None, "the console ended before it printed its address"
        address = printed.read_text(encoding="utf-8").split()[0]
        yield Serving(process, printed, address.split("/login")[0].rstrip("/"))
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(LIMIT_S)
        assert code == 0, f"the console ended with {code}"
