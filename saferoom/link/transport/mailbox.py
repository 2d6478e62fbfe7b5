"""A thread that runs calls one after another, so that nobody else has to wait for them."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Mailbox:
    """Runs what is posted, in order. Knows how many bytes the posted calls hold."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], None], int] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    def post(self, call: Callable[[], None], size_bytes: int = 0) -> None:
        """Run `call` after those posted before."""
        with self._lock:
            self._waiting_bytes += size_bytes
        self._calls.put((call, size_bytes))

    def close(self, timeout_s: float = 5.0) -> None:
        """Run what was posted, then end."""
        self._calls.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._calls.get()) is not None:
            call, size_bytes = item
            try:
                call()
            except Exception:
                # The next call must still be made: one bad message may not silence a party.
                _log.exception("a callback of the link failed")
            with self._lock:
                self._waiting_bytes -= size_bytes
