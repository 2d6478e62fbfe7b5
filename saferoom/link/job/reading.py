"""Who reads a job's pipe: whichever thread waits for something, or a thread of its own while none does.

Handing a message from a reading thread to a waiting one costs more than reading it. So a thread that
waits takes the turn and reads for itself. If nobody has for some milliseconds, because the protocol is
computing, the reader's own thread takes the turn and keeps it until somebody waits again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from saferoom.link.pipe import Pipe

TAKE_OVER_S = 0.005
_SLICE_S = 0.5
"""A thread that waits for the pipe looks up this often, in case the job was ended by another thread."""


class PipeReader:
    """Reads one message at a time, in one thread at a time."""

    def __init__(
        self, pipe: Pipe, on_message: Callable[[int, bytes], None], somebody_waits: Callable[[], bool]
    ) -> None:
        """`on_message` is called by the thread that reads. `somebody_waits`: for what another one reads."""
        self._pipe = pipe
        self._on_message = on_message
        self._somebody_waits = somebody_waits
        self._turn = threading.Lock()
        self._taken = 0

    def take_turn(self) -> bool:
        """Whether the calling thread is now the one that reads: then it must call `read`. Never waits."""
        has_turn = self._turn.acquire(blocking=False)
        self._taken += has_turn
        return has_turn

    def read(self, timeout_s: float) -> None:
        """Read one message, if it begins in time, and give the turn back. Raises PeerError."""
        try:
            if self._pipe.is_readable(min(timeout_s, _SLICE_S)):
                self._on_message(*self._pipe.receive())
        finally:
            self._turn.release()

    def stand_in(self) -> None:
        """For the reader's own thread: read while nobody else does, until one waits. Raises PeerError."""
        taken = self._taken
        time.sleep(TAKE_OVER_S)
        if taken != self._taken or not self._turn.acquire(blocking=False):
            return
        try:
            while not self._somebody_waits():
                self._on_message(*self._pipe.receive())
        finally:
            self._turn.release()
