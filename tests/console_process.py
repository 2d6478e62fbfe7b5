"""`saferoom audit serve` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saferoom.lab.processes import SAFEROOM
from tests.console_room import LogRoom


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
    """`saferoom audit serve` on the room's logs, on a free port."""
    printed = room.folder / "printed.txt"
    keys = [part for key in room.keys.values() for part in ("--key", key)]
    command = [*SAFEROOM, "audit", "serve", *(str(room.path(node)) for node in room.nodes), *keys]
    with printed.open("w", encoding="utf-8") as out:
        process = subprocess.Popen([*command, "--port", "0", "--lang", "en", *more], stdout=out, text=True)
    try:
        address = ""
        while not address and process.poll() is None:
            address = next(iter(printed.read_text(encoding="utf-8").split()), "")
        assert address, "the console ended before it printed its address"
        yield Serving(process, printed, address.split("/login")[0])
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
