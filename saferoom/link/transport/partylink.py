"""A party's line to the coordinator: dials out, keeps its streams open, and comes back for ever.

One supervisor thread connects, sends heartbeats, and waits for the end; one thread a stream reads. gRPC's own
reconnecting is not used: a fresh channel each time has no hidden waits.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from saferoom.link.settings import DEFAULT_LINK_SETTINGS, MAX_CONTROL_BYTES, LinkSettings
from saferoom.link.transport.connection import Connection
from saferoom.link.transport.mailbox import Mailbox
from saferoom.link.transport.streams import CONNECTION_ID_BYTES, wrap_control
from saferoom.link.transport.tls import TlsMaterial

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether the line is up; if not, why, and what to do about it."""

    is_up: bool
    reason: str = ""
    remedy: str = ""


class PartyLink:
    """The daemon's connection. Thread-safe; nothing but `stop` waits.

    `on_control` runs in a worker thread and may take its time. `on_frame` and `on_state` run in the link's
    own threads and must return at once. `on_state` is called at every change, and when the reason changes.
    """

    def __init__(
        self,
        address: str,
        party: str,
        tls: TlsMaterial,
        *,
        on_control: Callable[[bytes], None],
        on_frame: Callable[[bytes], None],
        on_state: Callable[[LinkState], None],
        settings: LinkSettings = DEFAULT_LINK_SETTINGS,
    ) -> None:
        self._address = address
        self._party = party
        self._tls = tls
        self._on_control = on_control
        self._on_frame = on_frame
        self._on_state = on_state
        self._settings = settings
        self._connection: Connection | None = None
        self._state = LinkState(is_up=False, reason="not started")
        self._stopping = threading.Event()
        self._mailbox = Mailbox("control messages")
        self._thread = threading.Thread(target=self._run, name="party link", daemon=True)

    @property
    def state(self) -> LinkState:
        return self._state

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect and end."""
        self._stopping.set()
        if (connection := self._connection) is not None:
            connection.end("stopped", "")
        self._thread.join()
        self._mailbox.close()

    def send_frame(self, frame: bytes) -> None:
        """Pass on a job's frame; dropped while the line is down. Raises CreditError past the credit."""
        if (connection := self._connection) is not None and self._state.is_up:
            connection.put_frame(frame)

    def send_control(self, message: bytes) -> bool:
        """Send to the coordinator if the line is up; whether it is. Best effort, in order."""
        connection = self._connection
        if connection is None or not self._state.is_up:
            return False
        return connection.put_control(list(wrap_control(message)))

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            connection = Connection(
                self._address,
                self._party,
                self._tls,
                self._settings,
                os.urandom(CONNECTION_ID_BYTES),
                on_frame=self._on_frame,
                on_control=self._take_control,
            )
            self._connection = connection
            connection.open()
            if connection.wait_ready():
                attempt = 0
                self._report(LinkState(is_up=True))
                connection.keep()
            connection.close()
            self._connection = None
            self._report(LinkState(False, connection.reason, connection.remedy))
            back_off = self._settings.back_off_s
            self._stopping.wait(back_off[min(attempt, len(back_off) - 1)])
            attempt += 1

    def _take_control(self, message: bytes) -> bool:
        """Whether there was room: a coordinator that floods us is disconnected."""
        self._mailbox.post(lambda: self._on_control(message), len(message))
        return self._mailbox.waiting_bytes <= 2 * MAX_CONTROL_BYTES

    def _report(self, state: LinkState) -> None:
        if state == self._state:
            return
        self._state = state
        _log.info("the line to the coordinator is %s", "up" if state.is_up else f"down: {state.reason}")
        try:
            self._on_state(state)
        except Exception:
            # The line must come back whatever the listener does.
            _log.exception("the listener for the state of the link failed")
