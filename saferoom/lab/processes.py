"""Nodes as real processes: started with the command line, asked over their sockets, stopped by process id."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saferoom.errors import PeerError, SafeRoomError
from saferoom.link.admin import admin_call, socket_path

START_S = 60.0
STOP_S = 20.0
SAFEROOM = (sys.executable, "-m", "saferoom")


@dataclass(slots=True)
class NodeProcess:
    """One running daemon. `role` is `party` or `coordinator`."""

    name: str
    role: str
    home: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, name: str, role: str, home: Path, program: Sequence[str] = SAFEROOM) -> NodeProcess:
        """Start `saferoom <role> up` and wait until it answers. Raises PeerError with its last words."""
        log = (home / "daemon.log").open("wb")
        command = [*program, role, "up", "--home", str(home)]
        with log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        node = cls(name, role, home, process)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                node.ask("status")
                return node
            except SafeRoomError:
                time.sleep(0.05)
        node.stop()
        words = (home / "daemon.log").read_text(encoding="utf-8", errors="replace").strip()[-500:]
        raise PeerError(f"the node did not come up: {words}", party=name, step="up")

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """The daemon's answer to a verb."""
        answer: dict[str, Any] = {}
        for answer in self.stream(verb, **args):  # noqa: B007 - the last item is the answer
            pass
        return answer

    def stream(self, verb: str, **args: Any) -> Iterator[dict[str, Any]]:
        yield from admin_call(socket_path(self.home), verb, args)

    def peak_memory_bytes(self) -> int:
        """The daemon's peak resident memory, as the kernel counts it."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self) -> None:
        """Ask it to stop; kill it if it does not."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port on loopback that our own coordinator may listen on, and that nobody else is given meanwhile.

    The socket that holds it never listens. It allows sharing only after it was bound, so that no second one
    that wants any free port can have this one; gRPC allows sharing too, and so binds beside it.
    """
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield int(holder.getsockname()[1])
